"""A human correction in one item is applied to all others, and reverted, on the real Directus."""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Never

import dagster as dg
import pytest
from rich.console import Console

from directus_assets.commands.memory import run_apply
from directus_assets.commands.revert import Selection, parse_moment, run_revert
from directus_assets.directus.client import DirectusClient
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.proposals import count_proposals
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.corrections import Corrector, Lessons
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.items import read_items
from directus_assets.translation.languages import language
from directus_assets.translation.memory import MemoryEntry, key_of_any_kind, pair_of
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

SHARED = "Our bread has to rest before it is baked."
THEIRS = "Unser Brot ruht, bevor es in den Ofen kommt."


def german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))


def body(*paragraphs: str) -> str:
    return "\n".join(f"<p>{each}</p>" for each in paragraphs)


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, {"translations": {"languages": ["de-DE"]}}) as pipeline:
        pipeline.settle()
        yield pipeline


class Desk:
    """People's actions in the Studio and on the command line."""

    def __init__(self, studio: DirectusClient, pipeline: Pipeline) -> None:
        self.studio = studio
        self.pipeline = pipeline

    def create(self, *paragraphs: str, collection: str = "posts") -> str:
        row = {"languages_code": "en-US", "body": body(*paragraphs)}
        return str(self.studio.post(f"/items/{collection}", {"translations": [row]})["id"])

    def row(self, post: str, code: str = "de-DE") -> dict[str, Any]:
        condition = {"posts_id": {"_eq": post}, "languages_code": {"_eq": code}}
        (row,) = self.studio.get("/items/posts_translations", filter=condition, limit=-1)
        return dict(row)

    def text(self, post: str) -> str:
        return str(self.row(post)["body"])

    def edit(self, post: str, old: str, new: str, code: str = "de-DE") -> None:
        row = self.row(post, code)
        assert old in str(row["body"])
        self.studio.patch(f"/items/posts_translations/{row['id']}", {"body": str(row["body"]).replace(old, new)})

    def apply(self, *, dry_run: bool = False, **choice: Any) -> tuple[int, str]:
        output = io.StringIO()
        console = Console(file=output, width=200)
        choice = {"collections": (), "languages": (), "confirm": lambda: True, **choice}
        instance = self.pipeline.instance
        status = run_apply(console, self.pipeline.project, dry_run=dry_run, instance=instance, **choice)
        return status, output.getvalue()

    def proposed(self, post: str) -> list[dict[str, Any]]:
        """The proposals shown on a partition's page, latest first."""
        asset = self.pipeline.project.names.translation("posts", "de-DE")
        records = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[post])
        found = self.pipeline.instance.fetch_observations(records, limit=100).records
        told = [each.asset_observation.metadata for each in found if each.asset_observation]
        return [{name: value.value for name, value in each.items()} for each in told if "proposals" in each]

    def revert(self, told: str) -> str:
        since = re.search(r"revert --since (\S+)", told)
        assert since
        output = io.StringIO()
        run_revert(
            Console(file=output, width=200),
            self.pipeline.project,
            Selection(since=parse_moment(since[1])),
            dry_run=False,
            confirm=lambda: True,
            instance=self.pipeline.instance,
        )
        return output.getvalue()


@pytest.fixture
def desk(studio: DirectusClient, pipeline: Pipeline) -> Desk:
    return Desk(studio, pipeline)


