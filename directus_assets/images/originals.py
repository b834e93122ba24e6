"""Reads originals: none that is larger than it may be, and not too many bytes at the same time."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.directus.storage import Storage
from directus_assets.errors import TooLarge
from directus_assets.images.budget import ByteBudget
from directus_assets.images.inspection import BYTES_PER_PIXEL, MAX_BYTES, MAX_PIXELS, Facts, inspect

_ENCODED_IN_FLIGHT = 256_000_000
"""Bytes of files that are held at the same time; a larger one is held alone."""

_DECODED_IN_FLIGHT = 120_000_000 * BYTES_PER_PIXEL
"""Bytes of decoded pictures that are open at the same time; a larger picture is made alone."""


@dataclass(frozen=True, kw_only=True)
class Originals:
    """Originals of one project, for several threads that share its limits.

    Args:
        client: Directus, which hands out what is in no storage that is reached.
        storages: Directus' storage locations, by name, that are reached.
        max_pixels: larger pictures are refused before they are decoded.
        max_bytes: larger files are refused before they are read.
    """

    client: DirectusClient
    storages: Mapping[str, Storage] = field(default_factory=dict)
    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES
    _encoded: ByteBudget = field(default_factory=lambda: ByteBudget(_ENCODED_IN_FLIGHT))
    _decoded: ByteBudget = field(default_factory=lambda: ByteBudget(_DECODED_IN_FLIGHT))

    @contextlib.contextmanager
    def content(self, file: File, *, most: int | None = None) -> Iterator[bytes]:
        """The file itself, which counts as held until the block is left.

        Args:
            file: the file.
            most: the most bytes, where that is less than `max_bytes`.

        Raises:
            TooLarge: it has more.
            DirectusAssetsError: neither a storage nor Directus hands it out.
        """
        most = min(most or self.max_bytes, self.max_bytes)
        size = self._size(file)
        if size > most:
            raise _named(file, most=most, size=size)
        with self._encoded.hold(size):
            yield self._read(file, most)

    @contextlib.contextmanager
    def open(self, file: File, *, most: int | None = None) -> Iterator[tuple[bytes, Facts]]:
        """The file and what its header says; what decoding it takes counts as held until the block is left.

        Raises:
            BadInput: see `inspect`.
            DirectusAssetsError: as of `content`.
        """
        with self.content(file, most=most) as content:
            facts = inspect(content, file, max_pixels=self.max_pixels)
            # In this order everywhere: who waits for the second budget keeps nobody from giving back of it.
            with self._decoded.hold(facts.decoded_bytes):
                yield content, facts

    def _size(self, file: File) -> int:
        """As Directus has it; else as the storage has it, and 0 where nobody says."""
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
