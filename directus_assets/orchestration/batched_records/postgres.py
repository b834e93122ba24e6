"""The name that `dagster.yaml` files of earlier versions hold."""

from directus_assets.fast.batched_records.postgres import BatchedPostgresStorage

__all__ = ["BatchedPostgresStorage"]
