"""What the YAML file may say, section by section."""

import logging
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, SecretStr, model_validator

from directus_assets.settings.enrichments import EnrichmentOptions
from directus_assets.settings.section import Cron, Filter, Section, Texts

logger = logging.getLogger(__name__)

DeliveryName = Literal["warm", "storage", "export"]


class PresetOptions(Section):
    """What the YAML file says about one preset."""

    delivery: DeliveryName | None = None
    """How this preset is delivered, where it differs from `images.delivery`."""
    enabled: bool = True
    """Off: this preset becomes no asset."""


class ExportOptions(Section):
    """Where delivery `export` writes."""

    location: str | None = None
    """The name of one of `STORAGE_LOCATIONS`; without it, `folder` is a folder on this machine."""
    folder: str = "exports"
    """A folder: relative to the YAML file, or inside the location."""
    alt: str = "description"
    """The field of a file that says what the picture shows, for those who do not see it."""


class ImageOptions(Section):
    """The section `images`."""

    delivery: Literal["auto", "warm", "storage", "export"] = "auto"
    """`auto`: `storage` where Directus' STORAGE_* variables are set, else `warm`."""
    accept_similar: bool = False
    """With delivery `storage`: whether to render what an older Directus would encode to other bytes."""
    presets: dict[str, PresetOptions] = Field(default_factory=dict)
    export: ExportOptions = ExportOptions()
    filter: Filter = Field(default_factory=dict)
    """Only files that match this Directus filter, such as `{folder: {_eq: 3f0c…}}`; its fields have to be readable."""
    backfill_on_start: bool = False
    """Whether pictures that exist when the pipeline first starts are rendered at once, or wait for a backfill."""
    batch_size: int = Field(default=50, ge=1, le=1000)
    """Files per run."""
    max_megapixels: int = Field(default=268, ge=1, le=2000)
    """Pictures with more pixels are refused before they are decoded."""
    max_megabytes: int = Field(default=1000, ge=1, le=100_000)
    """Larger files are refused before they are read."""
    workers: int | None = Field(default=None, ge=1, le=64)
    """Pictures rendered side by side in one run; unset: one more than there are processors."""
    warm_concurrency: int = Field(default=4, ge=1, le=25)
    """The most requests that ask Directus to render at the same time."""

    @property
    def exports(self) -> bool:
        """Whether some preset is exported, if Directus has it."""
        return self.delivery == "export" or any(own.delivery == "export" for own in self.presets.values())

    def is_enabled(self, preset_key: str) -> bool:
        """Whether a preset becomes an asset."""
        return preset_key not in self.presets or self.presets[preset_key].enabled

    def delivery_of(self, preset_key: str, *, has_storage: bool) -> DeliveryName:
        """How a preset is delivered.

        Args:
            preset_key: the preset.
            has_storage: whether Directus' STORAGE_* variables are set here.
        """
        own = self.presets[preset_key].delivery if preset_key in self.presets else None
        if own:
            return own
        if self.delivery == "auto":
            return "storage" if has_storage else "warm"
        return self.delivery


class CollectionOptions(Section):
    """What the YAML file says about one translated collection; everything else is discovered."""

    enabled: bool = True
    source_language: str | None = None
    """The language of items that name none."""
    source_language_field: str | Literal[False] | None = None
    """The field of an item that names the language it is written in; unset: the only one that points to a language.
    `false`: none, all items are in the same language."""
    languages: Texts | None = None
    """Target languages; unset: `translations.languages`."""
    fields: Texts | None = None
    """Only these fields; unset: all that hold text."""
    exclude: Texts = ()
    """Fields to leave alone."""
    kinds: dict[
        str, Literal["plain", "html", "markdown", "blocks", "slug", "tags", "repeater", "auto", "copy", "translate"]
    ] = Field(default_factory=dict)
    """How a field's text is read, where its interface does not tell; `copy`: it is the same in every language,
    `translate`: each part of an address is translated as a slug. Also of members of a repeater: `links.note`."""
    filter: Filter = Field(default_factory=dict)
    """Only items that match this Directus filter."""
    status: str | None = None
    """Unset: `translations.status`."""
    memory: bool = True
    """Whether it shares in the project's memory."""


