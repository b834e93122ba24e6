"""Versions of Directus and their differences."""

import re
from dataclasses import dataclass
from typing import Final

TESTED: Final = ("10.13.4", "11.14.1", "11.17.4", "12.4.1")
"""The versions that the tests run on, one per release line, newest last; the local Directus is one of them."""

NEWEST: Final = TESTED[-1]

SUPPORTED: Final = "12.x, 11.x from 11.1 on, or 10.13"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of Directus, and how it differs from the newest one.

    Each rule was read from the source code of Directus' releases and is tested on the versions in `TESTED`.
    """

    major: int
    minor: int
    text: str

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Parse the version from `/server/info`; if there is none, assume the newest known one."""
        match = re.match(r"(\d+)\.(\d+)", text)
        return cls(int(match[1]), int(match[2]), text) if match else LATEST

    def __str__(self) -> str:
        return self.text

    @property
    def has_policies(self) -> bool:
        """Whether rights belong to policies; earlier, they belong to roles."""
        return self.major >= 11

    @property
    def has_comments(self) -> bool:
        """Whether comments are a collection; earlier, they are entries of the activity log."""
        return self.line >= (11, 2)

    @property
    def has_flow_errors(self) -> bool:
        """Whether a flow can answer its caller with an error of its own."""
        return self.line >= (11, 11)

    @property
    def has_glossary(self) -> bool:
        """Whether the settings have a glossary and a style guide for translations."""
        return self.major >= 12

    @property
    def dates_chunked_uploads(self) -> bool:
        """Whether the end of a chunked upload sets `uploaded_on` (Directus' pull request 28043; seen in 12.4.1, not in
        11.17.4).
        """
        return self.line >= (12, 4)

    @property
    def limits_targets(self) -> bool | None:
        """Whether `withoutEnlargement` limits the target size, and with it a derivative's name, to the picture's size.

        None for 11.15 releases, some of which do: the change was merged in between.
        """
        return None if self.line == (11, 15) else self.line >= (11, 16)

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor version."""
        return self.major, self.minor

    @property
    def same_bytes(self) -> str:
        """Which derivatives it encodes to exactly our bytes: `all`, `some` or `none`.

        It depends on its sharp: 0.35 from 12.2 on, 0.34.5 from 11.14 on, older before that.
        """
        return "all" if self.line >= (12, 2) else "some" if self.line >= (11, 14) else "none"

    @property
    def fault(self) -> str:
        """Why it is not supported; empty if it is."""
        if self.line < (10, 13):
            return f"Directus {self} is too old: the oldest supported version is 10.13."
        if self.line == (11, 0):
            return f"Directus {self} is not supported: use 11.1 or later."
        return ""

    @property
    def is_untested(self) -> bool:
        """Whether the tests do not run on its major version."""
        return str(self.major) not in {tested.partition(".")[0] for tested in TESTED}


LATEST: Final = Version.parse(NEWEST)
