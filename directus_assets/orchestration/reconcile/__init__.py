"""The reconcile: compares all of Directus with all that was made, and asks for what is missing."""
