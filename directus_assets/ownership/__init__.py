"""Ownership of texts, the records that establish it, and writes that respect it: people win.

Shared by translations and enrichments, and imports neither.
"""
