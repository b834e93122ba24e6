"""The demo's final output."""

import io
from pathlib import Path

import dagster as dg
from rich.console import Console

from directus_assets.local.demo import tell_why
from directus_assets.local.pipeline import prepare_home
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names


def test_what_could_not_be_made_is_told_with_its_reason(tmp_path: Path) -> None:
    home, screen = prepare_home(tmp_path), io.StringIO()
    with open_instance(home) as instance:
        for key, reason in (("card", "Harbour [1]: corrupt"), ("wide", "Bread: too large")):
            observation = dg.AssetObservation(Names().preset(key), partition="a", metadata={"failed": reason})
            instance.report_runless_asset_event(observation)

    tell_why(Console(file=screen, width=150), home, ["image_presets/card"])

    assert screen.getvalue() == "Failed: image_presets/card: Harbour [1]: corrupt\n"
