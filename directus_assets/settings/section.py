"""What all sections of the YAML file have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A section: unknown names are mistakes, and nothing changes after it has been read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_untouched(cls, value: Any) -> Any:
        # `images:` with every line below it commented out is null in YAML.
        return {} if value is None else value