class PriceOptions(Section):
    """Money per million tokens, or per million characters of source text."""

    input: Decimal = Decimal(0)
    cached_input: Decimal | None = None
    output: Decimal = Decimal(0)
    characters: Decimal = Decimal(0)


class FolderOptions(Section):
    """A folder: relative to `DAGSTER_HOME`, or inside one of `STORAGE_LOCATIONS`."""

    location: str | None = None
    folder: str = "translations"


class StyleOptions(Section):
    """How texts are worded in one language, beside the style guide of Directus' settings."""

    register_: Literal["formal", "informal"] | None = Field(default=None, alias="register")
    """How readers are addressed: Sie or du, vous or tu."""
    tone: str | None = None
    """A few words: `warm, plain`."""
    instructions: str | None = None
    """Whatever else holds for this language."""


Concurrency: TypeAlias = Annotated[int, Field(ge=1, le=128)]
Seconds: TypeAlias = Annotated[int, Field(ge=1)]
OutputTokens: TypeAlias = Annotated[int, Field(ge=16)]
SpareTokens: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]
Temperature: TypeAlias = Annotated[float, Field(ge=0, le=2)]
Money: TypeAlias = Annotated[Decimal, Field(ge=0)]


class EngineOptions(Section):
    """The section `engine`: what translations and enrichments alike ask of their engines, and what they spend."""

    concurrency: Concurrency = 8
    """The most requests to the engine at the same time, in one run."""
    timeout_seconds: Seconds = 120
    """How long the engine may take to answer one request, from its first byte to its last."""
    max_output_tokens: OutputTokens | None = None
    """The most tokens that a model is allowed for one answer; unset: what the longest right answer needs."""
    spare_tokens: SpareTokens = 2048
    """Tokens beyond those of the answer, for a model that thinks first. Where that is not enough, it gets more."""
    reasoning_effort: str | None = None
    """How long such a model thinks: `minimal`, `low`, `medium`, `high`, or what else it knows. Unset: its default."""
    temperature: Temperature | None = 0.2
    """How freely a model words: low is steady. `null`, or a model that takes none: its own default."""
    spending_limit_per_day: Money | None = None
    """Money, in the currency of `prices`; work stops cleanly and goes on the next day (UTC)."""
    prices: dict[str, PriceOptions] = Field(default_factory=dict)
    """By model; `deepl` for DeepL."""
    records: FolderOptions = FolderOptions()
    """Where translation records are kept."""


class MemoryOptions(Section):
    """What is shared between items; `true` and `false` stand for all of it, or nothing."""

    enabled: bool = True
    """Whether what was translated in one item need not be paid for in another, and what people correct is kept."""
    propagate: bool = False
    """Whether the reconcile brings what people correct to all other places where we wrote the same segment."""

    @model_validator(mode="before")
    @classmethod
    def _switched(cls, value: Any) -> Any:
        return {"enabled": value} if isinstance(value, bool) else value


class TranslationOptions(Section):
    """The section `translations`."""

    enabled: bool = True
    source_language: str | None = None
    """Unset: what the collection's interface in Directus shows first, else the project's default language."""
    languages: Texts | None = None
    """Target languages; unset: all that Directus has."""
    collections: dict[str, CollectionOptions] = Field(default_factory=dict)
    status: str | None = None
    """The `status` of rows that are made, where the translations have such a field: a value, or `source` for that of
    the source. Unset: the field's default, so that nobody publishes anything by accident."""
    backfill_on_start: bool = False
    """Whether items that exist when the pipeline first starts, or when a language is added, are translated at once, or
    wait for a backfill."""
    batch_size: int = Field(default=20, ge=1, le=1000)
    """Items per run."""
    review: Literal["metadata", "version"] = "metadata"
    """Where a proposal goes that would overwrite a human's text: the partition's page, or a content version too."""
    memory: MemoryOptions = MemoryOptions()
    """What was translated once, and what people have corrected."""
    styles: dict[str, StyleOptions] = Field(default_factory=dict)
    """By language code. A change holds for what is translated from then on."""
    deepl_formality: Literal["default", "more", "less", "prefer_more", "prefer_less"] = "default"
    # What stands in the section `engine` now, as files of earlier versions have it; `Config` moves it there.
    concurrency: Concurrency | None = None
    timeout_seconds: Seconds | None = None
    max_output_tokens: OutputTokens | None = None
    spare_tokens: SpareTokens | None = None
    reasoning_effort: str | None = None
    temperature: Temperature | None = None
    spending_limit_per_day: Money | None = None
    prices: dict[str, PriceOptions] | None = None
    records: FolderOptions | None = None


