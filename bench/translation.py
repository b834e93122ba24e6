"""Translation: the cost of an edit relative to the whole text, and the rate relative to the engine's limit."""

import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

import directus_assets.fast.read_before  # noqa: F401 - has been imported where runs are forked
from bench.bed import Bed, fresh_directus
from bench.engine import RemoteEngine, remote_engine
from bench.figures import Figure, ratio_at_least, ratio_at_most
from bench.texts import body, post
from directus_assets.local.pipeline import prepare_home
from directus_assets.local.progress import Say
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.run_tags import range_tags
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import Wanted, take_snapshot

NAMES = Names()

_SECONDS, _AT_ONCE = 0.5, 16
_PARAGRAPHS = 40
_POSTS = 60
_LANGUAGES = 4


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    edits, whole, requests = [], [], []
    paces: list[_Pace] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: an edit")
        with _desk() as desk:
            key = desk.create(*[post("A long post", paragraphs=_PARAGRAPHS, seed=number)])
            all_of_it = desk.translate(key)
            desk.edit_one_paragraph(key[0], seed=number)
            edit = desk.translate(key)
            edits.append(float(edit.tokens))
            whole.append(float(all_of_it.tokens))
            requests.append(float(edit.requests))
        say(f"round {number + 1} of {rounds}: {_POSTS} posts")
        with _desk() as desk:
            desk.translate(desk.create(post("The first post", paragraphs=1, seed=1)))
            keys = desk.create(*[post("A short post", paragraphs=1, seed=1000 + n) for n in range(_POSTS)])
            paces.append(desk.translate(keys))
    what = f"one edited paragraph of a 2,000-word post, {_LANGUAGES} languages"
    return [
        Figure(
            part="translation",
            what=f"tokens for {what}",
            unit="tokens",
            ours=tuple(edits),
            against="sending the whole post",
            theirs=tuple(whole),
            goal=ratio_at_most(0.1),
        ),
        Figure(part="translation", what=f"requests for {what}", unit="requests", ours=tuple(requests)),
        *_pace(paces),
    ]


def _pace(taken: Sequence["_Pace"]) -> Iterator[Figure]:
    spans = {
        "planned, written and recorded": [each.seconds for each in taken],
        "written and recorded": [each.seconds_at_work for each in taken],
    }
    for span, seconds in spans.items():
        yield Figure(
            part="translation",
            what=f"{_POSTS} posts into {_LANGUAGES} languages in one run: {span}",
            unit="posts/min",
            ours=tuple(60 * _POSTS / each for each in seconds),
            against=f"the ideal of an engine that takes {_SECONDS * 1000:.0f} ms and {_AT_ONCE} requests at once",
            theirs=tuple(60 * _POSTS * _AT_ONCE / (each.requests * _SECONDS) for each in taken),
            goal=ratio_at_least(0.92),
            note="Without the start of the run's process.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pace:
    """The duration of a run (in total, and after its plan was recorded) and its requests."""

    seconds: float
    seconds_at_work: float
    requests: int
    tokens: int


@dataclass
class _Desk:
    """A Directus with posts, the assets that translate them, and the engine."""

    bed: Bed
    engine: RemoteEngine
    project: Project
    items: Items
    instance: dg.DagsterInstance = field(repr=False)

    def create(self, *posts: dict[str, object]) -> list[str]:
        """Create posts and return their keys."""
        keys = [str(row["id"]) for row in self.bed.admin.post("/items/posts", list(posts))]
        self.instance.add_dynamic_partitions(self.items.partitions_name, keys)
        return keys

    def edit_one_paragraph(self, key: str, *, seed: int) -> None:
        """Change the middle paragraph."""
        paragraphs = body(_PARAGRAPHS, seed=seed).splitlines()
        paragraphs[_PARAGRAPHS // 2] = body(1, seed=seed + 500)
        where = {"_and": [{"posts_id": {"_eq": key}}, {"languages_code": {"_eq": "en-US"}}]}
        (row,) = self.bed.admin.get("/items/posts_translations", filter=where, fields=["id"])
        self.bed.admin.patch(f"/items/posts_translations/{row['id']}", {"body": "\n".join(paragraphs)})

    def translate(self, keys: list[str]) -> _Pace:
        """One run over these partitions."""
        # As in the process that runs are forked from.
        gc.freeze()
        before, started = self.engine.counts, time.monotonic()
        result = dg.materialize(
            [self.items.build()],
            instance=self.instance,
            tags=range_tags(keys[0], keys[-1]),
        )
        seconds, after = time.monotonic() - started, self.engine.counts
        (run,) = self.instance.get_run_records(dg.RunsFilter(run_ids=[result.run_id]))
        return _Pace(
            seconds=seconds,
            seconds_at_work=(run.end_time or 0) - (run.start_time or 0),
            requests=after.requests - before.requests,
            tokens=after.tokens - before.tokens,
        )


@contextmanager
def _desk() -> Iterator[_Desk]:
    with ExitStack() as stack:
        bed = stack.enter_context(fresh_directus(with_texts=True))
        engine = stack.enter_context(remote_engine(seconds=_SECONDS, at_once=_AT_ONCE))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="directus-assets-bench-")))
        home = str(prepare_home(folder))
        # Our `dagster.yaml` names it, too.
        os.environ["DAGSTER_HOME"] = home
        environment = Environment.read(
            {
                "DIRECTUS_URL": bed.directus.url,
                "DIRECTUS_TOKEN": bed.directus.bot_token,
                "OPENAI_API_KEY": "none",
                "OPENAI_BASE_URL": engine.url,
                "OPENAI_MODEL": "slow",
                "DAGSTER_HOME": home,
            }
        )
        config = Config.model_validate({"engine": {"concurrency": _AT_ONCE}})
        project = Project(Settings(environment=environment, config=config, config_folder=Path(home)))
        snapshot = take_snapshot(project.directus, Wanted(translations=True))
        items = next(each for each in translated_items(project, snapshot) if each.collection == "posts")
        instance = stack.enter_context(open_instance(Path(home)))
        instance.add_dynamic_partitions(str(NAMES.items_partitions("posts").name), [])
        yield _Desk(bed, engine, project, items, instance)
