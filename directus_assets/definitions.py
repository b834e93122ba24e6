"""What Dagster loads. Wiring only."""

from directus_assets.orchestration.build import build_defs
from directus_assets.settings import load_settings

defs = build_defs(load_settings())
