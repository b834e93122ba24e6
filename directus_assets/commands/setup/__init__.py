"""`directus-assets setup`: the user with the least rights that work, and the flows in the Studio."""
