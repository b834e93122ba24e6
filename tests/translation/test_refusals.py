"""Refused fields: all others are written, however the database reports the refusal."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from directus_assets.errors import Forbidden, Rejected, Unreadable
from directus_assets.ownership.refusals import create, update


class Table:
    """One table that refuses as Directus does.

    Args:
        names: whether it says which field it refuses; otherwise only where one is sent alone, as PostgreSQL does with
            what is too long.
        bad: the fields that it refuses.
        needed: the fields that no row may lack.
    """

    def __init__(self, *bad: str, names: bool = True, needed: tuple[str, ...] = ()) -> None:
        self.bad, self.names, self.needed = bad, names, needed
        self.rows: list[dict[str, Any]] = []
        self.requests = 0

    def make(self, values: Mapping[str, Any]) -> str:
        self._refuse(values)
        if lacking := [name for name in self.needed if name not in values]:
            raise Rejected("refused", fields=dict.fromkeys(lacking, "Value is required."))
        self.rows.append(dict(values))
        return str(len(self.rows) - 1)

    def patch(self, key: str, values: Mapping[str, Any]) -> None:
        self._refuse(values)
        self.rows[int(key)] |= values

    def _refuse(self, values: Mapping[str, Any]) -> None:
        self.requests += 1
        wrong = [name for name in values if name in self.bad]
        if wrong:
            named = self.names or len(values) == 1
            raise Rejected("refused", fields={name: f"{name} is bad" for name in wrong} if named else {})


TEXTS = {"title": "T", "slug": "S", "body": "B"}


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("bad", [("slug",), ("title",), ("title", "body"), ("slug", "body")])
def test_a_row_gets_every_field_but_those_that_are_refused(bad: tuple[str, ...], *, names: bool) -> None:
    made, changed = Table(*bad, names=names), Table(*bad, names=names)
    changed.rows.append({})
    taken = {name: text for name, text in TEXTS.items() if name not in bad}

    key, refused = create(made.make, made.patch, TEXTS)

    assert key == "0"
    assert made.rows == [taken]
    assert refused == update(lambda values: changed.patch("0", values), TEXTS)
    assert refused == {name: f"{name} is bad" for name in bad}
    assert changed.rows == [taken]


def test_what_is_taken_at_once_is_one_request_and_a_named_refusal_costs_one_more() -> None:
    good, bad = Table(), Table("slug", "body")

    create(good.make, good.patch, TEXTS)
    create(bad.make, bad.patch, TEXTS)

    assert (good.requests, bad.requests) == (1, 2)


@pytest.mark.parametrize("table", [Table("title", "slug", "body"), Table("slug", needed=("slug",))])
def test_there_is_no_row_where_nothing_is_taken_or_what_is_refused_is_needed(table: Table) -> None:
    key, refused = create(table.make, table.patch, TEXTS)

    assert key is None
    assert refused["slug"] == "slug is bad"
    assert table.rows == []


def raising(error: Exception) -> Callable[..., Any]:
    def send(*_: object) -> None:
        raise error

    return send


@pytest.mark.parametrize(
    "error",
    [
        Rejected("refused", fields={"posts_id": "no such post"}),
        Unreadable("a login page"),
        Forbidden("no right"),
    ],
)
def test_what_is_not_about_these_fields_is_no_refusal_of_them(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        create(raising(error), raising(AssertionError("no second row")), TEXTS)


@pytest.mark.parametrize(
    "said", ["slug, languages_code", "slug,languages_code", "languages_code, posts_translations.slug"]
)
def test_an_index_over_several_columns_is_about_the_one_that_is_written(said: str) -> None:
    rows: list[dict[str, Any]] = []

    def refuse(values: Mapping[str, Any]) -> str:
        if "slug" in values:
            raise Rejected("refused", fields={said: "has to be unique."})
        rows.append(dict(values))
        return "1"

    assert update(refuse, TEXTS) == {"slug": "has to be unique."}
    assert create(refuse, lambda _key, values: refuse(values), TEXTS) == ("1", {"slug": "has to be unique."})
    assert rows == [{"title": "T", "body": "B"}] * 2


def test_a_row_that_is_there_already_is_no_fault_of_its_texts() -> None:
    def refuse(_: Mapping[str, Any]) -> str:
        raise Rejected("refused", fields={"languages_code": "has to be unique."})

    for values in (TEXTS, {"title": "T"}):
        with pytest.raises(Rejected):
            create(refuse, lambda _key, _values: None, values)


def test_a_refusal_that_is_about_a_field_which_is_not_written_ends() -> None:
    def refuse(_: Mapping[str, Any]) -> None:
        raise Rejected("refused", fields={"author": "Value is required."})

    with pytest.raises(Rejected):
        update(refuse, TEXTS)
