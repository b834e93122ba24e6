"""The door: what Directus' flows are let in by, instead of Dagster's own API.

It knows two things, *these items changed* and *this editor clicked this button on these items*, and nothing of Dagster.
`requests`, `limits` and `gathering` decide and touch nothing; `app` is the rim to the network; who carries out what was
taken is handed in (`room.Carrier`).
"""
