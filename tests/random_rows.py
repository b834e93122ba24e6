"""Random rows as Directus could return them: of every field type, with valid, invalid and absurd values.

Databases differ in what they enforce, JSON accepts anything, and people import what they have; so each field may
contain what belongs in another one.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

_INFINITE: Final = "@infinite@"
_DEEP: Final = "@deep@"
_DEEPER: Final = "@deeper@"
_LONG: Final = "@long@"
_RAW: Final = {_INFINITE: "1e400", _DEEP: f"{'[' * 150}{']' * 150}", _DEEPER: f"{'[' * 1500}{']' * 1500}"}
_RAW[_LONG] = "9" * 5000
"""What Python cannot encode as JSON, or not without effort: the stand-in, and what is sent in its place."""

_PIECES: Final = (
    *(
        "Hello",
        "bread",
        " ",
        "\n",
        "\n\n",
        "\t",
        "\0",
        "\u00a0",
        "\u200d",
        "\u202e",
        "\ufeff",
        "\ud83d",
        "\ude00",
        "🍞",
    ),
    *("<p>", "</p>", "<b>", "</b", "<img src=x", "<!--", "-->", "<![CDATA[", "]]>", "<script>", "</script>", "<br/>"),
    *("&amp;", "&#0;", "&#x110000;", "&", "<", ">", '"', "'", "<g1>", "</g1>", "<x2/>", "{{ name }}", "${x}", "%s"),
    *("# ", "* ", "1. ", "> ", "```", "`", "**", "_", "[a](b)", "![", "](", "|", "---", "\\", "\r", "http://a.b/c?d#e"),
    *(
        "السلام",
        "日本語",
        "ﬁ",
        "e\u0301" * 5,
        "1,234.5",
        "-",
        "/",
        "..",
        "'; DROP",
        "\x1b[0m",
        "\u2028",
        "[[",
        "}}",
        "~~",
    ),
)
_TEXT = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)
_MARKS = st.sampled_from(tuple(_RAW))
_NUMBER = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.just(-(10**300)), st.just(2**63)
)
_LEAF = st.one_of(st.none(), st.booleans(), _NUMBER, _TEXT, _MARKS)
_NAMES = st.sampled_from(
    ("blocks", "type", "data", "text", "items", "content", "id", "title", "", "\ud83d", "0", "time")
)
_JSON = st.recursive(
    _LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=6,
)
_BLOCKS = st.builds(
    lambda kind, text, more: {"time": 1, "version": "2", "blocks": [{"type": kind, "data": {"text": text}, **more}]},
    st.sampled_from(("paragraph", "header", "list", "table", "nothing", "")),
    st.one_of(_TEXT, _JSON),
    st.dictionaries(_NAMES, _LEAF, max_size=1),
)
_REPEATER = st.lists(st.dictionaries(_NAMES, st.one_of(_TEXT, _LEAF), max_size=3), max_size=3)
_GEOMETRY = st.sampled_from(
    (
        {"type": "Point", "coordinates": [13.4, 52.5]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        {"type": "GeometryCollection", "geometries": []},
    )
)
_MOMENTS: Final = (
    "2024-02-29",
    "0000-00-00",
    "2024-02-29T23:59:60Z",
    "-infinity",
    "24:00:00",
    "23:59:59.999999999",
    "1",
)

TYPES: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "string": _TEXT,
    "text": _TEXT,
    "json": st.one_of(_JSON, _BLOCKS, _REPEATER),
    "csv": st.one_of(st.lists(_TEXT, max_size=3), _TEXT),
    "integer": st.integers(-(2**31), 2**31),
    "bigInteger": st.one_of(st.integers(-(2**63), 2**63).map(str), st.integers()),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False).map(str),
    "boolean": st.one_of(st.booleans(), st.integers(0, 1)),
    "date": st.sampled_from(_MOMENTS),
    "time": st.sampled_from(_MOMENTS),
    "dateTime": st.sampled_from(_MOMENTS),
    "timestamp": st.sampled_from(_MOMENTS),
    "uuid": st.one_of(st.uuids().map(str), st.just("00000000-0000-0000-0000-000000000000"), _TEXT),
    "hash": st.sampled_from(("**********", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "")),
    "geometry": _GEOMETRY,
    "alias": st.lists(st.one_of(st.integers(), st.uuids().map(str)), max_size=3),
    "binary": st.binary(max_size=4).map(lambda content: {"type": "Buffer", "data": list(content)}),
    "unknown": _JSON,
}
"""By the name that Directus has for the type of a field."""

ANYTHING = st.one_of(*TYPES.values())


def value_of(kind: str) -> st.SearchStrategy[Any]:
    """A value for a field of this type; sometimes empty or of another type."""
    return st.one_of(TYPES[kind], TYPES[kind], TYPES[kind], st.none(), ANYTHING)


def as_answer(rows: list[Mapping[str, Any]]) -> bytes:
    """The value as Directus sends it."""
    text = json.dumps({"data": rows})
    for mark, raw in _RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode()
