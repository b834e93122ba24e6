"""A real Directus on this machine, with content: the demo and the integration tests use the same one."""
