"""The engine `local`: answers built-in enrichments from simple statistics, without a model. For demos and tests.

It is chosen only by name, never by `auto`, and its name is recorded with every answer.
"""

import base64
from typing import Final

from directus_assets.enrichment.builtin.model import Builtin, Material
from directus_assets.enrichment.engines.protocol import Question, Reply
from directus_assets.errors import BadInput, ConfigurationError
from directus_assets.spending.usage import Usage

NAME: Final = "local"


class LocalEnrichmentEngine:
    """An `EnrichmentEngine` without a service and without cost.

    Args:
        where: the setting that declares the enrichment.
        builtin: the built-in to answer.

    Raises:
        ConfigurationError: it is not a built-in, or not one that statistics can answer.
    """

    name = NAME
    model = NAME
    can_repair = False

    def __init__(self, where: str, builtin: Builtin | None) -> None:
        if builtin is None or not (builtin.local or builtin.measure):
            raise ConfigurationError(
                f"`{where}.engine` in the YAML file is `local`, which only supports built-in enrichments.",
                remedy="Use `openai` for your own enrichments.",
            )
        self._answer = builtin.local

    def estimate(self, question: Question) -> Usage:
        return Usage(characters=question.characters)

    def answer(self, question: Question) -> Reply:
        if self._answer is None:
            raise BadInput(f"'{question.name}' is measured, and nothing is asked.")
        picture = _content(question.picture) if question.picture else None
        answer = self._answer(Material(inputs=question.input, result=question.result, picture=picture))
        return Reply(answer=answer, usage=self.estimate(question))

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


def _content(uri: str) -> bytes:
    head, _, data = uri.partition(";base64,")
    if not head.startswith("data:") or not data:
        raise BadInput("The engine `local` can only examine pictures that are passed to it.")
    return base64.b64decode(data)
