"""The Dagster side: definitions, runs, sensors and the reconcile."""
