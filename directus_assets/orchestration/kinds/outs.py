"""The outputs of a multi-asset."""

from collections.abc import Iterable

import dagster as dg


def outs_of(specs: Iterable[dg.AssetSpec]) -> dict[str, dg.AssetOut]:
    """One output per asset, each with a unique name.

    Dagster derives output names from asset keys with `_` for `-` and `.`. Presets such as `card-small` and
    `card_small`, or languages such as `de-DE` and `de_DE`, would share one output.
    """
    outs: dict[str, dg.AssetOut] = {}
    for spec in specs:
        plain = name = spec.key.to_python_identifier()
        while name in outs:
            name = f"{plain}__{len(outs)}"
        outs[name] = dg.AssetOut.from_spec(spec, dagster_type=dg.Nothing, is_required=False)
    return outs
