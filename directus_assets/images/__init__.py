"""Derivatives: planning, naming, rendering and delivery."""
