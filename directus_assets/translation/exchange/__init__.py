"""Exchange of translations as files that other tools read and write."""

from directus_assets.translation.exchange.files import FORMATS, format_of, read_units, write_units
from directus_assets.translation.exchange.units import BrokenOff, Exchanged, Languages, NotTaken, checked, unit_of

__all__ = [
    "FORMATS",
    "BrokenOff",
    "Exchanged",
    "Languages",
    "NotTaken",
    "checked",
    "format_of",
    "read_units",
    "unit_of",
    "write_units",
]
