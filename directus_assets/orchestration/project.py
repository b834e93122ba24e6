"""The project object from which assets and sensors get plain domain objects."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import SecretStr

from directus_assets.desk import Desk
from directus_assets.directus.client import DirectusClient, all_of
from directus_assets.directus.models import TRANSFORMED_TYPES, File
from directus_assets.directus.storage import LocalStorage, Storage, open_storages
from directus_assets.enrichment.embeddings import Embedder
from directus_assets.enrichment.engines.protocol import EnrichmentEngine
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.errors import ConfigurationError, Forbidden
from directus_assets.images.handed_out import HandedOut
from directus_assets.images.make import Maker, default_workers
from directus_assets.images.manifest import Texts
from directus_assets.images.originals import Originals
from directus_assets.images.purge import Purger
from directus_assets.json_text import well_formed
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.specs import SpecOf, default_spec
from directus_assets.ownership.record_store import RecordStore
from directus_assets.settings import DeliveryName, EngineOptions, EnrichmentOptions, Settings
from directus_assets.snapshot import Wanted
from directus_assets.spending.budget import Purse
from directus_assets.spending.chat_dialect import ChatOptions
from directus_assets.spending.engine_settings import EngineSettings
from directus_assets.spending.prices import parse_prices
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.engines import choose
from directus_assets.translation.engines.protocol import Engine
from directus_assets.translation.engines.pseudo import NAME as PSEUDO
from directus_assets.translation.memory import Memory
from directus_assets.translation.records import TranslationRecord


@dataclass
class Project:
    """One Directus project and how its content is derived. Connections are opened on first use."""

    settings: Settings = field(repr=False)
    spec_of: SpecOf = default_spec
    """The hook that customizes how Dagster shows the assets."""

    @cached_property
    def names(self) -> Names:
        """The Dagster names of this project's outputs."""
        return Names(self.settings.project, self.spec_of)

    @cached_property
    def directus(self) -> DirectusClient:
        """The client, shared by all threads of this process."""
        return DirectusClient.from_environment(self.settings.environment)

    @property
    def public_url(self) -> str:
        """The address of Directus for browsers: for links, never for requests."""
        return self.settings.environment.public_url or self.directus.url

    @cached_property
    def storages(self) -> dict[str, Storage]:
        """Directus' storage locations that this process can reach; empty if STORAGE_LOCATIONS is not set."""
        return open_storages(self.settings.environment.storage, folder=self.settings.config_folder)

    @property
    def directus_pool(self) -> str:
        """The concurrency pool for work that puts load on Directus: one per Directus server."""
        prefix = self.settings.environment.prefix.lower()
        return f"{prefix}_directus" if prefix else "directus"

    def files_by_id(self, ids: Iterable[str]) -> dict[str, File]:
        """The rows of the files that exist and match `images.filter`, by id."""
        rows = self.directus.files_by_id(ids, matching=self.settings.config.images.filter)
        return {file.id: file for file in rows}

    def delivery_of(self, preset_key: str) -> DeliveryName:
        """The delivery of a preset."""
        return self.settings.config.images.delivery_of(preset_key, has_storage=bool(self.storages))

    @cached_property
    def export(self) -> Storage:
        """The storage for delivery `export`.

        Raises:
            ConfigurationError: the YAML file names a location that is not among STORAGE_LOCATIONS.
        """
        options = self.settings.config.images.export
        if options.location is None:
            folder = self.settings.config_folder / self._own(options.folder)
            folder.mkdir(parents=True, exist_ok=True)
            return LocalStorage(folder)
        return self._location("images.export.location", options.location).inside(self._own(options.folder))

    @cached_property
    def maker(self) -> Maker:
        """Makes and delivers derivatives."""
        images = self.settings.config.images
        return Maker(
            client=self.directus,
            storages=self.storages,
            export=lambda: self.export,
            delivery_of=self.delivery_of,
            workers=images.workers or default_workers(),
            warm_concurrency=images.warm_concurrency,
            max_pixels=images.max_megapixels * 1_000_000,
            max_bytes=images.max_megabytes * 1_000_000,
            accept_similar=images.accept_similar,
            texts=self.texts,
            warm_is_read=self.purger is not None,
        )

    def texts(self, ids: Iterable[str] | None = None) -> dict[str, Texts]:
        """Titles and descriptions of the pictures that match `images.filter`, by id; of all pictures if `ids` is
        None.
        """
        images = self.settings.config.images
        fields = tuple(dict.fromkeys(("id", "title", "description", images.export.alt)))
        try:
            rows = list(self._picture_rows(ids, fields))
        except Forbidden:
            # `setup` grants the right to read more than the title; without it, pictures are exported as before.
            rows = list(self._picture_rows(ids, ("id", "title")))
        places = {"title": "title", "description": "description", "alt": images.export.alt}
        return {row["id"]: {name: _text(row[field]) for name, field in places.items() if field in row} for row in rows}

    def _picture_rows(self, ids: Iterable[str] | None, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        matching = all_of({"type": {"_in": sorted(TRANSFORMED_TYPES)}}, self.settings.config.images.filter)
        if ids is None:
            return self.directus.rows("/files", fields=fields, filter=matching, sort="id")
        return self.directus.rows_with("/files", "id", ids, matching=matching, fields=fields, sort="id")

    @cached_property
    def downloads(self) -> Originals:
        """Reads pictures that the token can read in Directus, whichever storages are accessible."""
        images = self.settings.config.images
        return Originals(
            client=self.directus,
            max_pixels=images.max_megapixels * 1_000_000,
            max_bytes=images.max_megabytes * 1_000_000,
        )

    @cached_property
    def engine(self) -> Engine | None:
        """The translation engine; None if no key is set and none is chosen by name.

        Raises:
            ConfigurationError: an unknown engine, or one without its key.
        """
        return choose(self.engine_settings)

    @property
    def engine_settings(self) -> EngineSettings:
        """The settings that determine which engines are available."""
        environment = self.settings.environment
        return EngineSettings(
            engine=environment.translation_engine,
            openai_api_key=_revealed(environment.openai_api_key),
            openai_base_url=environment.openai_base_url,
            openai_model=environment.openai_model,
            deepl_api_key=_revealed(environment.deepl_api_key),
            deepl_formality=self.settings.config.translations.deepl_formality,
            timeout_seconds=self.settings.config.engine.timeout_seconds,
            chat=_chat_options(self.settings.config.engine),
        )

    @property
    def translates(self) -> bool:
        """Whether anything is translated: there is an engine, and the YAML file does not disable translation."""
        return self.settings.config.translations.enabled and self.engine is not None

    @cached_property
    def declared(self) -> dict[str, dict[str, EnrichmentOptions]]:
        """The enabled enrichments, by collection and name."""
        by_collection = self.settings.config.enrichments
        found = {
            collection: {name: own for name, own in by_name.items() if own.enabled}
            for collection, by_name in by_collection.items()
        }
        return {collection: by_name for collection, by_name in found.items() if by_name}

    @property
    def wanted(self) -> Wanted:
        """What a snapshot has to contain."""
        into = {own.rows.collection for by_name in self.declared.values() for own in by_name.values() if own.rows}
        enriched = frozenset({*self.declared, *into})
        return Wanted(translations=self.translates, schema=bool(self.declared), enriched=enriched)

    @cached_property
    def enrichment_engines(self) -> dict[tuple[str, ...], EnrichmentEngine | None]:
        """The engines created so far; shared, so that what one learns about its endpoint benefits all."""
        return {}

    @cached_property
    def embedders(self) -> dict[tuple[str, str | None], Embedder | None]:
        """The embedders created so far."""
        return {}

    @cached_property
    def enrichment_records(self) -> RecordStore[EnrichmentRecord]:
        """The store of enrichment records."""
        return RecordStore(self.memory, EnrichmentRecord)

    @cached_property
    def gate(self) -> RateGate:
        """The process-wide rate limiter for the engine."""
        return RateGate(limit=self.settings.config.engine.concurrency)

    @property
    def threads(self) -> int:
        """How many items a run processes concurrently: while some are being written, others wait for the engine's next
        free slot. With two per slot, slots stay empty whenever preparing and writing take longer than an answer.
        """
        return 3 * self.gate.limit

    @cached_property
    def records(self) -> RecordStore[TranslationRecord]:
        """The store of translation records."""
        return RecordStore(self.memory, TranslationRecord)

    @cached_property
    def purse(self) -> Purse:
        """The budget for translations: counts their cost and enforces the daily limit.

        Raises:
            ConfigurationError: a spending limit without a price, or an unknown storage location.
        """
        return self.purse_of(self.engine.model if self.engine else "")

    def purse_of(self, model: str) -> Purse:
        """This project's budget, with the price of a model.

        Raises:
            ConfigurationError: a spending limit without a price for the model, or an unknown storage location.
        """
        options = self.settings.config.engine
        # The engines `local` and `pseudo` cost nothing, whatever the limit.
        prices = {"local": {}, PSEUDO: {}, **{name: price.model_dump() for name, price in options.prices.items()}}
        return Purse(
            storage=self.memory, model=model, prices=parse_prices(prices), limit=options.spending_limit_per_day
        )

    def desk(
        self, collection: str, items: Sequence[str], *, warn: Callable[[str], None], notifies: bool
    ) -> Desk | None:
        """Adds Studio comments on items that wait for people, for one run; None if disabled in the YAML file."""
        if not self.settings.config.notify.comments:
            return None
        return Desk(self.directus, self.memory, collection, items, warn, notifies)

    @cached_property
    def purger(self) -> Purger | None:
        """Purges changed pictures from a cache; None if no cache is configured."""
        options = self.settings.config.purge
        return Purger(options, self.memory) if options.form else None

    @property
    def handed_out(self) -> HandedOut | None:
        """The records of files that a cache may hold; None if no cache is configured."""
        purger = self.purger
        if purger is None:
            return None
        return HandedOut(self.memory, lambda paths: purger.note(f"{self.public_url}{path}" for path in paths))

    @cached_property
    def memory(self) -> Storage:
        """State that outlives runs and Dagster's own storage: translation records, spending, the reconcile's
        position.
        """
        options = self.settings.config.engine.records
        if options.location is None:
            folder = self.settings.environment.state_folder / options.folder
            folder.mkdir(parents=True, exist_ok=True)
            return LocalStorage(folder)
        return self._location("engine.records.location", options.location).inside(self._own(options.folder))

    @cached_property
    def segments(self) -> Memory:
        """The project's translation memory. Its index is on the local disk and can be rebuilt."""
        name = hashlib.sha256(self.memory.describe().encode()).hexdigest()[:16]
        return Memory(self.memory, self.settings.environment.state_folder / "memory" / f"{name}.sqlite")

    @property
    def shared_memory(self) -> Callable[[], Storage] | None:
        """Returns `memory` if all machines share it."""
        return None if self.settings.config.engine.records.location is None else lambda: self.memory

    def _own(self, folder: str) -> str:
        """A folder used by this project only."""
        return f"{folder}/{self.settings.project}" if self.settings.project else folder

    def _location(self, setting: str, name: str) -> Storage:
        if name not in self.storages:
            raise ConfigurationError(
                f"`{setting}` is '{name}', which is not among STORAGE_LOCATIONS.",
                remedy="Choose one of them, or remove the setting to use a local folder.",
            )
        return self.storages[name]


def _text(value: object) -> str | None:
    return None if value is None else well_formed(str(value))


def _chat_options(options: EngineOptions) -> ChatOptions:
    return ChatOptions(
        max_output_tokens=options.max_output_tokens,
        spare_tokens=options.spare_tokens,
        reasoning_effort=options.reasoning_effort,
        temperature=options.temperature,
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
