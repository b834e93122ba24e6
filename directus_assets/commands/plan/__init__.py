"""`directus-assets plan`: shows the work of a backfill and its cost."""
