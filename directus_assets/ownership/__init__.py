"""Whose a text is, and what is remembered of it: people win.

Serves translations and enrichments alike, and imports neither.
"""
