"""Ownership of texts, and the records that establish it: people win.

Shared by translations and enrichments, and imports neither.
"""
