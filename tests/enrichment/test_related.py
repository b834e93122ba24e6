"""Neighbours of items that are added, changed and removed, in consecutive and concurrent runs."""

import random
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.lease import Lease
from directus_assets.enrichment.neighbours import Neighbours, Space, Vector, quantized
from directus_assets.enrichment.related import Related
from directus_assets.enrichment.vector_store import VectorStore
from directus_assets.errors import Unreachable


class World:
    """The state of Directus: texts, and the written list of each item."""

    def __init__(self, folder: Path, *, slow: Callable[[], None] = lambda: None) -> None:
        self.lists: dict[str, Neighbours] = {}
        self.embedded: list[str] = []
        self.locked: set[str] = set()
        self._folder = folder
        self._slow = slow

    def run(
        self, texts: Mapping[str, str], *, gone: Collection[str] = (), space: str = "s", count: int = 3
    ) -> set[str]:
        """Run over some items; return the items whose lists were written."""
        storage = LocalStorage(self._folder)
        related = Related(
            store=VectorStore(storage),
            lease=Lease(storage=storage, name="turn.json"),
            space=space,
            embed=self._embed,
            write=self._write,
            count=count,
            least=0.0,
        )
        return set(related.update(texts, gone=gone))

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        self.embedded += texts
        return [vector_of(text) for text in texts]

    def _write(self, lists: Mapping[str, Neighbours]) -> Collection[str]:
        for key, near in lists.items():
            self._slow()
            if key not in self.locked:
                self.lists[key] = near
        return self.locked


def vector_of(text: str) -> Vector:
    drawn = random.Random(text)
    return quantized([drawn.gauss(1, 2) for _ in range(6)])


def right(texts: Mapping[str, str], *, count: int = 3) -> dict[str, Neighbours]:
    """All lists, computed from scratch."""
    space = Space({key: vector_of(text) for key, text in texts.items() if text.strip()}, count=count)
    return dict.fromkeys(texts, ()) | space.nearest(texts)


def test_items_whose_vectors_are_lost_are_left_out_until_they_are_looked_at_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    texts = {str(key): f"text {key}" for key in range(30)}
    world.run(texts)
    file = next(iter(tmp_path.glob("*.vectors")))
    file.write_bytes(file.read_bytes()[:20])

    world.run({"0": texts["0"]})
    world.run(texts)

    assert world.lists == right(texts)


def test_a_new_item_gets_its_list_and_changes_those_that_it_belongs_to(tmp_path: Path) -> None:
    world = World(tmp_path)
    texts = {str(key): f"text {key}" for key in range(30)}
    world.run(texts)

    written = world.run({"new": "text 31"})

    assert world.lists == right(texts | {"new": "text 31"})
    assert {"new"} < written < {*texts, "new"}
    assert world.embedded.count("text 31") == 1
    assert len(world.embedded) == 31


def test_the_same_text_is_embedded_once_and_its_list_is_written_for_whoever_emptied_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run({"1": "bread", "2": "boats"})
    embedded, world.lists = len(world.embedded), {}

    assert world.run({"1": "bread"}) == {"1"}

    assert world.lists == {"1": right({"1": "bread", "2": "boats"})["1"]}
    assert len(world.embedded) == embedded


def test_an_item_that_goes_leaves_all_lists(tmp_path: Path) -> None:
    world = World(tmp_path)
    texts = {str(key): f"text {key}" for key in range(12)}
    world.run(texts)

    world.run({}, gone=["3"])

    del texts["3"], world.lists["3"]
    assert world.lists == right(texts)


def test_an_item_whose_text_is_gone_is_near_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run({"1": "a", "2": "a", "3": "a"})

    world.run({"2": " \n"})

    assert world.lists == right({"1": "a", "2": "", "3": "a"})


def test_another_embedder_starts_a_space_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    texts = {str(key): f"text {key}" for key in range(6)}
    world.run(texts)

    written = world.run({"1": "text 1"}, space="other")

    assert written == {"1"}
    assert world.lists["1"] == ()
    world.run(texts, space="other")
    assert world.lists == right(texts)


def test_a_longer_list_is_asked_for_item_by_item(tmp_path: Path) -> None:
    world = World(tmp_path)
    texts = {str(key): f"text {key}" for key in range(9)}
    world.run(texts)

    for key, text in texts.items():
        world.run({key: text}, count=5)

    assert world.lists == right(texts, count=5)


def test_what_a_failed_write_left_behind_is_put_right_by_the_next_try(tmp_path: Path) -> None:
    def fail() -> None:
        raise Unreachable("Directus is down.")

    world, broken = World(tmp_path), World(tmp_path, slow=fail)
    texts = {str(key): f"text {key}" for key in range(10)}
    world.run(texts)

    with pytest.raises(Unreachable):
        broken.run({"new": "text 10"})
    world.run({"new": "text 10"})

    assert world.lists == right(texts | {"new": "text 10"})


def test_a_list_that_could_not_be_written_is_written_when_its_item_is_looked_at(tmp_path: Path) -> None:
    world = World(tmp_path)
    texts = {str(key): f"text {key}" for key in range(12)}
    world.run(texts)
    after = texts | {"new": "text 12"}
    locked = next(key for key in texts if right(after)[key] != right(texts)[key])
    world.locked = {locked}
    world.run({"new": "text 12"})
    assert world.lists == right(after) | {locked: right(texts)[locked]}

    world.locked = set()
    world.run({locked: texts[locked]})

    assert world.lists == right(after)


@settings(max_examples=25)
@given(data=st.data())
def test_whatever_comes_and_goes_the_lists_are_those_that_are_made_anew(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world, texts = World(tmp_path_factory.mktemp("world")), dict[str, str]()
    keys = st.sampled_from("abcdefgh")
    for _ in range(data.draw(st.integers(1, 5))):
        coming = data.draw(st.dictionaries(keys, st.sampled_from(["", "one", "two", "three", "four", "five"])))
        gone = data.draw(st.sets(keys)) - set(coming)
        texts = {key: text for key, text in (texts | coming).items() if key not in gone}

        world.run(coming, gone=gone)

        world.lists = {key: near for key, near in world.lists.items() if key not in gone}
        assert world.lists == right(texts)


def test_runs_at_the_same_time_end_with_the_right_lists(tmp_path: Path) -> None:
    chance = random.Random(5)
    world = World(tmp_path, slow=lambda: time.sleep(chance.random() * 0.004))
    texts = {f"{run}-{key}": f"text {run} {key}" for run in range(4) for key in range(12)}

    def work(run: int) -> None:
        own = [key for key in texts if key.startswith(f"{run}-")]
        for start in range(0, 12, 4):
            world.run({key: texts[key] for key in own[start : start + 4]})

    threads = [threading.Thread(target=work, args=(run,)) for run in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert world.lists == right(texts)
