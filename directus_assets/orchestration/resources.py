"""What assets and sensors work with: one object that hands out plain domain objects."""

import os
from dataclasses import dataclass, field
from functools import cached_property

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage, Storage, open_storages
from directus_assets.errors import ConfigurationError
from directus_assets.images.make import Maker
from directus_assets.settings import DeliveryName, Settings


@dataclass
class Project:
    """One Directus project and how its content is derived. Connections are made when first needed."""

    settings: Settings = field(repr=False)

    @cached_property
    def directus(self) -> DirectusClient:
        """The client, shared by all threads of this process."""
        return DirectusClient.from_environment(self.settings.environment)

    @cached_property
    def storages(self) -> dict[str, Storage]:
        """Directus' storage locations that this process reaches; empty where STORAGE_LOCATIONS is not set."""
        return open_storages(self.settings.environment.storage, folder=self.settings.config_folder)

    def delivery_of(self, preset_key: str) -> DeliveryName:
        """How a preset is delivered."""
        return self.settings.config.images.delivery_of(preset_key, has_storage=bool(self.storages))

    @cached_property
    def export(self) -> Storage:
        """Where delivery `export` writes.

        Raises:
            ConfigurationError: the YAML file names a location that is not among STORAGE_LOCATIONS.
        """
        options = self.settings.config.images.export
        if options.location is None:
            folder = self.settings.config_folder / options.folder
            folder.mkdir(parents=True, exist_ok=True)
            return LocalStorage(folder)
        if options.location not in self.storages:
            raise ConfigurationError(
                f"`images.export.location` is '{options.location}', which is not among STORAGE_LOCATIONS.",
                remedy="Name one of them, or leave it out to export to a folder.",
            )
        return self.storages[options.location].inside(options.folder)

    @cached_property
    def maker(self) -> Maker:
        """Makes and delivers derivatives."""
        images = self.settings.config.images
        return Maker(
            client=self.directus,
            storages=self.storages,
            export=lambda: self.export,
            delivery_of=self.delivery_of,
            workers=images.workers or os.cpu_count() or 1,
            warm_concurrency=images.warm_concurrency,
            max_pixels=images.max_megapixels * 1_000_000,
        )
