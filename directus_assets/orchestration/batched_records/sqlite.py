"""The name that `dagster.yaml` files of earlier versions hold."""

from directus_assets.fast import BatchedSqliteStorage

__all__ = ["BatchedSqliteStorage"]
