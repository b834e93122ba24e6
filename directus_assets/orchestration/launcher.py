"""The name that `dagster.yaml` files of earlier versions hold."""

from directus_assets.fast.launcher import WarmRunLauncher

__all__ = ["WarmRunLauncher"]
