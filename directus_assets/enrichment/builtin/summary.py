"""`summary`: summarises an item in a few sentences. Needs a `target`, unless the collection has a field `summary`."""

from typing import Final

from directus_assets.enrichment.builtin.model import Builtin, Material, Values
from directus_assets.enrichment.text_statistics import first_sentences
from directus_assets.settings import EnrichmentOptions, ResultOptions


def _local(material: Material) -> Values:
    return {"summary": first_sentences(material.text, material.result["summary"].max_length or 400)}


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt=(
            "Summarise the content for readers who decide whether to read it. Plain sentences in the language of the "
            "content, no introduction, nothing that the content does not say."
        ),
        result={"summary": ResultOptions(type="text", min_length=1, max_length=400)},
        targets={"summary": "summary"},
    ),
    expects=("title", "body"),
    local=_local,
)
