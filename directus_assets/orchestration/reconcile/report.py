"""What one run of the reconcile found and did."""

from collections import Counter
from dataclasses import dataclass, field

from directus_assets.errors import DirectusAssetsError
from directus_assets.orchestration.reconcile.asked import Asked
from directus_assets.planning.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that could not be done, while all the rest was."""

    collection: str
    what: str
    error: DirectusAssetsError


@dataclass
class Report:
    """What one run of the reconcile found and did."""

    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    """Outputs by subject and verdict."""
    registered: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    asked: list[Asked] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    """Subjects that a scan is at work on."""
    troubles: list[Trouble] = field(default_factory=list)
    corrected: int = 0
    """Translations that people's corrections were brought to."""
    is_complete: bool = False
    """Whether the comparison has come to its end; otherwise the next run goes on from here."""
