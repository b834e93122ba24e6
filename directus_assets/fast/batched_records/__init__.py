"""Dagster's own storages, but for this: the events of a run are stored together and not one by one.

Opt-in, by one line of `dagster.yaml`. Tables and rows are those of the stock storages, so that the line can be added
and taken away at any time. What is overridden here is not public API: `dagster` is pinned exactly, and the tests hold
these classes against the stock ones, query by query. Nothing else in this package knows of them.
"""
