"""`directus-assets plan`: what a backfill would make, and what it would cost."""
