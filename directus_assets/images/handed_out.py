"""Detects files that were replaced, and names the addresses where a cache may still serve the earlier bytes.

Directus tells that a file was uploaded again, but not whether its bytes differ. We therefore keep a record of each: a
fingerprint of its row, a digest if its bytes were read, and every filename it has had.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import BaseModel

from directus_assets.directus.models import File
from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import DirectusAssetsError, TransientError
from directus_assets.images.originals import Originals
from directus_assets.images.outcomes import Failed, Outcome
from directus_assets.images.plan import content_fingerprint

_AS_IN_SCRIPTS = "!'()*"
"""What JavaScript's `encodeURIComponent` does not encode, besides letters, digits and `-._~`."""
_AS_IN_BROWSERS = "!$&'()*+,/:;=@[]|"
"""What browsers do not encode in a path, besides the same."""
_AS_IN_QUERIES = "!$()*,/:;=?@[\\]^`{|}"
"""What browsers do not encode in a query, besides the same; without what ends a value there."""


class Original(BaseModel):
    """The record of a file.

    Attributes:
        content: the fingerprint of its content according to its row in Directus.
        digest: SHA-256 of its bytes; empty if they were not read.
        names: every filename it has had.
    """

    content: str
    digest: str = ""
    names: tuple[str, ...] = ()


def known_of(file: File, digest: str, before: Original | None) -> Original:
    """The new record of a file. Pure.

    Args:
        file: its row.
        digest: of its bytes; empty if they were not read.
        before: the earlier record.
    """
    content = content_fingerprint(file)
    is_same = before is not None and before.content == content
    names = dict.fromkeys((*(before.names if before else ()), file.filename_download))
    return Original(
        content=content,
        digest=digest or (before.digest if before and is_same else ""),
        names=tuple(filter(None, names)),
    )


def is_replaced(before: Original | None, now: Original, *, uploaded: bool) -> bool:
    """Whether a cache may hold other bytes than the file has now. Pure.

    Args:
        before: the earlier record, if any.
        now: the new record.
        uploaded: whether a file without a record is known to have been uploaded again.
    """
    if before is None:
        return uploaded
    if before.content == now.content:
        return False
    return not (before.digest and before.digest == now.digest)


def was_uploaded_since(file: File, moment: dt.datetime) -> bool:
    """Whether Directus received the file at this time or later, according to its row."""
    try:
        uploaded = dt.datetime.fromisoformat(file.uploaded_on)
    except ValueError:
        return False
    return uploaded.replace(tzinfo=uploaded.tzinfo or dt.UTC) >= moment


def paths_of(file_id: str, names: Iterable[str]) -> Iterator[str]:
    """The paths at which pages refer to a file itself, with its filenames encoded as scripts and browsers do.

    Directus ignores the filename in a path.
    """
    place = f"/assets/{quote(file_id)}"
    yield place
    for name in names:
        if name.strip(".") == "":
            continue  # `..` would lead to another address.
        yield from dict.fromkeys(f"{place}/{quote(name, safe=safe)}" for safe in (_AS_IN_SCRIPTS, _AS_IN_BROWSERS))


def queries_of(preset: str) -> Iterator[str]:
    """The queries with which pages refer to a preset, with its key encoded as templates, scripts and browsers do."""
    spelt = (quote(preset, safe=safe) for safe in ("/", _AS_IN_SCRIPTS, _AS_IN_QUERIES))
    return (f"key={each}" for each in dict.fromkeys(spelt))


@dataclass(frozen=True)
class HandedOut:
    """The records of a project's files. Every method raises what the storage raises.

    Args:
        storage: holds the records.
        note: receives the paths where a cache may still serve an earlier file.
    """

    storage: Storage
    note: Callable[[Iterable[str]], None]

    def known(self, file_id: str) -> Original | None:
        """The record of a file, if any."""
        return self._file(file_id).read()

    def look(self, file: File, digest: str = "", *, uploaded: bool = False) -> None:
        """Update the record of a file; note its paths if its bytes have changed.

        Args:
            file: its row.
            digest: of its bytes; empty if they were not read.
            uploaded: see `is_replaced`.
        """
        before = self.known(file.id)
        now = known_of(file, digest, before)
        if is_replaced(before, now, uploaded=uploaded):
            self.note(paths_of(file.id, now.names))
        if now != before:
            self._file(file.id).write(now.model_dump_json().encode())

    def forget(self, file_id: str) -> None:
        """Note the paths of a deleted file, and delete its record."""
        before = self.known(file_id)
        self.note(paths_of(file_id, before.names if before else ()))
        self.storage.delete(_name(file_id))

    def paths_at(self, file_id: str, presets: Iterable[str]) -> Iterator[str]:
        """The paths of a file's derivatives at these presets (their keys), under every filename that it has had."""
        known = self.known(file_id)
        places = list(paths_of(file_id, known.names if known else ()))
        for preset in presets:
            yield from (f"{place}?{query}" for query in queries_of(preset) for place in places)

    def _file(self, file_id: str) -> KeptFile[Original]:
        return KeptFile(
            storage=self.storage,
            name=_name(file_id),
            what=f"record of file {file_id}",
            loss="A cache may serve the earlier file.",
            parse=Original.model_validate_json,
        )


def _name(file_id: str) -> str:
    return f"originals/{quote(file_id, safe='')}.json"


@dataclass(frozen=True, kw_only=True)
class OriginalsRead:
    """Checks the files that one run reads anyway.

    Args:
        handed_out: the records.
        originals: reads files whose derivatives Directus renders.
    """

    handed_out: HandedOut
    originals: Originals
    _digests: dict[str, tuple[File, str]] = field(default_factory=dict)

    def on_read(self, file: File, content: bytes) -> None:
        """Remember the digest of these bytes."""
        self._digests[file.id] = (file, hashlib.sha256(content).hexdigest())

    def look(self, outcome: Outcome, file: File, *, made_at: dt.datetime | None) -> None:
        """Check the file of an outcome; see `HandedOut.look`.

        Args:
            outcome: the outcome.
            file: its row when the run began.
            made_at: when its derivatives were last made, if ever.
        """
        if isinstance(outcome, Failed) and isinstance(outcome.error, TransientError):
            return  # Another attempt will check it.
        known = self.handed_out.known(file.id)
        if known and known.digest and known.content == content_fingerprint(file) and file.id not in self._digests:
            return
        file, digest = self._digests.pop(file.id) if file.id in self._digests else (file, self._digest(file))
        self.handed_out.look(file, digest, uploaded=made_at is not None and was_uploaded_since(file, made_at))

    def _digest(self, file: File) -> str:
        try:
            with self.originals.content(file) as content:
                return hashlib.sha256(content).hexdigest()
        except DirectusAssetsError:
            return ""  # A new upload then counts as a change.
