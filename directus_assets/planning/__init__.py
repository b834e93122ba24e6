"""Decisions as pure functions over plain records: what changes require, and how the reconcile handles an output.

Nothing here reads, writes or imports Dagster.
"""
