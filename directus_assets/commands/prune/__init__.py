"""`directus-assets prune`: deletes files that are provably unused, and restores them on request."""
