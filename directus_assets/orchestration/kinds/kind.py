"""The one interface of all kinds of derived content: pictures, translations and enrichments."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import dagster as dg

from directus_assets.directus.schema import LanguageRow
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.kinds.survey import Surveyor


class Kind(Subject, Protocol):
    """What is derived from one collection in one way, as definitions, the reconcile and the buttons take it."""

    @property
    def group(self) -> str:
        """The group of its assets."""
        ...

    @property
    def source(self) -> dg.AssetKey:
        """The asset that it is derived from."""
        ...

    @property
    def button(self) -> Button:
        """What an editor has made again of it."""
        ...

    @property
    def task(self) -> str:
        """What its job does, in a sentence."""
        ...

    @property
    def languages(self) -> Mapping[str, LanguageRow]:
        """The target language of each output that is one."""
        ...

    @property
    def text_fields(self) -> Sequence[str]:
        """The fields that are translated."""
        ...

    def build(self) -> dg.AssetsDefinition:
        """Its assets; it has outputs."""
        ...

    def survey(self) -> Surveyor:
        """Looks at what there is of it; good for one reconcile."""
        ...
