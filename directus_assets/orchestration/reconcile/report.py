"""The report of one reconcile run: findings and actions."""

from collections import Counter
from dataclasses import dataclass, field

from directus_assets.errors import DirectusAssetsError
from directus_assets.orchestration.reconcile.asked import Asked
from directus_assets.planning.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that failed without stopping the rest."""

    collection: str
    what: str
    error: DirectusAssetsError


@dataclass
class Report:
    """The findings and actions of one run of the reconcile."""

    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    """Outputs by subject and verdict."""
    registered: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    asked: list[Asked] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    """Subjects that a sensor's scan is processing."""
    troubles: list[Trouble] = field(default_factory=list)
    corrected: int = 0
    """Translations to which human corrections were applied."""
    is_complete: bool = False
    """Whether the comparison is complete; otherwise the next run resumes here."""
