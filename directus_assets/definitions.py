"""What Dagster loads. Wiring only."""

import dagster as dg

from directus_assets.orchestration.component import DirectusComponent
from directus_assets.orchestration.several import build_each
from directus_assets.settings import load_each

defs = build_each(load_each(), lambda settings: dg.build_defs_for_component(DirectusComponent.of(settings)))
