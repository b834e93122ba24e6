"""The names that `dagster.yaml` files of earlier versions hold."""
