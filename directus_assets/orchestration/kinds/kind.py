"""The common interface of all kinds of derived content: pictures, translations and enrichments."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import dagster as dg

from directus_assets.directus.schema import LanguageRow
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.kinds.survey import Surveyor


class Kind(Subject, Protocol):
    """One kind of content derived from one collection, as seen by the definitions, the reconcile and the buttons."""

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
        """The button with which an editor remakes it."""
        ...

    @property
    def task(self) -> str:
        """A sentence that describes its job."""
        ...

    @property
    def languages(self) -> Mapping[str, LanguageRow]:
        """The target language of each output that is one."""
        return {}

    @property
    def text_fields(self) -> Sequence[str]:
        """The fields that are translated."""
        return ()

    def build(self) -> dg.AssetsDefinition:
        """Build its assets; requires that it has outputs."""
        ...

    def survey(self) -> Surveyor:
        """A surveyor of its outputs, good for one reconcile."""
        ...
