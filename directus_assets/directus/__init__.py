"""Directus from the outside: its API, its records, its change feed, its schema, its storage."""