class ReconcileOptions(Section):
    """The section `reconcile`: the full comparison of Directus with what has been made."""

    cron: Cron = "0 * * * *"
    """When it runs, in UTC."""
    minutes: int = Field(default=10, ge=1, le=240)
    """How long one run may take; the next one goes on from where it stopped."""
    look_again_after_minutes: float = Field(default=10, ge=0)
    """When the reconcile first tries again what somebody may have put right (an expired key, a missing right, an answer
    that was no good). The wait doubles with each failure: up to an hour, or six where each try costs money."""


class NotifyOptions(Section):
    """The section `notify`: who is told what waits for them, and that something failed for good."""

    comments: bool = True
    """A comment on each item where a translation or an enrichment waits for a person, and a notification for whoever
    changed the item last."""
    editors: bool = False
    """The user who changed the item last, by a notification in Directus."""
    webhook: SecretStr | None = None
    """An address that gets a POST with what failed."""


class PurgeOptions(Section):
    """The section `purge`: a cache in front of Directus is told which addresses have another picture, or none any more.

    Addresses are those of derivatives, `/assets/<id>?key=<preset>`, at `DIRECTUS_PUBLIC_URL`. With delivery `warm`,
    what Directus makes is read, so that only other bytes count as another picture."""

    form: Literal["generic", "cloudflare", "fastly", "bunny"] | None = None
    """How it is told; unset: it is not."""
    url: SecretStr | None = None
    """Who is told. `generic`: your own address, which gets `{"urls": […]}`; `cloudflare`: the `purge_cache` address of
    the zone. `fastly` is told at the addresses of the pictures themselves, `bunny` at its own."""
    token: SecretStr | None = None

    @model_validator(mode="after")
    def _has_what_its_form_needs(self) -> Self:
        if self.form in ("generic", "cloudflare") and self.url is None:
            raise ValueError(f"`form: {self.form}` needs `url`")
        if self.form in ("cloudflare", "bunny") and self.token is None:
            raise ValueError(f"`form: {self.form}` needs `token`")
        return self


class Config(Section):
    """What the YAML file says about a project."""

    images: ImageOptions = ImageOptions()
    translations: TranslationOptions = TranslationOptions()
    engine: EngineOptions = EngineOptions()
    enrichments: dict[str, dict[str, EnrichmentOptions]] = Field(default_factory=dict)
    """By collection, then by name."""
    reconcile: ReconcileOptions = ReconcileOptions()
    notify: NotifyOptions = NotifyOptions()
    purge: PurgeOptions = PurgeOptions()

    @model_validator(mode="after")
    def _takes_over(self) -> Self:
        """Takes what files of earlier versions say of the engine in the section `translations`."""
        moved = self.translations.model_fields_set & set(EngineOptions.model_fields)
        if not moved:
            return self
        logger.warning(
            "In the YAML file, move %s from `translations` to `engine`: these settings apply to enrichments, too.",
            ", ".join(f"`{name}`" for name in sorted(moved)),
        )
        earlier = {name: getattr(self.translations, name) for name in moved}
        own = {name: getattr(self.engine, name) for name in self.engine.model_fields_set}
        translations = self.translations.model_copy(update=dict.fromkeys(moved))
        translations.__pydantic_fields_set__.difference_update(moved)
        # Frozen for everybody else.
        object.__setattr__(self, "engine", EngineOptions.model_validate({**earlier, **own}))
        object.__setattr__(self, "translations", translations)
        self.__pydantic_fields_set__.add("engine")
        return self
