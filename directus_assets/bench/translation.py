"""Translation: what an edit costs beside the whole text, and how near the pace is to what the engine allows."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from directus_assets.bench.bed import Bed, fresh_directus
from directus_assets.bench.engine import SlowEngine
from directus_assets.bench.figures import Figure, ratio_at_least, ratio_at_most
from directus_assets.bench.texts import body, post
from directus_assets.local.progress import Say
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.run_tags import range_tags
from directus_assets.orchestration.translations import Items, build_translations
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import Wanted, take_snapshot

NAMES = Names()

_SECONDS, _AT_ONCE = 0.5, 16
_PARAGRAPHS = 40
_POSTS = 60
_LANGUAGES = 4


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    edited, whole, requests, rates, ideals = [], [], [], [], []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        with _desk() as desk:
            key = desk.create(*[post("A long post", paragraphs=_PARAGRAPHS, seed=number)])
            desk.translate(key)
            whole.append(float(desk.engine.tokens))
            sent = desk.engine.requests
            desk.edit_one_paragraph(key[0], seed=number)
            desk.translate(key)
            edited.append(float(desk.engine.tokens - whole[-1]))
            requests.append(float(desk.engine.requests - sent))
            keys = desk.create(*[post("A short post", paragraphs=1, seed=1000 + n) for n in range(_POSTS)])
            before, started = desk.engine.requests, time.monotonic()
            desk.translate(keys)
            seconds = time.monotonic() - started
            rates.append(60 * _POSTS / seconds)
            ideals.append(60 * _POSTS / ((desk.engine.requests - before) * _SECONDS / _AT_ONCE))
    edit = f"one edited paragraph of a 2,000-word post, {_LANGUAGES} languages"
    return [
        Figure(
            part="translation",
            what=f"tokens for {edit}",
            unit="tokens",
            ours=tuple(edited),
            against="sending the whole post",
            theirs=tuple(whole),
            goal=ratio_at_most(0.1),
        ),
        Figure(part="translation", what=f"requests for {edit}", unit="requests", ours=tuple(requests)),
        Figure(
            part="translation",
            what=f"posts into {_LANGUAGES} languages, written and recorded, in one run of {_POSTS}",
            unit="posts/min",
            ours=tuple(rates),
            against=f"the ideal of an engine that takes {_SECONDS * 1000:.0f} ms and {_AT_ONCE} requests at once",
            theirs=tuple(ideals),
            goal=ratio_at_least(0.9),
            note="Without the start of the run's process.",
        ),
    ]


@dataclass
class _Desk:
    """A Directus with posts, the assets that translate them, and the engine."""

    bed: Bed
    engine: SlowEngine
    project: Project
    items: Items
    instance: dg.DagsterInstance = field(repr=False)

    def create(self, *posts: dict[str, object]) -> list[str]:
        """New posts; gives their keys."""
        keys = [str(row["id"]) for row in self.bed.admin.post("/items/posts", list(posts))]
        self.instance.add_dynamic_partitions(self.items.partitions_name, keys)
        return keys

    def edit_one_paragraph(self, key: str, *, seed: int) -> None:
        """Changes the one in the middle."""
        paragraphs = body(_PARAGRAPHS, seed=seed).splitlines()
        paragraphs[_PARAGRAPHS // 2] = body(1, seed=seed + 500)
        where = {"_and": [{"posts_id": {"_eq": key}}, {"languages_code": {"_eq": "en-US"}}]}
        (row,) = self.bed.admin.get("/items/posts_translations", filter=where, fields=["id"])
        self.bed.admin.patch(f"/items/posts_translations/{row['id']}", {"body": "\n".join(paragraphs)})

    def translate(self, keys: list[str]) -> None:
        """One run over these partitions."""
        dg.materialize(
            [build_translations(self.project, self.items)],
            instance=self.instance,
            tags=range_tags(keys[0], keys[-1]),
        )


@contextmanager
def _desk() -> Iterator[_Desk]:
    with ExitStack() as stack:
        bed = stack.enter_context(fresh_directus(with_texts=True))
        engine = stack.enter_context(SlowEngine(seconds=_SECONDS, at_once=_AT_ONCE))
        home = stack.enter_context(TemporaryDirectory(prefix="directus-assets-bench-"))
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
        config = Config.model_validate({"translations": {"concurrency": _AT_ONCE}})
        project = Project(Settings(environment=environment, config=config, config_folder=Path(home)))
        snapshot = take_snapshot(project.directus, Wanted(translations=True))
        items = next(each for each in translated_items(project, snapshot) if each.collection == "posts")
        instance = stack.enter_context(dg.DagsterInstance.local_temp(home))
        instance.add_dynamic_partitions(str(NAMES.items_partitions("posts").name), [])
        yield _Desk(bed, engine, project, items, instance)
