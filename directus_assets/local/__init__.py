"""A real local Directus with content, shared by the demo and the integration tests."""
