"""Keeps the dotted names in `dagster.yaml` files of earlier versions importable."""
