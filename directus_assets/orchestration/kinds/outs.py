"""The assets of a multi-asset as its outputs."""

from collections.abc import Iterable

import dagster as dg


def outs_of(specs: Iterable[dg.AssetSpec]) -> dict[str, dg.AssetOut]:
    """One output for each asset, by a name of its own.

    Dagster names outputs by the key of their asset with `_` for `-` and `.`, so that presets such as `card-small` and
    `card_small`, or languages such as `de-DE` and `de_DE`, would be one output to it.
    """
    outs: dict[str, dg.AssetOut] = {}
    for spec in specs:
        plain = name = spec.key.to_python_identifier()
        while name in outs:
            name = f"{plain}__{len(outs)}"
        outs[name] = dg.AssetOut.from_spec(spec, dagster_type=dg.Nothing, is_required=False)
    return outs
