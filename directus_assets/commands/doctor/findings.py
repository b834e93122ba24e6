"""The findings of `doctor`: one row each, with a remedy."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TypeAlias, TypeVar

import httpx

from directus_assets.commands.setup.rights import Right, held_rights, needed_rights
from directus_assets.directus.held import Held, read_held
from directus_assets.directus.models import ProjectSettings
from directus_assets.directus.project_schema import ProjectSchema, read_project_schema
from directus_assets.directus.schema import TranslatedCollection, read_translated_collections
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.recommendation_plan import RecommendationPlan, plan_recommendations
from directus_assets.errors import Forbidden, PermanentError
from directus_assets.orchestration.project import Project
from directus_assets.translation.scope import Scope, plan_scopes

S = TypeVar("S")


class Status(Enum):
    """Severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """The result of one check."""

    status: Status
    what: str
    text: str
    remedy: str = ""


def ok(what: str, text: str) -> Finding:
    """The check passed."""
    return Finding(status=Status.OK, what=what, text=text)


def warning(what: str, text: str, remedy: str) -> Finding:
    """It works, but not well, or not for long."""
    return Finding(status=Status.WARNING, what=what, text=text, remedy=remedy)


def failed(what: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(status=Status.FAILED, what=what, text=text, remedy=remedy)


@dataclass
class Checkup:
    """The subject of the checks. What several checks need is read from Directus once."""

    project: Project
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10), repr=False)
    """For requests without a token."""
    faults: dict[str, PermanentError] = field(default_factory=dict)
    """Collections read so far that cannot be described, with the reason."""

    @cached_property
    def permissions(self) -> Held:
        """The token's rights in Directus' own form."""
        return read_held(self.project.directus)

    @property
    def held(self) -> tuple[Right, ...]:
        """The token's rights."""
        return held_rights(self.permissions)

    @cached_property
    def directus_settings(self) -> ProjectSettings:
        """Presets, languages and glossary."""
        return self.project.directus.project_settings()

    @cached_property
    def collections(self) -> tuple[TranslatedCollection, ...]:
        """The translated collections that the token can see; empty if nothing is translated."""
        if not self.project.translates:
            return ()
        return self._described(read_translated_collections)

    @cached_property
    def scopes(self) -> list[Scope]:
        """The translated collections with their settings."""
        options = self.project.settings.config.translations
        return plan_scopes(self.collections, options, default_language=self.directus_settings.default_language)

    @cached_property
    def declarations(self) -> list[Declaration]:
        """The declared enrichments."""
        if not self.project.declared:
            return []
        default_language = self.directus_settings.default_language
        return declare(self.project.declared, self.schema, default_language=default_language)

    @cached_property
    def recommendations(self) -> list[RecommendationPlan]:
        """The declared recommendations."""
        return plan_recommendations(self.project.declared, self.schema) if self.project.declared else []

    @cached_property
    def schema(self) -> ProjectSchema:
        """All collections."""
        return self._described(read_project_schema)

    def _described(self, read: Callable[..., S]) -> S:
        faults: dict[str, PermanentError] = {}
        found = read(self.project.directus, faults=faults)
        self.faults |= {name: fault for name, fault in faults.items() if not isinstance(fault, Forbidden)}
        for fault in faults.values():
            if isinstance(fault, Forbidden):
                # All missing rights are reported together.
                raise fault
        return found

    def close(self) -> None:
        """Close the connections that were opened."""
        made = vars(self.project)  # cached properties: close only what was created
        for each in (self.http, made.get("directus"), made.get("engine")):
            if each is not None:
                each.close()

    def needed(
        self,
        scopes: Sequence[Scope],
        declarations: Sequence[Declaration] = (),
        recommendations: Sequence[RecommendationPlan] = (),
    ) -> tuple[Right, ...]:
        """The rights needed to translate, enrich and recommend these."""
        return needed_rights(
            scopes,
            self.project.settings.config,
            translates=self.project.translates,
            declarations=declarations,
            recommendations=recommendations,
            directus=self.project.directus.version,
            takes_chunked_uploads=self.project.directus.takes_chunked_uploads(),
        )


Check: TypeAlias = Callable[[Checkup], Iterable[Finding]]
