"""The entry point that Dagster loads. Wiring only."""

import logging
import os
from pathlib import Path

import dagster as dg

from directus_assets.orchestration.component import DirectusComponent
from directus_assets.orchestration.several import build_each
from directus_assets.settings import load_each

if not os.environ.get("DAGSTER_HOME"):
    logging.getLogger("dagster").warning(
        "DAGSTER_HOME is not set, so Dagster loses its history when it stops, and `directus-assets status`, `plan` "
        "and `backfill` cannot see it. Start with `make dev`, or set DAGSTER_HOME to the folder %s in .env.",
        Path(".dagster").resolve(),
    )

defs = build_each(load_each(), lambda settings: dg.build_defs_for_component(DirectusComponent.of(settings)))
