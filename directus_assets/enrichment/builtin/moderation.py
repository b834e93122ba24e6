"""`text_moderation` and `image_moderation`: flag content for human review before others see it.

A flag, a status and the scores are written, and people with a role are notified. Nothing is ever deleted, and nothing
is unpublished unless `options.also` says so. A human who clears the flag has decided about that content: the flag
returns only if the content changes. ::

    options:
      threshold: 0.5              # the score from which on a category counts
      thresholds: {hate: 0.3}     # other ones for single categories
      role: Editors               # whom to tell; a name or an id
      also: draft                 # written to the target of `also`, such as `targets: {also: status}`
"""

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import CollectionSchema
from directus_assets.enrichment.builtin.model import Builtin, Material, ModerationNotice, Values
from directus_assets.enrichment.picture_statistics import measure
from directus_assets.enrichment.text_statistics import share_of
from directus_assets.settings import EnrichmentOptions, ResultOptions
from directus_assets.settings.section import Section

_TEXT_CATEGORIES: Final = {
    "harassment": "insults or threatens somebody",
    "hate": "attacks people for what they are",
    "sexual": "is sexually explicit",
    "violence": "shows or glorifies violence",
    "self_harm": "encourages to hurt oneself",
    "illicit": "helps to break the law",
    "spam": "advertises what has nothing to do with the place",
}
_IMAGE_CATEGORIES: Final = {name: _TEXT_CATEGORIES[name] for name in ("hate", "sexual", "violence", "self_harm")}
_WORDS: Final = {
    "harassment": ("idiot", "moron", "stupid"),
    "violence": ("kill", "murder", "blood", "shoot"),
    "sexual": ("porn", "nude", "xxx"),
    "spam": ("casino", "viagra", "jackpot"),
}
"""Word beginnings that the engine `local` counts."""


class _Options(Section):
    threshold: float = Field(default=0.5, ge=0, le=1)
    thresholds: dict[str, float] = Field(default_factory=dict)
    status: str = "needs_review"
    """Written to the target of `status` if something is found."""
    also: str | None = None
    role: str | None = None


def _scores(values: Values) -> Mapping[str, float]:
    found = values["scores"]
    return (
        {name: float(score) for name, score in found.items() if isinstance(score, int | float)}
        if isinstance(found, dict)
        else {}
    )


def _found(values: Values, own: _Options) -> list[str]:
    """The categories that need human review, worst first."""
    scores = _scores(values)
    over = [name for name, score in scores.items() if score >= own.thresholds.get(name, own.threshold)]
    return sorted(over, key=lambda name: (-scores[name], name))


def _derive(values: Values, _inputs: Values, options: EnrichmentOptions) -> Values:
    own = _Options.model_validate(options.options)
    is_flagged = bool(_found(values, own))
    status: JsonValue = own.status if is_flagged else None
    return {**values, "flagged": is_flagged, "status": status, "also": own.also if is_flagged else None}


def _notice(values: Values, options: EnrichmentOptions) -> ModerationNotice | None:
    own = _Options.model_validate(options.options)
    found, scores = _found(values, own), _scores(values)
    if not found or own.role is None:
        return None
    categories = ", ".join(f"{name} ({scores[name]:.2f})" for name in found)
    return ModerationNotice(
        role=own.role,
        subject="Something needs a human's decision",
        message=f"Found: {categories}. Nothing was deleted. Clear the flag if the content is fine.",
    )


def _builtin(categories: Mapping[str, str], prompt: str, *, picture: str | None) -> Builtin:
    def expand(options: EnrichmentOptions, _collection: CollectionSchema) -> EnrichmentOptions:
        own = _Options.model_validate(options.options)
        known = options.result["scores"].fields
        if unknown := next((name for name in own.thresholds if name not in known), None):
            raise ValueError(f"`thresholds` names '{unknown}'; there are: {', '.join(known)}")
        if (own.also is None) != ("also" not in options.targets):
            raise ValueError("`options.also` is what is written, and `targets.also` is where: give both or none")
        return options

    def local(material: Material) -> Values:
        wanted = material.result["scores"].fields
        if material.picture is not None:
            skin = measure(material.picture).skin
            scores = {name: skin if name == "sexual" else 0.0 for name in wanted}
        else:
            scores = {name: share_of(material.text, _WORDS.get(name, ("\0",))) for name in wanted}
        return {"scores": dict(scores)}

    score = {
        name: ResultOptions(type="number", min=0, max=1, description=f"How surely it {what}.")
        for name, what in categories.items()
    }
    return Builtin(
        defaults=EnrichmentOptions(
            prompt=(
                f"{prompt} Give each category a score from 0 (certainly not) to 1 (certainly). News, art, medicine "
                "and education are judged by what they do, and not by the words or things that they have to show."
            ),
            picture=picture,
            result={"scores": ResultOptions(type="object", fields=score)},
            targets={"scores": "moderation", "flagged": "flagged", "status": "moderation_status"},
        ),
        expects=() if picture else ("title", "body"),
        expand=expand,
        derive=_derive,
        derives={"flagged": "boolean", "status": "text", "also": "text"},
        neutral={"flagged": (False,)},
        follows_content=True,
        overrules=frozenset({"also"}),
        notice=_notice,
        local=local,
    )


TEXT: Final = _builtin(_TEXT_CATEGORIES, "Judge the text for a moderator.", picture=None)
IMAGE: Final = _builtin(_IMAGE_CATEGORIES, "Judge the picture for a moderator.", picture="id")
