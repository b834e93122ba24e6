"""Access to Directus: its API, records, change feed, schema and storage."""
