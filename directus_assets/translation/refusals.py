"""Rows of which Directus refuses a field: one that breaks a rule does not take the others with it.

Directus names the field that breaks a validation rule or has to be unique. PostgreSQL does not name the one that is too
long, so that fields are then sent one by one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import ClassVar, Final, TypeAlias

from directus_assets.directus.compare_and_set import Values
from directus_assets.directus.models import JsonValue
from directus_assets.errors import Rejected, Unreadable

NOT_UNIQUE: Final = "has to be unique"
"""How every release of Directus ends the message of RECORD_NOT_UNIQUE."""

Refusals: TypeAlias = dict[str, str]
"""Directus' reasons, by field."""


class FieldsRefused(Rejected):
    """Directus refuses some fields of a row; what it takes of the others is written, and `written` names them."""

    # Somebody may change the rule, or the row that has the same value. Another try costs no translation.
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


def update(patch: Callable[[Values], object], values: Values) -> Refusals:
    """Writes what Directus takes of `values`; returns why it does not take the rest.

    Raises:
        DirectusAssetsError: what `patch` raises, unless it is about fields.
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
                raise  # it is about a field that is not written
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
    """Makes a row of what Directus takes of `values`; returns its key, and why the rest is not in it.

    There is no row, and no key, where Directus takes nothing, or needs what it refuses.

    Raises:
        DirectusAssetsError: what `make` or `patch` raises, unless it is about these fields.
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
                    raise  # it is the item or the language that is taken
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
    """Makes a row of the first field that Directus takes, and adds the others."""
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


def _reasons(error: Rejected, names: Mapping[str, JsonValue] | list[str]) -> Refusals:
    """The reasons by field, of these fields; empty where Directus did not say which of them it refuses."""
    if named := _named(error, names):
        return named
    if len(names) == 1 and (not error.fields or _is_of_several_columns(error)):
        return dict.fromkeys(names, next(iter(error.fields.values()), error.message))
    return {}


def _named(error: Rejected, names: Iterable[str]) -> Refusals:
    # Of an index over several columns, PostgreSQL names all: "slug, languages_code".
    said = {name.strip().split(".")[-1]: reason for all_, reason in error.fields.items() for name in all_.split(",")}
    return {name: said[name] for name in names if name in said}


def _is_of_several_columns(error: Rejected) -> bool:
    """Whether a value is taken. SQLite names the last column of an index only, which need not be one of ours."""
    return bool(error.fields) and all(NOT_UNIQUE in reason for reason in error.fields.values())


def short_reason(reason: str) -> str:
    """Directus repeats the whole value, and says what is wrong with it behind that."""
    return reason if len(reason) <= 300 else f"{reason[:100]} ... {reason[-180:]}"


def _without(values: Values, names: Refusals) -> dict[str, JsonValue]:
    return {name: value for name, value in values.items() if name not in names}
