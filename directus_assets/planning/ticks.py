"""What one tick of a sensor decides of the keys that have changed: pure, from all that was read of them."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from directus_assets.planning.changes import Examination, Fingerprints, plan_changes, right_outputs


@dataclass(frozen=True, kw_only=True)
class Read:
    """All that was read of the changed keys.

    Attributes:
        keys: the keys.
        examination: what Directus has for them.
        materialized: fingerprints of what is materialized for them.
        known: those that are partitions.
        deleted: those that the feed says were deleted.
        at_work: those that a pushed run works on, or is about to.
        tried: of those that a pushed run had worked on at the last tick, the fingerprint of each output that failed.
        followers: by key, outputs that our own writes have made stale.
        leaving: partitions that were on their way out at the last tick.
    """

    keys: tuple[str, ...]
    examination: Examination
    materialized: Fingerprints
    known: Iterable[str]
    deleted: Iterable[str]
    at_work: Set[str] = frozenset()
    tried: Mapping[tuple[str, str], str] = field(default_factory=dict)
    followers: Mapping[str, Set[str]] = field(default_factory=dict)
    leaving: Iterable[str] = ()


@dataclass(frozen=True, kw_only=True)
class TickPlan:
    """What is to be done.

    Attributes:
        right: outputs (output, key) that are as they should be; what failed on them is over.
        registered: keys that become partitions.
        stale: by key, the outputs that runs are asked for.
        leaving: partitions to remove, once no run is marked by them.
        unready: keys to look at again, since a file is still being uploaded.
        pushed: keys to look at again, since a pushed run works on them.
    """

    right: frozenset[tuple[str, str]]
    registered: tuple[str, ...]
    stale: Mapping[str, frozenset[str]]
    leaving: tuple[str, ...]
    unready: tuple[str, ...]
    pushed: tuple[str, ...]


def plan_tick(read: Read) -> TickPlan:
    """What changed keys ask for, besides what pushed runs do already.

    What a pushed run has tried in vain, in the very state that it is in now, is left to the reconcile.
    """
    plan = plan_changes(read.examination, deleted=read.deleted, known=read.known, materialized=read.materialized)
    wanted = read.examination.wanted
    given_up = {output for output, fingerprint in read.tried.items() if fingerprint == wanted.get(output)}
    at_work = read.at_work & plan.stale.keys()
    stale: dict[str, frozenset[str]] = {}
    for key, outputs in plan.stale.items():
        left = frozenset(name for name in outputs if (name, key) not in given_up)
        if key not in at_work and left:
            stale[key] = left
    for key, followers in read.followers.items():
        stale[key] = stale.get(key, frozenset()) | followers
    # What was on its way out may be back: a file that was replaced by a document, and then by a picture.
    staying = set(read.examination.present)
    leaving = dict.fromkeys([*(key for key in read.leaving if key not in staying), *plan.removed])
    return TickPlan(
        right=frozenset(right_outputs(wanted, read.materialized)),
        registered=tuple(plan.registered),
        stale=stale,
        leaving=tuple(leaving),
        unready=tuple(read.examination.unready),
        pushed=tuple(key for key in read.keys if key in at_work),
    )
