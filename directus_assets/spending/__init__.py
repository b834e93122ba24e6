"""Spending on engines: prices, the daily budget, the process-wide rate limiter, and requests that are never paid twice.

Shared by translations and enrichments, and imports neither.
"""
