"""The two sources of configuration, typed: the environment (addresses and secrets) and one YAML file (everything else).

Everything works with the YAML file unchanged and only `DIRECTUS_URL` and `DIRECTUS_TOKEN` set.
"""

from directus_assets.settings.enrichments import ChoiceSource, EnrichmentOptions, ResultOptions, RowOptions
from directus_assets.settings.environment import Environment
from directus_assets.settings.loading import (
    Settings,
    load_each,
    load_settings,
    project_settings,
    required,
)
from directus_assets.settings.projects import DEFAULT, ConfigFile
from directus_assets.settings.sections import (
    CollectionOptions,
    Config,
    DeliveryName,
    EngineOptions,
    ImageOptions,
    TranslationOptions,
)
from directus_assets.settings.yaml_file import parse_config

__all__ = [
    "DEFAULT",
    "ChoiceSource",
    "CollectionOptions",
    "Config",
    "ConfigFile",
    "DeliveryName",
    "EngineOptions",
    "EnrichmentOptions",
    "Environment",
    "ImageOptions",
    "ResultOptions",
    "RowOptions",
    "Settings",
    "TranslationOptions",
    "load_each",
    "load_settings",
    "parse_config",
    "project_settings",
    "required",
]
