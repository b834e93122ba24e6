"""Reads originals with limits on their size and on the bytes in flight."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.directus.storage import Storage
from directus_assets.errors import TooLarge
from directus_assets.images.inspection import BYTES_PER_PIXEL, MAX_BYTES, MAX_PIXELS, Facts, inspect

_ENCODED_IN_FLIGHT = 256_000_000
"""Maximum bytes of encoded files in memory; a larger file is read alone."""

_DECODED_IN_FLIGHT = 120_000_000 * BYTES_PER_PIXEL
"""Maximum bytes of decoded pictures in memory; a larger picture is processed alone."""


class ByteBudget:
    """A limit on bytes held in memory at once, by bytes in flight; a single larger item waits until it is alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._changed = threading.Condition()
        self._own = threading.local()

    @contextlib.contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait until these bytes fit, and hold them.

        Within a block that it already holds, a thread does not wait for itself.
        """
        if getattr(self._own, "is_holding", False):
            yield
            return
        wanted = min(size, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._held + wanted <= self._most)
            self._held += wanted
        self._own.is_holding = True
        try:
            yield
        finally:
            self._own.is_holding = False
            with self._changed:
                self._held -= wanted
                self._changed.notify_all()


@dataclass(frozen=True, kw_only=True)
class Originals:
    """The originals of one project, for several threads that share its limits.

    Args:
        client: Directus, which provides files from storages that we cannot reach.
        storages: the reachable storage locations of Directus, by name.
        max_pixels: larger pictures are refused before decoding.
        max_bytes: larger files are refused before reading.
        on_read: receives each file that was read, with its bytes.
    """

    client: DirectusClient
    storages: Mapping[str, Storage] = field(default_factory=dict)
    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES
    on_read: Callable[[File, bytes], None] = lambda _file, _content: None
    _encoded: ByteBudget = field(default_factory=lambda: ByteBudget(_ENCODED_IN_FLIGHT))
    _decoded: ByteBudget = field(default_factory=lambda: ByteBudget(_DECODED_IN_FLIGHT))

    @contextlib.contextmanager
    def content(self, file: File, *, most: int | None = None) -> Iterator[bytes]:
        """The file's content, which counts as in flight during the block.

        Args:
            file: the file.
            most: a limit in bytes below `max_bytes`.

        Raises:
            TooLarge: the file exceeds it.
            DirectusAssetsError: neither a storage nor Directus provides the file.
        """
        most = min(most or self.max_bytes, self.max_bytes)
        size = self._size(file)
        if size > most:
            raise _named(file, most=most, size=size)
        with self._encoded.hold(size):
            content = self._read(file, most)
            self.on_read(file, content)
            yield content

    @contextlib.contextmanager
    def open(self, file: File, *, most: int | None = None) -> Iterator[tuple[bytes, Facts]]:
        """The file and its header data; the memory for decoding counts as in flight during the block.

        Raises:
            BadInput: see `inspect`.
            DirectusAssetsError: as for `content`.
        """
        with self.content(file, most=most) as content:
            facts = inspect(content, file, max_pixels=self.max_pixels)
            # Always in this order: a thread that waits for the second budget then blocks nobody from releasing it.
            with self._decoded.hold(facts.decoded_bytes):
                yield content, facts

    def fits(self, facts: Facts, *, times: int) -> bool:
        """Whether a picture could be decoded so many times at once within the limit."""
        return facts.decoded_bytes * times <= _DECODED_IN_FLIGHT

    def _size(self, file: File) -> int:
        """The size according to Directus; else according to the storage, or 0 if unknown."""
        if file.filesize is None and file.storage in self.storages:
            return self.storages[file.storage].size(file.filename_disk) or 0
        return file.filesize or 0

    def _read(self, file: File, most: int) -> bytes:
        try:
            if file.storage in self.storages:
                return self.storages[file.storage].read(file.filename_disk, most=most)
            return self.client.download(file.id, most=most)
        except TooLarge as error:
            raise _named(file, most=most, size=error.size) from None


def _named(file: File, *, most: int, size: int | None) -> TooLarge:
    return TooLarge(f"{file.name} ({file.id})", most=most, size=size)
