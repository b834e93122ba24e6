"""What a click becomes in Dagster, and what becomes of it."""

import json
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from directus_assets.clicks import Button, Click, open_clicks
from directus_assets.directus.models import Preset
from directus_assets.orchestration.build import _files_target
from directus_assets.orchestration.buttons import build_buttons
from directus_assets.orchestration.click_outcome import find_outcome
from directus_assets.orchestration.files import Files
from directus_assets.orchestration.materialized import DATA_VERSION_TAG
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.report import REVIEW_MARK
from directus_assets.orchestration.run_tags import CLICK_TAG, RANGE_END_TAG, RANGE_START_TAG, TRIGGER_TAG, range_tags
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject

CARD = Preset(key="card", fit="cover", width=200, height=200, format="webp")
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
