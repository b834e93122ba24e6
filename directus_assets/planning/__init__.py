"""Decisions as pure functions over plain records: what changes ask for, and what the reconcile does with an output.

Nothing here reads, writes or knows Dagster.
"""
