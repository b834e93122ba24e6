"""Validates names in the YAML file that have to exist."""

import difflib
from collections.abc import Sequence

from directus_assets.errors import ConfigurationError


def require_known(where: str, name: str, known: Sequence[str], *, owner: str = "Directus") -> None:
    """Check that `name` is among the known names.

    Args:
        where: the setting that contains it.
        name: the name.
        known: the existing names.
        owner: the owner of the names.

    Raises:
        ConfigurationError: it is unknown; the error lists the nearest name, or all names.
    """
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    there = f"{owner[0].upper()}{owner[1:]} has: {', '.join(known) or 'none'}."
    raise ConfigurationError(
        f"`{where}` in the YAML file refers to '{name}', which {owner} does not have.",
        remedy=f"Did you mean '{near[0]}'?" if near else there,
    )
