"""What happens within a run, and what Dagster remembers of it."""
