"""Assets with names that Dagster would merge into one output."""

from collections.abc import Iterator

import dagster as dg
import pytest

from directus_assets.orchestration.kinds.outs import outs_of


def load(*names: str) -> dg.Definitions:
    @dg.multi_asset(outs=outs_of(dg.AssetSpec(["made", name]) for name in names), deps=["source"], can_subset=True)
    def made() -> Iterator[dg.Output[None]]:
        yield from ()

    return dg.Definitions(assets=[made], jobs=[dg.define_asset_job("make", dg.AssetSelection.assets(made))])


@pytest.mark.parametrize(
    "names",
    [
        ("card-small", "card_small", "card.small"),
        ("de-DE", "de_DE"),
        ("a", "a__1", "a-_1"),
        ("Card", "card"),
        ("in", "1", "-"),
    ],
)
def test_names_that_are_one_to_dagster_stay_several_assets(names: tuple[str, ...]) -> None:
    definitions = load(*names)

    dg.Definitions.validate_loadable(definitions)

    keys = {dg.AssetKey(["made", name]) for name in names}
    assert set(definitions.resolve_asset_graph().materializable_asset_keys) == keys
    assert definitions.resolve_asset_graph().get(dg.AssetKey(["made", names[0]])).parent_keys == {dg.AssetKey("source")}


def test_an_output_whose_name_is_nobody_elses_is_called_as_dagster_calls_it() -> None:
    assert list(outs_of([dg.AssetSpec(["image_presets", "card-small"])])) == ["image_presets__card_small"]
