"""What Directus refuses: the rest of a row is written nevertheless, and a refused value is never sent again.

Directus names a field that breaks a validation rule or has to be unique. PostgreSQL does not name a field that is too
long, so the fields are then sent one by one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import ClassVar, Final, Protocol, TypeAlias

from directus_assets.directus.compare_and_set import Values
from directus_assets.directus.models import JsonValue
from directus_assets.errors import Rejected, Unreadable
from directus_assets.ownership.field_records import digest

NOT_UNIQUE: Final = "has to be unique"
"""The end of the RECORD_NOT_UNIQUE message in every release of Directus."""

Refusals: TypeAlias = dict[str, str]
"""Directus' reasons by field."""


class FieldsRefused(Rejected):
    """Directus refuses some fields of a row; the accepted ones have been written, and `written` names them."""

    # Someone may change the rule, or the row with the same value. Retrying costs no translation.
    longest_wait_seconds: ClassVar[float | None] = 6 * 3600
    is_for_editors: ClassVar[bool] = True

    def __init__(self, collection: str, refusals: Refusals, *, written: Collection[str] = ()) -> None:
        self.written = tuple(written)
        reasons = " ".join(f"Field '{name}': {short_reason(reason)}" for name, reason in refusals.items())
        super().__init__(
            f"Directus rejected some of the values for {collection}; the others were saved. {reasons}",
            remedy=(
                "Enter a value by hand, change the field's rule in Directus, or `exclude` the field in the YAML file."
            ),
            fields=refusals,
        )


class Ruled(Protocol):
    """The part of a field's definition that determines which values Directus accepts."""

    @property
    def rule(self) -> str:
        """Its validation rule, as JSON; empty if there is none."""

    @property
    def longest(self) -> int | None:
        """The maximum number of characters; None if unlimited."""

    @property
    def is_unique(self) -> bool:
        """Whether values have to be unique."""


def refusal_key(field: Ruled, value: JsonValue) -> str:
    """The key under which a refused value of a field is stored, valid while the field's definition stays the same."""
    return digest([digest(value), field.rule, field.longest, field.is_unique])


def update(patch: Callable[[Values], object], values: Values) -> Refusals:
    """Write the accepted part of `values`; return the reasons for the refused part.

    Raises:
        DirectusAssetsError: an error from `patch` that does not concern fields.
    """
    left, refused = dict(values), Refusals()
    while left:
        try:
            patch(left)
            break
        except Unreadable:
            raise
        except Rejected as error:
            named = _reasons(error, left)
            if not named and len(left) == 1:
                raise  # it concerns a field that is not being written
            if not named:
                for name, value in left.items():
                    refused |= update(patch, {name: value})
                break
            refused |= named
            left = _without(left, named)
    return refused


def create(
    make: Callable[[Values], str], patch: Callable[[str, Values], object], values: Values
) -> tuple[str | None, Refusals]:
    """Create a row from the accepted part of `values`; return its key and the reasons for the refused part.

    There is no row and no key if Directus accepts nothing, or requires a field that it refuses.

    Raises:
        DirectusAssetsError: an error from `make` or `patch` that does not concern these fields.
    """
    left, refused = dict(values), Refusals()
    while True:
        try:
            return make(left), refused
        except Unreadable:
            raise
        except Rejected as error:
            named = _named(error, left)
            if not named and _is_of_several_columns(error):
                key, more = _create_from_one(make, patch, left, refused)
                if key is None:
                    raise  # the item or the language is what is taken
                return key, more
            named = named or _reasons(error, left)
            if not named and not error.fields:
                return _create_from_one(make, patch, left, refused)
            if not named and not error.fields.keys() & refused.keys():
                raise
            refused |= named
            left = _without(left, named)
            if not named or not left:
                return None, refused


def _create_from_one(
    make: Callable[[Values], str], patch: Callable[[str, Values], object], values: Values, refused: Refusals
) -> tuple[str | None, Refusals]:
    """Create a row from the first accepted field, and add the others."""
    left = dict(values)
    while left:
        name = next(iter(left))
        try:
            key = make({name: left.pop(name)})
        except Unreadable:
            raise
        except Rejected as error:
            refused |= _reasons(error, [name]) or {name: error.message}
        else:
            return key, refused | update(partial(patch, key), left)
    return None, refused


def reason_for_row(error: Rejected, names: Iterable[str]) -> str:
    """Why Directus refuses a row with these fields as a whole; empty if it is because of others."""
    named = _named(error, names)
    if error.fields and not named and not _is_of_several_columns(error):
        return ""
    return " ".join((named or error.fields).values()) or error.message


def _reasons(error: Rejected, names: Mapping[str, JsonValue] | list[str]) -> Refusals:
    """The reasons by field; empty if Directus did not say which of these fields it refuses."""
    if named := _named(error, names):
        return named
    if len(names) == 1 and (not error.fields or _is_of_several_columns(error)):
        return dict.fromkeys(names, next(iter(error.fields.values()), error.message))
    return {}


def _named(error: Rejected, names: Iterable[str]) -> Refusals:
    # For an index over several columns, PostgreSQL names all: "slug, languages_code".
    said = {name.strip().split(".")[-1]: reason for all_, reason in error.fields.items() for name in all_.split(",")}
    return {name: said[name] for name in names if name in said}


def _is_of_several_columns(error: Rejected) -> bool:
    """Whether a unique value is taken. SQLite names only the last column of an index, which may not be one of ours."""
    return bool(error.fields) and all(NOT_UNIQUE in reason for reason in error.fields.values())


def short_reason(reason: str) -> str:
    """The end of the reason: Directus repeats the whole value before it."""
    return reason if len(reason) <= 300 else f"{reason[:100]} ... {reason[-180:]}"


def _without(values: Values, names: Refusals) -> dict[str, JsonValue]:
    return {name: value for name, value in values.items() if name not in names}
