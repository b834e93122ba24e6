"""What happens within a run, and Dagster's records of it."""
