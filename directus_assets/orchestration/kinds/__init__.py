"""The kinds of derived content, as Dagster sees them: pictures, translations and enrichments."""
