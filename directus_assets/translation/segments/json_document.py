"""Texts in JSON: each text is segmented on its own, and everything else stays as it is.

Directus returns such fields as values, or as JSON text if the field's type is text; both keep their form.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from directus_assets.directus.addresses import is_prose
from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.json_text import DEEPEST, as_json, is_too_deep, read_json
from directus_assets.translation.segments.model import Ids, Segment
from directus_assets.translation.segments.text_document import TextDocument

Path = tuple[str | int, ...]

_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]')


class JsonPart(Protocol):
    """A text in a JSON value."""

    @property
    def document(self) -> TextDocument:
        """The document of the text."""

    @property
    def places(self) -> Iterable[Path]:
        """The positions of its strings."""

    @property
    def is_new(self) -> bool:
        """Whether the first version segmented it differently, or not at all."""

    def put(self, root: JsonValue, text: str) -> None:
        """Write the spliced `text` of the document into `root`, the original value or a copy of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a value that is deliberately not text: an address, code, or hidden."""

    path: Path
    is_new: bool = False
    """Whether the first version treated it as text."""


@dataclass(frozen=True, slots=True)
class StringPart:
    """A string that is a text of its own."""

    path: Path
    document: TextDocument
    is_new: bool = False

    @property
    def places(self) -> Iterable[Path]:
        """See `Part.places`."""
        return (self.path,)

    def put(self, root: JsonValue, text: str) -> None:
        """See `Part.put`."""
        parent = at(root, self.path[:-1])
        parent[self.path[-1]] = text  # type: ignore[index]  # the path was read from this value


Found = Iterator[JsonPart | Kept]
Pick = Callable[[JsonValue, Ids], Found]
"""Finds the texts in a value, in order."""


class JsonDocument:
    """A JSON value, or a text that contains one, with its texts."""

    def __init__(self, given: JsonValue, value: JsonValue, found: Iterable[JsonPart | Kept]) -> None:
        self._given = given
        self._value = value
        self._found = list(found)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in the order of the value."""
        return tuple(segment for part in self._parts for segment in part.document.segments)

    @property
    def left(self) -> tuple[str, ...]:
        """The places of prose that is not segmented although nothing requires it to stay: `blocks.data.html`."""
        known: set[Path] = {each.path for each in self._found if isinstance(each, Kept)}
        known.update(place for part in self._parts for place in part.places)
        return tuple(dict.fromkeys(_names(path) for path, text in _texts(self._value, known) if is_prose(text)))

    @property
    def is_new(self) -> bool:
        """Whether the first version extracted other texts."""
        return any(each.is_new for each in self._found)

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """See `model.Document.splice`."""
        texts = [(part, part.document.splice(translations, language=language)) for part in self._parts]
        changes = [(part, text) for part, text in texts if text != part.document.source]
        result = copy.deepcopy(self._value)
        # In reverse order: a part that contains others uses their results.
        for part, text in reversed(changes):
            part.put(result, text)
        return _respelled(self._given, self._value, result) if isinstance(self._given, str) else result

    @property
    def _parts(self) -> Sequence[JsonPart]:
        return [each for each in self._found if not isinstance(each, Kept)]


def cut_json(given: JsonValue, pick: Pick, ids: Ids) -> JsonDocument:
    """The document for a value, or for a text that contains one.

    Raises:
        BadInput: the text is not JSON, or nested too deeply; or the value could not be written back.
    """
    value = parsed(given) if isinstance(given, str) else given
    if is_too_deep(value):
        raise BadInput(
            f"The JSON is nested more than {DEEPEST} levels deep.", remedy="Exclude the field from translation."
        )
    if not isinstance(given, str):
        as_json(value)
    return JsonDocument(given, value, pick(value, ids))


def parsed(text: str) -> JsonValue:
    """The value of a JSON text; None for an empty one.

    Raises:
        BadInput: it is not JSON.
    """
    if not text.strip():
        return None
    try:
        value: JsonValue = read_json(text)
    except ValueError as error:
        raise BadInput(
            f"The text is not valid JSON: {error}.", remedy="Correct it in Directus, or exclude the field."
        ) from None
    return value


def at(root: JsonValue, path: Path) -> JsonValue:
    """The value at `path`, which was read from this value."""
    for step in path:
        root = root[step]  # type: ignore[index]  # as the docstring says
    return root


def children(value: JsonValue) -> Sequence[tuple[str | int, JsonValue]]:
    """The members of an object or the elements of a list; none for other values."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else ()


def _texts(value: JsonValue, known: set[Path], path: Path = ()) -> Iterator[tuple[Path, str]]:
    if path in known:
        return
    if isinstance(value, str):
        yield path, value
    for step, child in children(value):
        yield from _texts(child, known, (*path, step))


def _names(path: Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def _respelled(source: str, old: JsonValue, new: JsonValue) -> str:
    """The JSON text with only the changed parts rewritten, in the style of the rest."""
    is_ascii = source.isascii() and re.search(r"\\u[0-9a-fA-F]{4}", source) is not None
    separators = (", ", ": ") if '": ' in source else (",", ":")
    parts: list[str] = []
    position = 0
    spans = _spans(source)
    escapes_slashes = "\\/" in source
    for path, value in _changes(old, new):
        start, end = spans[path]
        spelled = json.dumps(value, ensure_ascii=is_ascii, separators=separators)
        spelled = spelled.encode("utf-8", "backslashreplace").decode()
        parts += [source[position:start], spelled.replace("/", "\\/") if escapes_slashes else spelled]
        position = end
    return "".join([*parts, source[position:]])


def _changes(old: JsonValue, new: JsonValue, path: Path = ()) -> Iterator[tuple[Path, JsonValue]]:
    """The smallest values that differ, in order."""
    before, after = children(old), children(new)
    if before and type(old) is type(new) and [step for step, _ in before] == [step for step, _ in after]:
        for (step, was), (_, is_now) in zip(before, after, strict=True):
            yield from _changes(was, is_now, (*path, step))
    elif old != new:
        yield path, new


def _spans(source: str) -> dict[Path, tuple[int, int]]:
    """Start and end of every string, list and object in a valid JSON text; the last one for duplicate names."""
    spans: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    starts: list[int] = []
    is_name = [False]
    for match in _TOKEN.finditer(source):
        sign = match[0]
        if sign in ("[", "{"):
            starts.append(match.start())
            path.append(0 if sign == "[" else "")
            is_name.append(sign == "{")
        elif sign in ("]", "}"):
            path.pop()
            is_name.pop()
            spans[tuple(path)] = starts.pop(), match.end()
        elif sign == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            else:
                is_name[-1] = True
        elif sign == ":":
            is_name[-1] = False
        elif is_name[-1]:
            path[-1] = json.loads(sign)
        else:
            spans[tuple(path)] = match.span()
    return spans
