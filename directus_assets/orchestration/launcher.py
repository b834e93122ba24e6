"""Keeps the dotted name in `dagster.yaml` files of earlier versions importable."""

from directus_assets.fast import WarmRunLauncher

__all__ = ["WarmRunLauncher"]
