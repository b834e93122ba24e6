"""JSON with texts in it: each string that is text is cut on its own, and all else stays as it is.

Directus gives such fields as values, or as JSON text where the field's type is text; both come back as given.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.json_text import DEEPEST, as_json, is_too_deep, read_json
from directus_assets.translation.segments.model import Ids, Segment
from directus_assets.translation.segments.text_document import TextDocument

Path = tuple[str | int, ...]
CutText = Callable[[str, Ids], TextDocument]
Pick = Callable[[JsonValue], Iterator[tuple[Path, str, CutText]]]
"""Finds the texts in a value: where each is, the text, and how to cut it."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]')


class JsonDocument:
    """A JSON value, or a text that holds one, and the cut texts in it."""

    def __init__(self, given: JsonValue, value: JsonValue, parts: Sequence[tuple[Path, TextDocument]]) -> None:
        self._given = given
        self._value = value
        self._parts = parts

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in the order of the value."""
        return tuple(segment for _, part in self._parts for segment in part.segments)

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """See `model.Document.splice`."""
        changes: dict[Path, str] = {}
        for path, part in self._parts:
            text = part.splice(translations, language=language)
            if text != part.source:
                changes[path] = text
        if isinstance(self._given, str):
            return _respelled(self._given, changes)
        return _replaced(self._value, changes)


def cut_json(given: JsonValue, pick: Pick, ids: Ids) -> JsonDocument:
    """The document for a value, or for a text that holds one.

    Raises:
        BadInput: the text is no JSON, or nested too deeply; or the value could not be written back.
    """
    value = _parsed(given) if isinstance(given, str) else given
    if is_too_deep(value):
        raise BadInput(f"The JSON is nested over {DEEPEST} levels deep.", remedy="Exclude the field from translation.")
    if not isinstance(given, str):
        as_json(value)
    return JsonDocument(given, value, [(path, cut(text, ids)) for path, text, cut in pick(value)])


def _parsed(text: str) -> JsonValue:
    if not text.strip():
        return None
    try:
        value: JsonValue = read_json(text)
    except ValueError as error:
        raise BadInput(
            f"The text is no JSON: {error}.", remedy="Correct it in Directus, or exclude the field."
        ) from None
    return value


def _replaced(value: JsonValue, changes: Mapping[Path, str]) -> JsonValue:
    result = copy.deepcopy(value)
    for path, text in changes.items():
        parent = result
        for step in path[:-1]:
            parent = parent[step]  # type: ignore[index]  # the path was read from this value
        parent[path[-1]] = text  # type: ignore[index]  # as above
    return result


def _respelled(source: str, changes: Mapping[Path, str]) -> str:
    """The JSON text with only the changed strings written anew, in the manner of the rest."""
    is_ascii = source.isascii() and re.search(r"\\u[0-9a-fA-F]{4}", source) is not None
    parts: list[str] = []
    position = 0
    for path, start, end in _strings(source):
        if path not in changes:
            continue
        spelled = json.dumps(changes[path], ensure_ascii=is_ascii).encode("utf-8", "backslashreplace").decode()
        parts += [source[position:start], spelled.replace("/", "\\/") if "\\/" in source else spelled]
        position = end
    return "".join([*parts, source[position:]])


def _strings(source: str) -> Iterator[tuple[Path, int, int]]:
    """Path, start and end of every string in a JSON text that has been parsed before, names of members included.

    The path of a member's name is that of its object, which holds no text.
    """
    path: list[str | int] = []
    is_name = [False]
    for match in _TOKEN.finditer(source):
        sign = match[0]
        if sign == "[":
            path.append(0)
            is_name.append(False)
        elif sign == "{":
            path.append("")
            is_name.append(True)
        elif sign in ("]", "}"):
            path.pop()
            is_name.pop()
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
            yield tuple(path), match.start(), match.end()
