"""Names in the YAML file that have to be names of something."""

import difflib
from collections.abc import Sequence

from directus_assets.errors import ConfigurationError


def require_known(where: str, name: str, known: Sequence[str], *, owner: str = "Directus") -> None:
    """Nothing, where `name` is among those that are known.

    Args:
        where: the setting that names it.
        name: the name.
        known: what there is.
        owner: whose names they are.

    Raises:
        ConfigurationError: it is not; with the nearest name, or all of them.
    """
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    there = f"{owner[0].upper()}{owner[1:]} has: {', '.join(known) or 'none'}."
    raise ConfigurationError(
        f"`{where}` in the YAML file refers to '{name}', which {owner} does not have.",
        remedy=f"Did you mean '{near[0]}'?" if near else there,
    )
