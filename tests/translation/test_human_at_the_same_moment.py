"""An edit saved between our last read of a row and our write, on the real Directus: the editor wins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from directus_assets.commands.setup.rights import REVISION_RIGHTS
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.versions import save_proposals
from directus_assets.settings import Config, TranslationOptions
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.engines.pseudo import PseudoEngine
from directus_assets.translation.items import read_items
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.results import Translated
from directus_assets.translation.scope import Scope
from directus_assets.translation.work import Translator
from tests.directus_proxy import DirectusProxy

pytestmark = pytest.mark.integration

GERMAN = LanguageRow(key="de-DE", code="de-DE")
LONG = "".join(f"<p>Paragraph {n} about the dough.</p>\n" for n in range(4_000))
BLOCKS = {"time": 1, "blocks": [{"id": "a", "type": "paragraph", "data": {"text": "The dough rests."}}], "version": "2"}
HAND = {**BLOCKS, "blocks": [{"id": "a", "type": "paragraph", "data": {"text": "Von Hand."}}]}

EDITS: list[tuple[str, str, Any, Any, Any]] = [
    # collection, field, source, new source, what the editor saves into the German row
    ("posts", "title", "Bread", "Good bread", "Von Hand"),
    ("posts", "body", "<p>Bread &amp; 'salt'</p>\r\n", "<p>Good bread</p>", "<p>Von Hand</p>"),
    ("posts", "body", LONG, LONG.replace("Paragraph 7 ", "Paragraph seven "), "<p>Von Hand</p>"),
    ("posts", "body", "<p>Bread</p>", "<p>Good bread</p>", LONG),
    ("posts", "tags", ["bread", "salt"], ["bread", "flour"], ["Hand"]),
    ("pages", "title", "Bread", "Good bread", "Von Hand"),
    ("pages", "body", "# Bread\n\n*good*", "# Bread\n\n*better*", "# Von Hand"),
    ("pages", "notice", BLOCKS, {**BLOCKS, "blocks": [{**BLOCKS["blocks"][0], "data": {"text": "It rests."}}]}, HAND),  # type: ignore[index]
]


@dataclass(frozen=True)
class Desk:
    """An editor in the Studio, and the translator behind a proxy."""

    studio: DirectusClient
    proxy: DirectusProxy
    translators: Mapping[str, Translator]

    def create(self, collection: str, **texts: Any) -> str:
        own = {"translations": [{"languages_code": "en-US", **texts}]} if collection == "posts" else texts
        return str(self.studio.post(f"/items/{collection}", own)["id"])

    def edit(self, collection: str, key: str, **texts: Any) -> None:
        """Edit the source."""
        if collection == "posts":
            self.save(collection, key, "en-US", **texts)
        else:
            self.studio.patch(f"/items/{collection}/{key}", texts)

    def row(self, collection: str, key: str, code: str = "de-DE") -> dict[str, Any]:
        condition = {f"{collection}_id": {"_eq": key}, "languages_code": {"_eq": code}}
        (row,) = self.studio.get(f"/items/{collection}_translations", filter=condition, limit=-1)
        return dict(row)

    def save(self, collection: str, key: str, code: str = "de-DE", **texts: Any) -> None:
        """Save an item's row as the Studio does: through the item."""
        row = {"id": self.row(collection, key, code)["id"], **texts}
        changes = {"create": [], "update": [row], "delete": []}
        self.studio.patch(f"/items/{collection}/{key}", {"translations": changes})

    def translate(self, collection: str, key: str) -> Translated:
        translator = self.translators[collection]
        (item,) = read_items(translator.client, translator.scope, [key])
        return translator.translate(item, GERMAN)


@pytest.fixture
def desk(
    directus: LocalDirectus, studio: DirectusClient, scopes: Mapping[str, Scope], tmp_path: Path
) -> Iterator[Desk]:
    with DirectusProxy(directus.url) as proxy, DirectusClient(proxy.url, directus.bot_token) as bot:
        translators = {
            collection: Translator(
                client=bot,
                scope=scope,
                engine=PseudoEngine(),
                gate=RateGate(limit=4),
                records=RecordStore(LocalStorage(tmp_path), TranslationRecord),
                sleep=lambda _: None,
            )
            for collection, scope in scopes.items()
        }
        yield Desk(studio, proxy, translators)