def test_one_correction_goes_everywhere_but_to_peoples_texts_and_comes_back(
    desk: Desk, pipeline: Pipeline, server: ScriptedOpenAI
) -> None:
    posts = [desk.create(f"Bread number {number} is made of rye.", SHARED) for number in range(4)]
    pipeline.settle()
    first, second, third, fourth = posts
    desk.edit(first, german(SHARED), THEIRS)
    desk.edit(second, german("Bread number 1 is made of rye."), "Von Anna.")
    desk.edit(third, german(SHARED), "Von Bea.")
    desk.edit(third, "Von Bea.", german(SHARED))
    pipeline.settle()
    before = [desk.text(post) for post in posts]
    server.asked.clear()
    time.sleep(1.1)  # Directus' log keeps whole seconds: what has made the rows is not meant

    for _ in range(2):
        pipeline.reconcile()
        assert [[each["proposals"] for each in desk.proposed(post)] for post in posts] == [[], [1], [1], [1]]
    assert count_proposals(pipeline.project.memory) == 3
    (shown,) = desk.proposed(fourth)[0]["proposed"].records
    assert shown.data == {"source": SHARED, "text": german(SHARED), "proposal": THEIRS}
    preview = desk.apply(dry_run=True)
    assert [desk.text(post) for post in posts] == before
    status, told = desk.apply()

    assert (preview[0], status) == (0, 0)
    assert [each["proposals"] for each in desk.proposed(fourth)] == [0, 1]
    assert count_proposals(pipeline.project.memory) == 0
    assert "To correct: 3 segments in 3 translations. To learn: 2." in preview[1]
    assert "Corrected: 3 translations." in told
    assert desk.text(second) == body("Von Anna.", THEIRS)
    assert all(desk.text(post).count(THEIRS) == 1 for post in posts)
    assert [desk.text(post).replace(THEIRS, german(SHARED)) for post in posts] == [
        before[0].replace(THEIRS, german(SHARED)),
        *before[1:],
    ]
    # Nothing is redone, undone or asked for afterwards.
    assert pipeline.tick() == []
    assert "To correct: 0 segments" in desk.apply()[1]
    assert pipeline.run_all(first=first, last=fourth).success
    assert server.asked == []
    assert all(THEIRS in desk.text(post) for post in posts)
    # An edit of another sentence costs that sentence.
    desk.edit(fourth, "made of rye", "made of spelt", "en-US")
    pipeline.settle()
    assert server.texts_sent == ["Bread number 3 is made of spelt."]
    assert desk.text(fourth) == body(german("Bread number 3 is made of spelt."), THEIRS)


def test_what_was_brought_is_taken_back_and_not_brought_again(
    desk: Desk, pipeline: Pipeline, server: ScriptedOpenAI
) -> None:
    posts = [
        desk.create(f"Cake number {number} is made of wheat.", SHARED.replace("bread", "cake")) for number in range(3)
    ]
    shared, theirs = german(SHARED.replace("bread", "cake")), "Unser Kuchen ruht."
    pipeline.settle()
    first, second, third = posts
    desk.edit(first, shared, theirs)
    desk.edit(second, german("Cake number 1 is made of wheat."), "Von Anna.")
    before = [desk.text(post) for post in posts]
    time.sleep(1.1)
    _, told = desk.apply()
    assert all(theirs in desk.text(post) for post in posts)
    server.asked.clear()

    back = desk.revert(told)

    assert "Restored: 2 translations." in back
    assert [desk.text(post) for post in posts] == before
    assert "To correct: 0 segments" in desk.apply()[1]
    pipeline.settle()
    assert pipeline.run_all(first=first, last=third).success
    # Each sentence is whose it was: an edit of the source changes ours, and leaves Anna's alone.
    desk.edit(second, SHARED.replace("bread", "cake"), "Our cake has to rest.", "en-US")
    desk.edit(third, "made of wheat", "made of rye", "en-US")
    pipeline.settle()
    assert desk.text(second) == body("Von Anna.", german("Our cake has to rest."))
    assert desk.text(third) == body(german("Cake number 2 is made of rye."), shared)
    assert sorted(server.texts_sent) == ["Cake number 2 is made of rye.", "Our cake has to rest."]
    # A person who corrects it again means it.
    desk.edit(first, theirs, "Unser Kuchen ruht gut.")
    desk.apply()
    assert desk.text(third) == body(german("Cake number 2 is made of rye."), "Unser Kuchen ruht gut.")


