"""All Dagster names for the outputs of one Directus project, each written once."""

import hashlib
import re
from dataclasses import dataclass, field, replace

import dagster as dg

from directus_assets.orchestration.specs import AssetProps, SpecOf, default_spec

_TAKEN = frozenset({"files", "settings"})
"""Suffixes that `directus_files` and `directus_settings_sensor` already use."""

_TAKEN_BY_SENSORS = frozenset({"buttons", "failure", "runs"})
"""Names of sensors that do not follow a collection. A collection with such a name gets a different sensor name."""

PROJECT_TAG = "directus_assets/project"
"""The tag that names a run's project; runs of the unnamed project do not have it."""


@dataclass(frozen=True)
class Names:
    """Names of assets, partitions, jobs, sensors, the schedule and groups.

    >>> Names().preset("card").to_user_string(), Names("shop").preset("card").to_user_string()
    ('image_presets/card', 'shop/image_presets/card')

    Args:
        project: a prefix for every name, so that several projects can share one Dagster; none by default.
        spec_of: the hook that may rename assets.
    """

    project: str = ""
    spec_of: SpecOf = field(default=default_spec, compare=False, repr=False)

    @property
    def images_group(self) -> str:
        """The group of the assets of presets."""
        return self._own("images")

    @property
    def translations_group(self) -> str:
        """The group of the assets of languages."""
        return self._own("translations")

    @property
    def enrichments_group(self) -> str:
        """The group of the assets of enrichments."""
        return self._own("enrichments")

    @property
    def files(self) -> dg.AssetKey:
        """The Directus files, as an asset that Directus produces."""
        return self._renamed(self.source_props("directus_files"))

    def items(self, collection: str) -> dg.AssetKey:
        """A Directus collection, as an asset that Directus produces."""
        return self._renamed(self.source_props(collection))

    @property
    def presets(self) -> dg.AssetKey:
        """The prefix of all preset keys."""
        return self._key("image_presets")

    def preset(self, preset_key: str) -> dg.AssetKey:
        """`image_presets/<preset key>`."""
        return self._renamed(self.preset_props(preset_key))

    def translation(self, collection: str, language: str, *, second: str = "") -> dg.AssetKey:
        """`translations/<collection>/<language code>`, with `.<field>` behind the collection for a second field.

        Args:
            collection: the collection.
            language: the code of the language.
            second: the translations field, if it is not the collection's first.
        """
        return self._renamed(self.translation_props(collection, language, second=second))

    def enrichment(self, collection: str, name: str) -> dg.AssetKey:
        """`enrichments/<collection>/<name>`."""
        return self._renamed(self.enrichment_props(collection, name))

    def source_props(self, collection: str, *, group: str = "") -> AssetProps:
        """The asset that represents a Directus collection, or its files."""
        own = "files" if collection == "directus_files" else collection_name(collection)
        return AssetProps(kind="source", key=self._key("directus", own), group=group, collection=collection)

    def preset_props(self, preset_key: str) -> AssetProps:
        """The asset of a preset."""
        return AssetProps(
            kind="image_preset",
            key=self._key("image_presets", _safe(preset_key)),
            group=self.images_group,
            collection="directus_files",
            preset=preset_key,
        )

    def translation_props(self, collection: str, language: str, *, second: str = "") -> AssetProps:
        """The asset of one language of a collection; see `translation`."""
        part = collection_name(collection) + (f".{_safe(second)}" if second else "")
        return AssetProps(
            kind="translation",
            key=self._key("translations", part, _safe(language)),
            group=self.translations_group,
            collection=collection,
            language=language,
        )

    def enrichment_props(self, collection: str, name: str) -> AssetProps:
        """The asset of an enrichment of a collection."""
        return AssetProps(
            kind="enrichment",
            key=self._key("enrichments", collection_name(collection), _safe(name)),
            group=self.enrichments_group,
            collection=collection,
            enrichment=name,
        )

    def spec(self, props: AssetProps, *, description: str, kinds: frozenset[str]) -> dg.AssetSpec:
        """The spec under which Dagster shows the asset.

        Raises:
            TypeError: the hook returns something else.
        """
        found = self.spec_of(replace(props, description=description, kinds=kinds))
        if not isinstance(found, dg.AssetSpec):
            raise TypeError(
                f"get_asset_spec returned {type(found).__name__} for {props.key}, but must return an AssetSpec."
            )
        return found

    def _renamed(self, props: AssetProps) -> dg.AssetKey:
        # Called for each derivative, so only projects with a hook pay for calling it.
        return props.key if self.spec_of is default_spec else self.spec_of(props).key

    @property
    def files_partitions(self) -> dg.DynamicPartitionsDefinition:
        """One partition for each picture; its key is the id of the file."""
        return dg.DynamicPartitionsDefinition(name=self._own("directus_files"))

    def items_partitions(self, collection: str) -> dg.DynamicPartitionsDefinition:
        """One partition for each item of a collection; its key is the item's primary key."""
        return dg.DynamicPartitionsDefinition(name=self._own(f"directus_{collection_name(collection)}"))

    @property
    def images_job(self) -> str:
        """The job of the runs that the files sensor starts."""
        return self._own("image_presets")

    @property
    def images_op(self) -> str:
        """The op that makes derivatives. A job cannot have the same name as an op."""
        return self._own("render_image_presets")

    def translation_job(self, name: str) -> str:
        """The job of the runs that a collection's sensor starts for its languages; takes the name of a scope."""
        return self._own(f"translate_{_job_name(name)}")

    def translation_op(self, name: str) -> str:
        """The op that translates a collection's items; takes the name of a scope."""
        return self._own(f"translate_items_of_{collection_name(name)}")

    def enrichment_job(self, collection: str) -> str:
        """The job of the runs that a collection's sensor starts for its enrichments."""
        return self._own(f"enrich_{_job_name(collection)}")

    def enrichment_op(self, collection: str) -> str:
        """The op that enriches a collection's items."""
        return self._own(f"enrich_items_of_{collection_name(collection)}")

    def recommendation_job(self, collection: str) -> str:
        """The job and schedule that compute a collection's recommendations."""
        return self._own(f"recommend_{collection_name(collection)}")

    def checks_op(self, collection: str) -> str:
        """The op that evaluates the asset checks on a collection, or on `directus_files`."""
        return self._own(f"check_{collection_name(collection)}")

    @property
    def files_sensor(self) -> str:
        """Follows files."""
        return self._own("directus_files_sensor")

    def items_sensor(self, collection: str) -> str:
        """Follows the items of a collection, for its translations and enrichments alike."""
        name = collection_name(collection)
        return self._own(f"directus_{_distinct(name, collection) if name in _TAKEN_BY_SENSORS else name}_sensor")

    @property
    def sensors_prefix(self) -> str:
        """The prefix of all sensor names."""
        return self._own("directus_")

    @property
    def settings_sensor(self) -> str:
        """Watches the presets, languages and collections that definitions are built from."""
        return self._own("directus_settings_sensor")

    @property
    def runs_sensor(self) -> str:
        """Ends runs whose worker has died."""
        return self._own("directus_runs_sensor")

    @property
    def failure_sensor(self) -> str:
        """Notifies people of failures."""
        return self._own("directus_failure_sensor")

    @property
    def buttons_job(self) -> str:
        """The job that a Studio button starts."""
        return self._own("directus_buttons")

    @property
    def buttons_op(self) -> str:
        """The op that starts the runs for a click."""
        return self._own("make_chosen_again")

    @property
    def buttons_sensor(self) -> str:
        """Replies to the person who clicked."""
        return self._own("directus_buttons_sensor")

    @property
    def reconcile(self) -> str:
        """The job and schedule of the reconcile."""
        return self._own("directus_reconcile")

    @property
    def reconcile_op(self) -> str:
        """The op of the reconcile."""
        return self._own("compare_with_directus")

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all runs that this project starts automatically."""
        return {PROJECT_TAG: self.project} if self.project else {}

    def _own(self, name: str) -> str:
        return f"{self.project}_{name}" if self.project else name

    def _key(self, *path: str) -> dg.AssetKey:
        return dg.AssetKey([self.project, *path] if self.project else path)


def collection_name(collection: str) -> str:
    """The name of a project's collection in Dagster: its own name, if Dagster allows it."""
    if re.fullmatch(r"[A-Za-z0-9_]+", collection) and collection not in _TAKEN:
        return collection
    return _distinct(re.sub(r"[^A-Za-z0-9_]+", "_", collection), collection)


def _job_name(collection: str) -> str:
    """The name of a collection in job names, chosen so that no job shares a name with another collection's op."""
    name = collection_name(collection)
    return _distinct(name, collection) if name.startswith("items_of_") else name


def _safe(name: str) -> str:
    """One part of an asset key: characters that Dagster refuses are replaced, and a digest keeps names distinct."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name)
    return safe if safe == name and name else _distinct(safe, name)


def _distinct(safe: str, name: str) -> str:
    return f"{safe}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
