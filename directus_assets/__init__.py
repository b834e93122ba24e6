"""Keeps the derived content of a Directus project up to date by itself."""
