"""What touches the internals of Dagster, to make it faster: nothing else in this package does.

Contract tests hold each use against the Dagster that is installed.
"""
