"""`directus-assets setup`: the least-privilege user, and the flows in the Studio."""
