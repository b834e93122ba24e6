"""The in-process pipeline of one Directus with enrichments, and its collections."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from directus_assets.directus.client import DirectusClient
from directus_assets.orchestration.runs.history import latest_materialization
from tests.translation.pipeline import NAMES, Pipeline

CONFIG: Mapping[str, Any] = {
    "translations": {"prices": {"tiny": {"input": 1000, "output": 1000}}},
    "enrichments": {
        "notes": {
            "summary": {"input": ["title", "body"]},
            "mood": {
                "prompt": "Judge the mood of the note.",
                "input": ["body"],
                "filter": {"status": {"_neq": "draft"}},
                "result": {"mood": ["good", "bad"], "score": {"type": "number", "min": 0, "max": 1}},
                "targets": {"mood": "mood", "score": "score"},
            },
            "people": {
                "prompt": "Find all people.",
                "input": ["body"],
                "result": {
                    "people": {
                        "type": "list",
                        "of": {"type": "object", "fields": {"name": "text", "role": ["author", "subject"]}},
                        "max_items": 5,
                    }
                },
                "rows": {
                    "collection": "people",
                    "item_field": "note",
                    "each": "people",
                    "fields": {"name": "name", "role": "role"},
                },
            },
            "look": {
                "prompt": "Say what there is to see.",
                "picture": "image",
                "result": {"look": {"type": "text", "max_length": 200}},
                "target": "look",
            },
        },
        "posts": {"summary": {"languages": ["en-US", "de-DE"]}},
    },
}


def create_notes(admin: DirectusClient) -> None:
    """Create `notes` and `people` as the Studio does."""
    serial = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
    texts = [
        {"field": "title", "type": "string", "schema": {}, "meta": {"interface": "input"}},
        *({"field": name, "type": "text", "schema": {}, "meta": {}} for name in ("body", "summary", "look")),
        *({"field": name, "type": "string", "schema": {}, "meta": {}} for name in ("mood", "status")),
        {"field": "score", "type": "float", "schema": {}, "meta": {}},
        {"field": "date_updated", "type": "timestamp", "schema": {}, "meta": {"special": ["date-updated"]}},
        {"field": "image", "type": "uuid", "schema": {}, "meta": {"special": ["file"]}},
    ]
    admin.post("/collections", {"collection": "notes", "schema": {}, "meta": {}, "fields": [serial, *texts]})
    people = [
        {"field": "note", "type": "integer", "schema": {}, "meta": {}},
        *({"field": name, "type": "string", "schema": {}, "meta": {}} for name in ("name", "role")),
    ]
    admin.post("/collections", {"collection": "people", "schema": {}, "meta": {}, "fields": [serial, *people]})
    for collection, field, related, gone in (
        ("notes", "image", "directus_files", "SET NULL"),
        ("people", "note", "notes", "CASCADE"),
    ):
        relation = {"collection": collection, "field": field, "related_collection": related, "meta": {}}
        admin.post("/relations", {**relation, "schema": {"on_delete": gone}})


class EnrichmentPipeline(Pipeline):
    """The pipeline of `notes`, by enrichment."""

    def enriched(self, item: str, name: str, collection: str = "notes") -> dg.AssetMaterialization | None:
        return latest_materialization(self.instance, NAMES.enrichment(collection, name), item)

    def metadata(self, item: str, name: str, collection: str = "notes") -> dict[str, Any]:
        made = self.enriched(item, name, collection)
        return {key: value.value for key, value in made.metadata.items()} if made else {}

    def refusal(self, item: str, name: str, collection: str = "notes") -> str:
        """The reason shown on the page of a failed partition."""
        records = dg.AssetRecordsFilter(asset_key=NAMES.enrichment(collection, name), asset_partitions=[item])
        found = self.instance.fetch_observations(records, limit=1).records
        observation = found[0].asset_observation if found else None
        return str(observation.metadata["failed"].value) if observation else ""

    def ask_again(
        self, item: str, name: str, collection: str = "notes", *, upto: str = ""
    ) -> dg.ExecuteInProcessResult:
        """Start a run manually, for one item or a range."""
        tags = {"dagster/asset_partition_range_start": item, "dagster/asset_partition_range_end": upto or item}
        asset_key = NAMES.enrichment(collection, name)
        return self._run(
            collection,
            dg.RunRequest(job_name=NAMES.enrichment_job(collection), asset_selection=[asset_key], tags=tags),
        )
