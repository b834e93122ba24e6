"""The command `backfill` for texts: priced, limited, and only then started."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from directus_assets.commands.backfill_texts import Choice, run_text_backfill
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import ConfigurationError
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.webserver import BackfillProgress, Webserver
from directus_assets.run_tags import range_tags
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI
from tests.translation.test_pipeline import create_post, row_of

pytestmark = pytest.mark.integration

PRICED = {"translations": {"languages": ["de-DE", "fr-FR"], "prices": {"tiny": {"input": 1_000_000}}}}


class Inline(Webserver):
    """A webserver that executes requested backfills of posts at once, partition by partition."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__("http://127.0.0.1:1")
        self.pipeline = pipeline
        self.asked: list[tuple[list[str], list[str]]] = []
        self.screen = io.StringIO()

    def launch_backfill(
        self, assets: Iterable[dg.AssetKey], partitions: Sequence[str], *, title: str, tags: Mapping[str, str]
    ) -> str:
        keys = list(assets)
        self.asked.append(([key.path[-1] for key in keys], list(partitions)))
        for key in partitions:
            request = dg.RunRequest(tags={**range_tags(key, key), **tags}, asset_selection=keys)
            self.pipeline._run("posts", request)
        return title

    def backfill(self, backfill_id: str) -> BackfillProgress:
        return BackfillProgress(is_over=True, error="", assets={})


@pytest.fixture
def posts(studio: DirectusClient) -> list[str]:
    """Three posts that existed before the pipeline."""
    return [create_post(studio, title=f"Bread number {number}") for number in range(3)]


@pytest.fixture
def pipeline(posts: list[str], directus: LocalDirectus, server: ScriptedOpenAI, tmp_path: Path) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, PRICED) as pipeline:
        assert pipeline.tick() == []
        yield pipeline


def backfill(pipeline: Pipeline, *, dry_run: bool = False, answer: bool = True, **chosen: object) -> tuple[int, Inline]:
    """The exit status, what was asked for, and what was shown."""
    webserver = Inline(pipeline)
    status = run_text_backfill(
        Console(file=webserver.screen, width=150),
        pipeline.project,
        Choice(collections=["posts"], **chosen),  # type: ignore[arg-type]
        dry_run=dry_run,
        confirm=lambda: answer,
        instance=pipeline.instance,
        webserver=webserver,
    )
    return status, webserver


def test_only_what_is_chosen_is_made_and_nothing_before_somebody_says_yes(
    pipeline: Pipeline, posts: list[str], studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    nothing = [backfill(pipeline, dry_run=True), backfill(pipeline, answer=False)]
    assert [(status, asked.asked) for status, asked in nothing] == [(0, []), (1, [])]
    assert server.asked == []

    status, one = backfill(pipeline, languages=["de-DE"], items=posts[1:2])
    again, rest = backfill(pipeline, missing_only=True)
    last, none = backfill(pipeline, missing_only=True, answer=False)

    assert (status, again, last) == (0, 0, 0)
    assert one.asked == [(["de-DE"], posts[1:2])]
    made = [(output, key) for outputs, keys in rest.asked for output in outputs for key in keys]
    assert len(made) == 3 * 2 - 1
    assert ("de-DE", posts[1]) not in made
    assert none.asked == []
    # Pictures may follow.
    assert "No texts to make." in none.screen.getvalue()
    assert all(row_of(studio, post, code)["title"] for post in posts for code in ("de-DE", "fr-FR"))


def test_a_limit_leaves_what_would_cost_more_for_another_time(
    pipeline: Pipeline, posts: list[str], server: ScriptedOpenAI
) -> None:
    """A token costs one; of a title with its instructions there are several hundred."""
    _, nothing = backfill(pipeline, items=posts, limit=Decimal(1))
    limit = _cost_of(pipeline, posts[0]) * Decimal("2.5")
    _, some = backfill(pipeline, items=posts, languages=["de-DE"], limit=limit)

    assert nothing.asked == []
    assert some.asked == [(["de-DE"], posts[:2])]


def test_without_a_price_a_limit_is_refused(pipeline: Pipeline, posts: list[str]) -> None:
    pipeline.configure({"translations": {"languages": ["de-DE"]}})

    with pytest.raises(ConfigurationError, match="--limit needs prices"):
        backfill(pipeline, limit=Decimal(1))


@pytest.mark.parametrize(
    "chosen", [{"languages": ["xx-XX"]}, {"items": ["1"], "collections": []}, {"items": ["999999"]}]
)
def test_what_is_not_there_is_named(pipeline: Pipeline, chosen: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigurationError):
        run_text_backfill(
            Console(file=io.StringIO()),
            pipeline.project,
            Choice(**{"collections": ["posts"], **chosen}),  # type: ignore[arg-type]
            dry_run=True,
            confirm=lambda: False,
            instance=pipeline.instance,
        )


def _cost_of(pipeline: Pipeline, post: str) -> Decimal:
    from directus_assets.commands.backfill_texts import _priced, _subjects

    choice = Choice(collections=["posts"], languages=["de-DE"], items=[post])
    return _priced(pipeline.instance, _subjects(pipeline.project, choice), choice).cost
