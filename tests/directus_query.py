"""Directus' query semantics for scripted counterparts, which refuse what the real one refuses.

::

    rows = [{"id": 1, "title": "Bread"}]
    httpx.MockTransport(lambda request: answer_query(request, rows, query_limit_max=50))
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

LONGEST_ADDRESS = 16_000
"""Bytes that Node takes; proxies take less."""

QUERY_LIMIT_DEFAULT = 100

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "_eq": lambda value, given: value == given,
    "_neq": lambda value, given: value != given,
    "_in": lambda value, given: value in given,
    "_nin": lambda value, given: value not in given,
    "_gt": lambda value, given: value is not None and value > given,
    "_gte": lambda value, given: value is not None and value >= given,
    "_lt": lambda value, given: value is not None and value < given,
    "_lte": lambda value, given: value is not None and value <= given,
    "_contains": lambda value, given: value is not None and given.lower() in value.lower(),
    "_null": lambda value, given: (value is None) is given,
}


def answer_query(
    request: httpx.Request, rows: Iterable[Mapping[str, Any]], *, query_limit_max: int = -1
) -> httpx.Response:
    """The answer to a read of a collection, by GET or SEARCH."""
    if len(request.url.raw_path) > LONGEST_ADDRESS:
        return httpx.Response(431)
    query = query_of(request)
    limit = int(query.get("limit", QUERY_LIMIT_DEFAULT))
    if 0 <= query_limit_max < limit:
        return _refused(f'Invalid query. "limit" must be less than or equal to {query_limit_max}.')
    if limit == -1:
        limit = query_limit_max
    condition = query.get("filter", {})
    if any(given == [] for given in _values(condition)):
        return _refused('Invalid query. "_in" has to be an array of values.')
    found = [row for row in rows if matches(row, condition)]
    for name in reversed([name for name in query.get("sort", []) if name]):
        found.sort(key=lambda row, name=name: row[name.lstrip("-")], reverse=name.startswith("-"))  # type: ignore[misc]
    start = int(query.get("offset", 0))
    page = found[start:] if limit < 0 else found[start : start + limit]
    return httpx.Response(200, content=json.dumps({"data": page}), headers={"content-type": "application/json"})


def sight(collection: str, *, full: bool) -> dict[str, Any]:
    """The `GET /permissions/me` response for read access to a collection, with or without a condition."""
    return {collection: {"read": {"access": "full" if full else "partial", "fields": ["*"]}}}


def query_of(request: httpx.Request) -> dict[str, Any]:
    """The parsed query of a request."""
    if request.method == "SEARCH":
        query: dict[str, Any] = json.loads(request.content)["query"]
    else:
        query = dict(request.url.params)
        query |= {name: json.loads(query[name]) for name in ("filter", "deep") if name in query}
    for name in ("fields", "sort"):
        if isinstance(query.get(name), str):
            query[name] = query[name].split(",")
    return query


def matches(row: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    """Whether a row matches a filter; an unknown operator is a mistake in the test."""
    for name, given in condition.items():
        if name in ("_and", "_or"):
            parts = [matches(row, part) for part in given]
            if not (all(parts) if name == "_and" else any(parts)):
                return False
        elif not all(_OPERATORS[operator](row[name], value) for operator, value in given.items()):
            return False
    return True


def _values(condition: Any) -> list[Any]:
    if isinstance(condition, Mapping):
        return [value for part in condition.values() for value in (part, *_values(part))]
    return [value for part in condition for value in _values(part)] if isinstance(condition, list) else []


def _refused(message: str) -> httpx.Response:
    return httpx.Response(400, json={"errors": [{"message": message, "extensions": {"code": "INVALID_QUERY"}}]})
