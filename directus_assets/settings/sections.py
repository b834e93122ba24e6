"""The sections of the YAML file."""

import logging
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, SecretStr, model_validator

from directus_assets.settings.enrichments import EnrichmentOptions
from directus_assets.settings.section import Cron, Filter, Section, Texts

logger = logging.getLogger(__name__)

DeliveryName = Literal["warm", "storage", "export"]


class PresetOptions(Section):
    """The settings of one preset."""

    delivery: DeliveryName | None = None
    """The delivery of this preset, if it differs from `images.delivery`."""
    enabled: bool = True
    """Off: this preset has no asset."""


class ExportOptions(Section):
    """The target of delivery `export`."""

    location: str | None = None
    """The name of one of `STORAGE_LOCATIONS`; without it, `folder` is a folder on this machine."""
    folder: str = "exports"
    """A folder: relative to the YAML file, or inside the location."""
    alt: str = "description"
    """The file's field with its alternative text."""


class ImageOptions(Section):
    """The section `images`."""

    delivery: Literal["auto", "warm", "storage", "export"] = "auto"
    """`auto`: `storage` if Directus' STORAGE_* variables are set, else `warm`."""
    accept_similar: bool = False
    """With delivery `storage`: whether to render derivatives that an older Directus would encode to different bytes."""
    presets: dict[str, PresetOptions] = Field(default_factory=dict)
    export: ExportOptions = ExportOptions()
    filter: Filter = Field(default_factory=dict)
    """Only files that match this Directus filter, such as `{folder: {_eq: 3f0c…}}`; the token must be able to read its
    fields.
    """
    backfill_on_start: bool = False
    """Whether pictures that exist when the pipeline first starts are rendered at once, or wait for a backfill."""
    batch_size: int = Field(default=50, ge=1, le=1000)
    """Files per run."""
    max_megapixels: int = Field(default=268, ge=1, le=2000)
    """Pictures with more pixels are refused before decoding."""
    max_megabytes: int = Field(default=1000, ge=1, le=100_000)
    """Larger files are refused before reading."""
    workers: int | None = Field(default=None, ge=1, le=64)
    """Pictures rendered in parallel by one run; unset: one more than there are processors."""
    warm_concurrency: int = Field(default=4, ge=1, le=25)
    """The maximum number of concurrent requests that make Directus render."""

    @property
    def exports(self) -> bool:
        """Whether any preset is exported, provided that Directus has it."""
        return self.delivery == "export" or any(own.delivery == "export" for own in self.presets.values())

    def is_enabled(self, preset_key: str) -> bool:
        """Whether a preset has an asset."""
        return preset_key not in self.presets or self.presets[preset_key].enabled

    def delivery_of(self, preset_key: str, *, has_storage: bool) -> DeliveryName:
        """The delivery of a preset.

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
    """The settings of one translated collection; everything else is discovered."""

    enabled: bool = True
    source_language: str | None = None
    """The language of items that name none."""
    source_language_field: str | Literal[False] | None = None
    """The field of an item that names its language; unset: the only field that references a language.

    `false`: none, all items are in the same language.
    """
    languages: Texts | None = None
    """Target languages; unset: `translations.languages`."""
    fields: Texts | None = None
    """Only these fields; unset: all text fields."""
    exclude: Texts = ()
    """Fields to leave alone."""
    kinds: dict[
        str, Literal["plain", "html", "markdown", "blocks", "slug", "tags", "repeater", "auto", "copy", "translate"]
    ] = Field(default_factory=dict)
    """How a field's text is parsed, if its interface does not tell; `copy`: it is the same in every language,
    `translate`: each part of an address is translated as a slug.

    Also for members of a repeater: `links.note`.
    """
    filter: Filter = Field(default_factory=dict)
    """Only items that match this Directus filter."""
    status: str | None = None
    """Unset: `translations.status`."""
    memory: bool = True
    """Whether it shares the project's translation memory."""


class PriceOptions(Section):
    """Money per million tokens, or per million characters of source text."""

    input: Decimal = Field(Decimal(0), ge=0)
    cached_input: Decimal | None = Field(None, ge=0)
    output: Decimal = Field(Decimal(0), ge=0)
    characters: Decimal = Field(Decimal(0), ge=0)


class FolderOptions(Section):
    """A folder: relative to `DAGSTER_HOME`, or inside one of `STORAGE_LOCATIONS`."""

    location: str | None = None
    folder: str = "translations"


class StyleOptions(Section):
    """The style of texts in one language, in addition to the style guide in Directus' settings."""

    register_: Literal["formal", "informal"] | None = Field(default=None, alias="register")
    """The form of address: Sie or du, vous or tu."""
    tone: str | None = None
    """A few words: `warm, plain`."""
    instructions: str | None = None
    """Further instructions for this language."""


Concurrency: TypeAlias = Annotated[int, Field(ge=1, le=128)]
Seconds: TypeAlias = Annotated[int, Field(ge=1)]
OutputTokens: TypeAlias = Annotated[int, Field(ge=16)]
SpareTokens: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]
Temperature: TypeAlias = Annotated[float, Field(ge=0, le=2)]
Money: TypeAlias = Annotated[Decimal, Field(ge=0)]


