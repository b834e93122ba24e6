"""What Dagster loads. Wiring only."""

from directus_assets.orchestration.build import build_all
from directus_assets.settings import load_projects

defs = build_all(load_projects())
