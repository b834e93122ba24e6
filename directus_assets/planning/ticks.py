"""The decision of one sensor tick about the changed keys. Pure, given everything read about them."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from directus_assets.planning.changes import Examination, Fingerprints, plan_changes, right_outputs


@dataclass(frozen=True, kw_only=True)
class Read:
    """Everything read about the changed keys.

    Attributes:
        keys: the keys.
        examination: their state in Directus.
        materialized: their recorded fingerprints.
        known: the keys that already are partitions.
        deleted: keys whose deletion is in the feed.
        at_work: keys that a pushed run is processing, or is about to.
        tried: for keys that a pushed run was processing at the last tick, the fingerprint of each failed output.
        followers: by key, outputs that our own writes have made stale.
        leaving: partitions that were about to be removed at the last tick.
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
    """The planned actions.

    Attributes:
        right: outputs (output, key) that are current; their failures are resolved.
        registered: keys that become partitions.
        stale: by key, the outputs to request runs for.
        leaving: partitions to remove once no run has them as an end of its range.
        unready: keys to check again, since a file is still being uploaded.
        pushed: keys to check again, since a pushed run is processing them.
    """

    right: frozenset[tuple[str, str]]
    registered: tuple[str, ...]
    stale: Mapping[str, frozenset[str]]
    leaving: tuple[str, ...]
    unready: tuple[str, ...]
    pushed: tuple[str, ...]


def plan_tick(read: Read) -> TickPlan:
    """Plan the work for changed keys that pushed runs do not already do.

    An output on which a pushed run has failed, and whose inputs are unchanged, is left to the reconcile.
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
    # A leaving partition may be back: a file that was replaced by a document, and then by a picture.
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
