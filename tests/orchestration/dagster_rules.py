"""The refusals of a real Dagster, for its scripted counterparts."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx
from dagster._core.definitions.utils import check_valid_title
from dagster._utils.tags import normalize_tags

_LONGEST_INDEXED_BYTES = 2704
"""Of a value that PostgreSQL has an index of, such as one of a run's tags."""


def check_backfill(parameters: Mapping[str, Any]) -> None:
    """Raise the errors of the webserver's resolver for `LaunchBackfillParams`."""
    check_valid_title(parameters["title"])
    check_tags(parameters["tags"])


def check_run(parameters: Mapping[str, Any]) -> None:
    """Raise the errors of the webserver's resolver for `ExecutionParams`."""
    check_tags(parameters["executionMetadata"]["tags"])


def check_tags(tags: Iterable[Mapping[str, str]]) -> None:
    """Raise Dagster's errors for the tags of a run, including those of its PostgreSQL database."""
    values = {tag["key"]: tag["value"] for tag in tags}
    normalize_tags(values)
    for key, value in values.items():
        assert len(value.encode()) <= _LONGEST_INDEXED_BYTES, f"index row size exceeds maximum for {key}"


def refusal(check: Callable[[Mapping[str, Any]], None], parameters: Mapping[str, Any]) -> httpx.Response | None:
    """The response of Dagster's webserver if a resolver raises; None if it does not."""
    try:
        check(parameters)
    except Exception as error:  # noqa: BLE001 - the webserver tells of each in the same way
        row = {"message": str(error), "path": ["launchPartitionBackfill"], "extensions": {"errorInfo": {}}}
        return httpx.Response(500, json={"data": None, "errors": [row]})
    return None