def test_where_people_disagree_nothing_is_done_and_what_was_imported_is_brought(
    desk: Desk, pipeline: Pipeline, server: ScriptedOpenAI
) -> None:
    disputed, imported = "Rolls are best when they are warm.", "The oven is <em>lit</em> at four."
    posts = [desk.create(disputed, imported) for _ in range(3)]
    pipeline.settle()
    desk.edit(posts[0], german(disputed), "Warm sind sie gut.")
    desk.edit(posts[1], german(disputed), "Am besten warm.")
    text = "The oven is <g1>lit</g1> at four."
    theirs = MemoryEntry(
        pair=pair_of("en-US", "de-DE"),
        key=key_of_any_kind(text),
        source=text,
        text="Um vier wird <g1>geheizt</g1>.",
        human=True,
    )
    pipeline.project.segments.remember([theirs])
    server.asked.clear()

    status, told = desk.apply(collections=["posts"])

    assert status == 0
    assert "People disagree, and nothing is done" in told
    assert [desk.text(post).split("\n")[0] for post in posts] == [
        "<p>Warm sind sie gut.</p>",
        "<p>Am besten warm.</p>",
        f"<p>{german(disputed)}</p>",
    ]
    assert [desk.text(post).split("\n")[1] for post in posts] == ["<p>Um vier wird <em>geheizt</em>.</p>"] * 3
    assert server.asked == []


def test_nothing_is_written_or_learnt_where_it_is_not_confirmed_or_the_memory_is_off(
    desk: Desk, pipeline: Pipeline
) -> None:
    sentence = "Salt is weighed, and not guessed."
    posts = [desk.create(sentence) for _ in range(2)]
    pipeline.settle()
    desk.edit(posts[0], german(sentence), "Salz wird gewogen.")

    _, declined = desk.apply(confirm=lambda: False)
    pipeline.configure({"translations": {"languages": ["de-DE"], "collections": {"posts": {"memory": False}}}})
    _, off = desk.apply()

    assert "To learn: 1." in declined
    assert "To learn: 0." in off
    assert desk.text(posts[1]) == body(german(sentence))


class Dying(Corrector):
    """A translator that is killed before it writes."""

    @property
    def _writer(self) -> Never:
        raise KeyboardInterrupt


def test_what_a_killed_command_had_not_written_yet_is_written_by_the_next(desk: Desk, pipeline: Pipeline) -> None:
    sentence = "Yeast is alive."
    posts = [desk.create(sentence) for _ in range(2)]
    pipeline.settle()
    desk.edit(posts[0], german(sentence), "Hefe lebt.")
    project = pipeline.project
    found = translated_items(project, take_snapshot(project.directus, project.wanted))
    items = next(each for each in found if each.collection == "posts")
    dying, (target,) = Dying(**vars(items.corrector())), items.languages.values()
    taught, other = read_items(project.directus, items.scope, posts)
    lessons = Lessons()
    for each in dying.lessons(taught, target):
        lessons.add(each)
    dying.learn(taught, target, lessons)
    with pytest.raises(KeyboardInterrupt):
        dying.bring(other, target, lessons)
    untouched = desk.text(posts[1])

    _, told = desk.apply()

    assert untouched == body(german(sentence))
    assert "To correct: 1 segments in 1 translations. To learn: 0." in told
    assert desk.text(posts[1]) == body("Hefe lebt.")
    assert "To correct: 0 segments" in desk.apply()[1]


def test_the_reconcile_brings_corrections_where_the_yaml_file_says_so(desk: Desk, pipeline: Pipeline) -> None:
    sentence = "Flour is sieved once more."
    posts = [desk.create(sentence) for _ in range(2)]
    pipeline.settle()
    pipeline.reconcile()
    desk.edit(posts[0], german(sentence), "Mehl wird gesiebt.")

    pipeline.reconcile()
    untouched = desk.text(posts[1])
    assert [each["proposals"] for each in desk.proposed(posts[1])] == [1]
    desk.edit(posts[1], german(sentence), "Mehl siebt man.")
    pipeline.reconcile()
    assert [each["proposals"] for each in desk.proposed(posts[1])] == [0, 1]
    desk.edit(posts[1], "Mehl siebt man.", german(sentence))
    pipeline.configure({"translations": {"languages": ["de-DE"], "memory": {"propagate": True}}})
    pipeline.reconcile()

    assert untouched == body(german(sentence))
    assert desk.text(posts[1]) == body("Mehl wird gesiebt.")
    assert [each["proposals"] for each in desk.proposed(posts[1])] == [0, 1]
