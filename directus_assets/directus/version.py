"""Which Directus it is, and what follows from that."""

from typing import Final

TESTED: Final = ("10.13.4", "11.14.1", "11.17.4", "12.4.1")
"""The versions that the tests run on, one of each line, the newest last; the local Directus is one of them."""

NEWEST: Final = TESTED[-1]
