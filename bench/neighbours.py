"""Related items: the processor time for one new item among many, apart from the embedding service."""

import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.figures import Figure, ours_at_most
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.lease import Lease
from directus_assets.enrichment.neighbours import Neighbours, Vector, quantized
from directus_assets.enrichment.related import Related
from directus_assets.enrichment.vector_store import VectorStore
from directus_assets.local.progress import Say

_ITEMS, _DIMENSIONS, _NEIGHBOURS = 5_000, 384, 5


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    first, one = [], []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {_ITEMS} items")
        with tempfile.TemporaryDirectory() as folder:
            related = _related(Path(folder))
            first.append(_seconds(related, {str(key): f"text {key}" for key in range(_ITEMS)}))
            one.append(_seconds(related, {"new": "text of the new one"}))
    what = f"{_ITEMS} items, {_DIMENSIONS} dimensions, {_NEIGHBOURS} neighbours"
    return [
        Figure(part="neighbours", what=f"all neighbours anew: {what}", unit="s of CPU", ours=tuple(first)),
        Figure(
            part="neighbours",
            what=f"one new item, its neighbours and theirs: {what}",
            unit="s of CPU",
            ours=tuple(one),
            goal=ours_at_most(1.0),
            note="reading and writing the vectors in a folder counts; Directus and the embedding service do not",
        ),
    ]


def _related(folder: Path) -> Related:
    storage = LocalStorage(folder)
    return Related(
        store=VectorStore(storage),
        lease=Lease(storage=storage, name="turn.json"),
        space="bench",
        embed=_embed,
        write=_write_nowhere,
        count=_NEIGHBOURS,
        least=0.0,
    )


def _seconds(related: Related, texts: Mapping[str, str]) -> float:
    started = time.process_time()
    related.update(texts)
    return time.process_time() - started


def _embed(texts: Sequence[str]) -> list[Vector]:
    """Vectors in clusters, like those of texts."""
    centres = np.random.default_rng(1).normal(size=(100, _DIMENSIONS))
    drawn = np.random.default_rng(len(texts)).normal(size=(len(texts), _DIMENSIONS))
    return [quantized(centres[at % 100] + 0.5 * row) for at, row in enumerate(drawn)]


def _write_nowhere(_lists: Mapping[str, Neighbours]) -> Collection[str]:
    """Write nothing: Directus is not measured here."""
    return ()
