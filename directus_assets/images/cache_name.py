"""Computes the name under which Directus stores a derivative, without Directus.

Directus names a derivative `<name of the file on disk>__<sha1><extension>`, where the SHA-1 is that of the npm package
`object-hash` (3.x, with its defaults) over the resolved transforms. This module reimplements that package for JSON
values, and the few lines of Directus' `AssetsService` that assemble the name.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from directus_assets.directus.models import MISSING, Missing
from directus_assets.errors import BadInput

Argument: TypeAlias = "bool | int | float | str | Missing | Sequence[Argument] | Mapping[str, Argument] | None"
"""A JavaScript value; `MISSING` stands for `undefined`."""

Transform: TypeAlias = tuple[Argument, ...]
"""One sharp operation: the method's name, then its arguments."""

_OBJECT_PROTOTYPE: Final = object()
_OBJECT_CONSTRUCTOR: Final = object()


def stored_name(filename_disk: str, transforms: Sequence[Transform]) -> str:
    """The name of a derivative in the storage that holds the original.

    Args:
        filename_disk: the file's name in its storage, as in `directus_files`.
        transforms: the resolved transforms, at least one.

    Returns:
        A name without folders: Directus drops any folders of `filename_disk`.

    Raises:
        BadInput: `filename_disk` is empty, absolute, or leaves its folder.
    """
    stem, extension = _split_name(_base_name(filename_disk))
    return f"{stem}__{_hash_once(_Key(repr(transforms), transforms))}{_new_extension(transforms) or extension}"


def original_stem(filename_disk: str) -> str:
    """The common prefix of the names of all derivatives of an original.

    Raises:
        BadInput: as for `stored_name`.
    """
    return _split_name(_base_name(filename_disk))[0]


def object_hash(value: Argument) -> str:
    """The SHA-1 that the npm package object-hash computes for `value`, in hexadecimal."""
    writer = _Writer()
    writer.write(value)
    return writer.sha1.hexdigest()


@dataclass(frozen=True, slots=True)
class _Key:
    """Transforms contain lists and mappings, which Python cannot hash; their text identifies them just as well."""

    text: str
    transforms: Sequence[Transform] = field(compare=False)


@functools.lru_cache(maxsize=4096)
def _hash_once(key: _Key) -> str:
    # Nearly all files have the same transforms for one preset, and a comparison needs all of their names.
    return object_hash(key.transforms)


def javascript_number(value: float) -> str:
    """`value` as JavaScript prints it (ECMA-262, Number::toString)."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - JSON has neither NaN nor Infinity
    text, point = "".join(map(str, digits)), len(digits) + exponent
    minus = "-" if sign else ""
    if len(text) <= point <= 21:
        return minus + text + "0" * (point - len(text))
    if 0 < point <= 21:
        return f"{minus}{text[:point]}.{text[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{minus}{text[0]}{fraction}e{point - 1:+d}"


class _Writer:
    """Feeds one value into a SHA-1 the way object-hash serialises it."""

    def __init__(self) -> None:
        self.sha1 = hashlib.sha1(usedforsecurity=False)
        self._visited = 0
        self._shared: dict[int, int] = {}

    def write(self, value: object) -> None:
        match value:
            case None:
                self._put("Null")
            case Missing():
                self._put("Undefined")
            case bool():
                self._put(f"bool:{str(value).lower()}")
            case int() | float():
                self._put(f"number:{javascript_number(value)}")
            case str():
                length_in_utf16 = len(value.encode("utf-16-le", "surrogatepass")) // 2
                self._put(f"string:{length_in_utf16}:{value}")
            case _:
                self._write_reference(value)

    def _write_reference(self, value: object) -> None:
        # JavaScript distinguishes arrays and objects by identity. Values from JSON are never shared, so the only
        # repeated values are those that all plain objects share; Python, however, may share equal tuples.
        if id(value) in self._shared:
            self.write(f"[CIRCULAR:{self._shared[id(value)]}]")
            return
        if value is _OBJECT_PROTOTYPE or value is _OBJECT_CONSTRUCTOR:
            self._shared[id(value)] = self._visited
        self._visited += 1
        match value:
            case Mapping():
                entries = [(key, value[key]) for key in sorted(value, key=_utf16_order)]
                self._write_object(entries, prototype=_OBJECT_PROTOTYPE)
            case Sequence():
                self._put(f"array:{len(value)}:")
                for item in value:
                    self.write(item)
            case _ if value is _OBJECT_PROTOTYPE:
                self._write_object([], prototype=None)
            case _ if value is _OBJECT_CONSTRUCTOR:
                self._put("object:0:")
            case _:
                raise TypeError(f"{type(value).__name__} has no JSON form.")

    def _write_object(self, entries: list[tuple[str, object]], *, prototype: object) -> None:
        self._put(f"object:{len(entries) + 3}:")
        for key, value in [("prototype", MISSING), ("__proto__", prototype)]:
            self._write_entry(key, value)
        self.write("constructor")
        self._put(":fn:")
        self.write("[native]")
        self.write("function-name:Object")
        self._write_reference(_OBJECT_CONSTRUCTOR)
        self._put(",")
        for key, value in entries:
            self._write_entry(key, value)

    def _write_entry(self, key: str, value: object) -> None:
        self.write(key)
        self._put(":")
        self.write(value)
        self._put(",")

    def _put(self, text: str) -> None:
        self.sha1.update(text.encode("utf-8", "surrogatepass"))


def _utf16_order(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _new_extension(transforms: Sequence[Transform]) -> str:
    formats = [transform[1] for transform in transforms if transform[0] == "toFormat" and len(transform) > 1]
    return f".{formats[-1]}" if formats and isinstance(formats[-1], str) and formats[-1] else ""


def _base_name(filename_disk: str) -> str:
    path = PurePosixPath(filename_disk)
    if not path.name or path.is_absolute() or ".." in path.parts or "\0" in filename_disk:
        raise BadInput(
            f"`filename_disk` {filename_disk!r} does not refer to a file inside its storage.",
            remedy="Correct `filename_disk` of this file in Directus: a name without '..', and not starting with '/'.",
        )
    return path.name


def _split_name(name: str) -> tuple[str, str]:
    # Node's path.extname, which differs from os.path.splitext for names with several leading dots.
    dot = name.rfind(".")
    return (name[:dot], name[dot:]) if dot > 0 else (name, "")
