"""Storage in a folder on this machine."""

import contextlib
import datetime as dt
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from directus_assets.directus.storage.interface import Entry, StorageFull, Unusable, name_aside, safe_folder, safe_name
from directus_assets.errors import BadInput, Forbidden, NotFound, PermanentError, TooLarge, TransientError, Unreachable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IMPOSSIBLE = frozenset({errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EINVAL})

_SHORT = 40
"""Bytes of a name that leaves room for a suffix; names of derivatives are longer."""

_NO_ROOT = "Is its volume mounted? A relative STORAGE_<LOCATION>_ROOT is relative to the folder of the YAML file."


@dataclass(frozen=True)
class LocalStorage:
    """A folder on this machine (Directus: `STORAGE_<LOCATION>_DRIVER=local`, `_ROOT`)."""

    root: Path

    def describe(self) -> str:
        return str(self.root)

    def inside(self, folder: str) -> "LocalStorage":
        inner = self.root / safe_folder(folder)
        with self._reported(folder):
            self._require_root()
            inner.mkdir(parents=True, exist_ok=True)
        return LocalStorage(inner)

    def read(self, name: str, *, most: int | None = None) -> bytes:
        with self._reported(name), self._path(name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if most is None:
                return file.read()
            if size > most or len(content := file.read(most + 1)) > most:
                raise TooLarge(name, most=most, size=size)
            return content

    def write(self, name: str, content: bytes, *, content_type: str) -> None:  # noqa: ARG002 (objects have one, files none)
        path = self._path(name)
        temporary = path.with_name(_temporary_name(path.name))
        with self._reported(name):
            self._require_root()
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        path = self._path(name)
        with self._locked(name):
            current = path.read_bytes() if path.exists() else None
            self.write(name, change(current), content_type=content_type)

    def size(self, name: str) -> int | None:
        found = self.entry(name)
        return found.size if found else None

    def entry(self, name: str) -> Entry | None:
        try:
            with self._reported(name):
                return _entry(name, self._path(name).stat())
        except NotFound:
            return None

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        return ((entry.name, entry.size) for entry in self.entries(prefix))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        folder, _, start = prefix.rpartition("/")
        top = self._path(folder) if folder else self.root
        with self._reported(prefix):
            for entry in sorted(os.scandir(top), key=lambda found: found.name):
                if entry.name.startswith(start) and _is_file(entry):
                    # Files deleted since the folder was listed.
                    with contextlib.suppress(FileNotFoundError):
                        yield _entry(f"{folder}/{entry.name}" if folder else entry.name, entry.stat())

    def delete(self, name: str) -> None:
        with self._reported(name):
            self._path(name).unlink(missing_ok=True)

    def set_aside(self, name: str, *, unless: Callable[[bytes], bool]) -> str | None:
        path, aside = self._path(name), name_aside(name)
        with self._locked(name):
            with contextlib.suppress(IsADirectoryError, PermissionError):
                if not path.exists() or unless(path.read_bytes()):
                    return None
            path.rename(self._path(aside))
        return aside

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Lock the folder of `name` for writing."""
        lock_name = self._path(name).with_name(".lock")
        with self._reported(name):
            self._require_root()
            lock_name.parent.mkdir(parents=True, exist_ok=True)
            if lock_name.is_dir():
                lock_name.rename(self._path(name_aside(f"{name}.lock")))
            # One lock per folder: one per name would double the number of files.
            with lock_name.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def _path(self, name: str) -> Path:
        return self.root / safe_name(name)

    def _require_root(self) -> None:
        """A missing folder is an unmounted volume, not an empty storage."""
        if not self.root.is_dir():
            raise Unreachable(f"The storage folder {self.root} does not exist.", remedy=_NO_ROOT)

    @contextlib.contextmanager
    def _reported(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            self._require_root()
            raise NotFound(f"{name} is not in the storage folder {self.root}.") from None
        except OSError as error:
            raise self._explained(error, name) from None

    def _explained(self, error: OSError, name: str) -> PermanentError | TransientError:
        if error.errno in _FULL:
            return StorageFull(
                f"Not enough space for {name} in {self.root}.", remedy="Free some space; the work will be retried."
            )
        if error.errno == errno.EISDIR:
            return Unusable(
                f"In the storage folder {self.root}, {name} is a folder: {error.strerror}.",
                remedy="Move it away.",
            )
        if error.errno in _REFUSED:
            kind = Unusable if self._is_closed(name) else Forbidden
            return kind(
                f"No access to {name} in the storage folder {self.root}: {error.strerror}.",
                remedy="Run as a user who can read and write Directus' uploads, or use delivery `warm`.",
            )
        if error.errno in _IMPOSSIBLE:
            return BadInput(
                f"The storage folder {self.root} cannot hold {name}: {error.strerror}.",
                remedy="Correct `filename_disk` of that file.",
            )
        return Unreachable(f"The storage folder {self.root} failed on {name}: {error.strerror}.")

    def _is_closed(self, name: str) -> bool:
        """Whether it is a file of the current user who may not read it; another user's file is a matter of who runs the
        process.
        """
        path = self.root / name
        try:
            status = path.stat()
        except OSError:
            return False  # its folder is closed as well
        return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not os.access(path, os.R_OK)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError as error:
        # A link that leads to itself counts as missing, and hides no other file.
        if error.errno == errno.ELOOP:
            return False
        raise


def _temporary_name(name: str) -> str:
    """A name with the same beginning as `name`.

    It is no longer than that unless `name` is short: a disk allows 255 bytes, which names of derivatives may use up.
    """
    mark = f".{secrets.token_hex(4)}.tmp"
    size = len(name.encode())
    return name.encode()[: size if size <= _SHORT else size - len(mark)].decode(errors="ignore") + mark


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name=name, size=status.st_size, modified=dt.datetime.fromtimestamp(status.st_mtime, dt.UTC))