class EngineOptions(Section):
    """The section `engine`: settings of the engines for translations and enrichments, and their spending."""

    concurrency: Concurrency = 8
    """The maximum number of concurrent requests to the engine in one run."""
    timeout_seconds: Seconds = 120
    """The time limit for one request to the engine, from the first byte to the last."""
    max_output_tokens: OutputTokens | None = None
    """The maximum number of output tokens of a model; unset: as many as the longest correct answer needs."""
    spare_tokens: SpareTokens = 2048
    """Additional output tokens for a model that thinks first. If they are not enough, it gets more."""
    reasoning_effort: str | None = None
    """How long such a model thinks: `minimal`, `low`, `medium`, `high`, or other values that it knows.

    Unset: its default.
    """
    temperature: Temperature | None = 0.2
    """The randomness of a model: low is steady. `null`, or a model that does not support it: its own default."""
    spending_limit_per_day: Money | None = None
    """Money, in the currency of `prices`; work stops cleanly and resumes the next day (UTC)."""
    prices: dict[str, PriceOptions] = Field(default_factory=dict)
    """By model; `deepl` for DeepL."""
    records: FolderOptions = FolderOptions()
    """The location of translation records."""


class MemoryOptions(Section):
    """What items share; `true` and `false` stand for all or nothing."""

    enabled: bool = True
    """Whether a translation made for one item is reused for others at no cost, and human corrections are kept."""
    propagate: bool = False
    """Whether the reconcile applies human corrections wherever we wrote the same segment."""

    @model_validator(mode="before")
    @classmethod
    def _switched(cls, value: Any) -> Any:
        return {"enabled": value} if isinstance(value, bool) else value


class TranslationOptions(Section):
    """The section `translations`."""

    enabled: bool = True
    source_language: str | None = None
    """Unset: the first language of the collection's interface in Directus, else the project's default language."""
    languages: Texts | None = None
    """Target languages; unset: all languages in Directus."""
    collections: dict[str, CollectionOptions] = Field(default_factory=dict)
    status: str | None = None
    """The `status` of new rows, if the translations have such a field: a value, or `source` for that of the source.

    Unset: the field's default, so that nothing is published by accident.
    """
    backfill_on_start: bool = False
    """Whether items that exist when the pipeline first starts, or when a language is added, are translated at once, or
    wait for a backfill."""
    batch_size: int = Field(default=20, ge=1, le=1000)
    """Items per run."""
    review: Literal["metadata", "version"] = "metadata"
    """Where to save a proposal that would overwrite a human text: on the partition's page only, or also in a content
    version.
    """
    memory: MemoryOptions = MemoryOptions()
    """The translation memory, including human corrections."""
    styles: dict[str, StyleOptions] = Field(default_factory=dict)
    """By language code. A change applies to translations from then on."""
    deepl_formality: Literal["default", "more", "less", "prefer_more", "prefer_less"] = "default"
    # Settings that are now in the section `engine`, for files of earlier versions; `Config` moves them there.
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
    """The section `reconcile`: the full comparison of Directus with everything made so far."""

    cron: Cron = "0 * * * *"
    """When it runs, in UTC."""
    minutes: int = Field(default=10, ge=1, le=240)
    """The time limit of one run; the next one resumes where it stopped."""
    look_again_after_minutes: float = Field(default=10, ge=0)
    """When the reconcile first retries a failure that someone may have fixed (an expired key, a missing right, a
    useless answer).

    The wait doubles with each failure: up to an hour, or six if each attempt costs money.
    """


class NotifyOptions(Section):
    """The section `notify`: who is notified of waiting reviews and of permanent failures."""

    comments: bool = True
    """A comment on each item with a translation or an enrichment that waits for a person, and a notification for
    whoever changed the item last.
    """
    editors: bool = False
    """The user who changed the item last, by a notification in Directus."""
    webhook: SecretStr | None = None
    """A URL that gets a POST with the failures."""


class PurgeOptions(Section):
    """The section `purge`: a cache in front of Directus is purged of addresses whose picture has changed or is gone.

    The addresses, at `DIRECTUS_PUBLIC_URL`, are those of derivatives, `/assets/<id>?key=<preset>` and
    `/assets/<id>/<filename>?key=<preset>`; and those of a file itself, `/assets/<id>` and `/assets/<id>/<filename>`,
    when it was replaced or deleted. If a preset was removed, its addresses with filenames are not purged. With delivery
    `warm`, derivatives are downloaded, so that only different bytes count as a change. Files without derivatives, such
    as documents, are not downloaded: their addresses are purged whenever they are replaced.
    """

    form: Literal["generic", "cloudflare", "fastly", "bunny"] | None = None
    """The protocol of the cache; unset: no cache."""
    url: SecretStr | None = None
    """The purge address.

    `generic`: your own, which gets `{"urls": […]}`; `cloudflare`: the `purge_cache` address of the zone. `fastly` is
    purged at the addresses of the pictures themselves, `bunny` at its own.
    """
    token: SecretStr | None = None

    @model_validator(mode="after")
    def _has_what_its_form_needs(self) -> Self:
        if self.form in ("generic", "cloudflare") and self.url is None:
            raise ValueError(f"`form: {self.form}` needs `url`")
        if self.form in ("cloudflare", "bunny") and self.token is None:
            raise ValueError(f"`form: {self.form}` needs `token`")
        return self


class Config(Section):
    """The YAML settings of a project."""

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
        """Take over engine settings that files of earlier versions have in the section `translations`."""
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
        # Frozen for all other code.
        object.__setattr__(self, "engine", EngineOptions.model_validate({**earlier, **own}))
        object.__setattr__(self, "translations", translations)
        self.__pydantic_fields_set__.add("engine")
        return self
