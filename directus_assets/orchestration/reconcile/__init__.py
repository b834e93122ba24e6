"""The reconcile: compares all of Directus with everything made so far, and requests what is missing."""
