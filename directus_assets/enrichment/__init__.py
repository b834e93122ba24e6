"""Enrichments: content derived from items and pictures beyond derivatives and translations, declared in YAML."""
