"""Dagster's own storages, except that the events of a run are written in batches.

Opt-in, by one line of `dagster.yaml`. Tables and rows are those of the stock storages, so the line can be added and
removed at any time. The overridden methods are not public API: `dagster` is pinned exactly, and tests compare these
classes with the stock ones, query by query. No other part of this package depends on them.
"""