@pytest.fixture
def may_not_see_revisions(studio: DirectusClient) -> Iterator[None]:
    """An account as set up by the previous version."""
    condition = {
        "_and": [
            {"collection": {"_eq": REVISION_RIGHTS[1].collection}},
            {"policy": {"name": {"_eq": "directus-assets"}}},
        ]
    }
    (right,) = studio.get("/permissions", filter=condition, limit=-1)
    studio.delete(f"/permissions/{right['id']}")
    yield
    studio.post("/permissions", {name: value for name, value in right.items() if name != "id"})


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]}-{edit[1]}")
def test_what_an_editor_saves_just_before_our_write_stays_and_is_the_editors(
    desk: Desk, edit: tuple[str, str, Any, Any, Any]
) -> None:
    collection, field, source, changed, saved = edit
    key = desk.create(collection, **{field: source})
    assert field in desk.translate(collection, key).written
    desk.edit(collection, key, **{field: changed})
    desk.proxy.meanwhile = [lambda: desk.save(collection, key, **{field: saved})]

    result = desk.translate(collection, key)

    assert not desk.proxy.meanwhile
    assert desk.row(collection, key)[field] == saved
    assert (result.written, result.kept) == ((), (field,))
    desk.edit(collection, key, **{field: source})
    (review,) = desk.translate(collection, key).reviews
    assert review.field == field
    assert desk.row(collection, key)[field] == saved


@pytest.mark.parametrize("emptied", [None, ""])
def test_what_an_editor_empties_just_before_our_write_is_filled_as_if_it_had_been_empty_before(
    desk: Desk, emptied: str | None
) -> None:
    key = desk.create("posts", title="Bread")
    desk.translate("posts", key)
    desk.edit("posts", key, title="Good bread")
    desk.proxy.meanwhile = [lambda: desk.save("posts", key, title=emptied)]

    result = desk.translate("posts", key)

    assert result.written == ("title",)
    assert not [request for request in desk.proxy.requests if request.startswith("DELETE")]


def test_what_an_editor_fills_in_just_before_we_do_stays(desk: Desk) -> None:
    key = desk.create("posts", title="Bread", summary=None, tags=None)
    desk.translate("posts", key)
    desk.edit("posts", key, summary="Good.", tags=["bread"])
    desk.proxy.meanwhile = [lambda: desk.save("posts", key, summary="Gut.", tags=["Brot"])]

    result = desk.translate("posts", key)

    row = desk.row("posts", key)
    assert (row["summary"], row["tags"], result.written) == ("Gut.", ["Brot"], ())


def test_what_an_editor_saves_in_another_field_is_no_reason_to_write_less(desk: Desk) -> None:
    key = desk.create("posts", title="Bread", tags=["bread"])
    desk.translate("posts", key)
    desk.edit("posts", key, tags=["rye"])
    desk.proxy.meanwhile = [lambda: desk.save("posts", key, title="Von Hand")]

    result = desk.translate("posts", key)

    row = desk.row("posts", key)
    assert (row["title"], row["tags"] != ["bread"], result.written) == ("Von Hand", True, ("tags",))


@pytest.mark.usefixtures("may_not_see_revisions")
def test_an_account_that_may_not_see_revisions_writes_and_asks_for_the_old_text_where_it_can(desk: Desk) -> None:
    key = desk.create("posts", title="Bread", tags=["bread"])
    assert desk.translate("posts", key).written == ("title", "tags")
    desk.edit("posts", key, title="Good bread", tags=["rye"])
    desk.proxy.meanwhile = [lambda: desk.save("posts", key, title="Von Hand")]

    result = desk.translate("posts", key)

    assert desk.row("posts", key)["title"] == "Von Hand"
    assert (result.written, result.kept) == (("tags",), ("title",))


def test_what_an_editor_makes_of_a_proposal_stays_at_whatever_moment(
    directus: LocalDirectus, studio: DirectusClient, desk: Desk
) -> None:
    studio.patch("/collections/posts_translations", {"meta": {"versioning": True}})
    create_bot(studio, token=directus.bot_token, config=Config(translations=TranslationOptions(review="version")))
    key = desk.create("posts", title="Bread", summary="Good.")
    client = desk.translators["posts"].client
    desk.translate("posts", key)
    row = str(desk.row("posts", key)["id"])

    def version() -> dict[str, Any]:
        (found,) = studio.get("/versions", filter={"item": {"_eq": row}}, fields=["*"])
        return dict(found)

    def save(**values: str) -> None:
        studio.post(f"/versions/{version()['id']}/save", values)

    def propose(**values: str) -> None:
        save_proposals(client, "posts_translations", row, values, is_versioned=True, setting="review")

    desk.proxy.meanwhile = [lambda: save(title="Von Hand")]
    propose(title="Brote", summary="Gut.")
    assert not desk.proxy.meanwhile
    assert version()["delta"] | {"title": "Von Hand", "summary": "Gut."} == version()["delta"]

    save(title="Noch einmal von Hand")
    propose(title="Brötchen")
    assert version()["delta"]["title"] == "Noch einmal von Hand"
