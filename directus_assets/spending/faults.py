"""Why an engine has no usable answer."""

from enum import Enum
from typing import ClassVar

from directus_assets.errors import DirectusAssetsError, NotFound, Rejected


class AnswerFault(Enum):
    """Why an answer could not be used."""

    TOO_LONG = "cut off, or over a limit; a smaller request may work"
    REFUSED = "the model or its content filter refuses to translate one of the segments"
    UNREADABLE = "not the requested JSON"
    BLIND = "the model does not support pictures"


class RequestRefused(Rejected):
    """The service refuses any such request, whatever its texts: an unknown model, a wrong address, a broken gateway."""

    # Asking again costs nothing.
    longest_wait_seconds: ClassVar[float | None] = 3600

    @classmethod
    def of(cls, error: DirectusAssetsError) -> DirectusAssetsError:
        """`error` unchanged, unless it is a generic refusal of the request, which is converted."""
        if isinstance(error, (NotFound, Rejected)):
            return cls(error.message, remedy=error.remedy)
        return error
