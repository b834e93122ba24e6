"""The door: the receiver for calls from Directus' flows, which replaces direct access to Dagster's API.

It accepts two messages, *these items changed* and *this editor clicked this button on these items*, and knows nothing
about Dagster. `requests`, `limits` and `gathering` decide without side effects; `app` is the network boundary; a
`room.Carrier` carries out what was accepted.
"""
