"""The common base of all sections of the YAML file."""

import datetime as dt
import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator


class Section(BaseModel):
    """A section: unknown names are errors, and it is immutable after parsing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_untouched(cls, value: Any) -> Any:
        # In YAML, `images:` is null if every line below it is commented out.
        return {} if value is None else value


def _spelled(value: Any) -> Any:
    """A condition with dates as text: YAML parses 2026-01-31 as a date, which JSON lacks."""
    if isinstance(value, dict):
        return {name: _spelled(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_spelled(part) for part in value]
    return value.isoformat() if isinstance(value, dt.date) else value


Filter: TypeAlias = Annotated[dict[str, Any], AfterValidator(_spelled)]
"""A condition in Directus' own format, such as `{status: {_eq: published}}`."""


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Texts: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""A list of texts. A single text, with or without commas, counts as one entry."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_CRON_ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")


def check_cron(text: str) -> str:
    """Validate a cron expression as in Unix V7: five fields of numbers, names, ranges, steps and lists.

    Raises:
        ValueError: names the invalid field.
    """
    if text.strip().lower() in _CRON_ALIASES:
        return text
    fields = text.split()
    if len(fields) != len(_CRON):
        raise ValueError(
            "a cron expression has five fields: minute, hour, day of the month, month, day of the week; "
            "`0 * * * *` is every hour"
        )
    for field, (name, least, most, names) in zip(fields, _CRON, strict=True):
        if not all(_is_cron_part(part.lower(), least, most, names) for part in field.split(",")):
            raise ValueError(f"the {name} of a cron expression is `*` or {least} to {most}, not `{field}`")
    return text


def _is_cron_part(part: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    matched = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", part)
    if not matched or matched[3] == "0" or (matched[1] == "*" and matched[2]):
        return False
    numbers = [
        least + names.index(end) if end in names else end for end in matched.groups()[:2] if end not in (None, "*")
    ]
    return all(str(number).isdecimal() and least <= int(number) <= most for number in numbers)


Cron: TypeAlias = Annotated[str, AfterValidator(check_cron)]
"""A schedule in cron syntax."""
