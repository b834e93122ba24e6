"""What Dagster loads. Wiring only."""

import dagster as dg

from directus_assets.orchestration.component import DirectusComponent
from directus_assets.settings import load_projects

defs = dg.Definitions.merge(
    *(dg.build_defs_for_component(DirectusComponent.of(settings)) for settings in load_projects())
)
