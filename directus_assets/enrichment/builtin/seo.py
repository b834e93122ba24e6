"""`seo`: title, description and keywords for search engines, no longer than those show."""

from typing import Final

from directus_assets.enrichment.builtin.model import Builtin, Material, Values
from directus_assets.enrichment.text_statistics import first_sentences, keywords, shortened
from directus_assets.settings import EnrichmentOptions, ResultOptions


def _local(material: Material) -> Values:
    title, description, words = (material.result[name] for name in ("title", "description", "keywords"))
    first = material.text.partition("\n")[0]
    return {
        "title": shortened(first, title.max_length or 60),
        "description": first_sentences(material.text.replace("\n", ". "), description.max_length or 160),
        "keywords": list(keywords(material.text, words.max_items or 8)),
    }


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt=(
            "Write what a search engine shows of this content, in the language of the content: a title that says what "
            "it is about, a description that makes the right readers come, and the keywords that they would search "
            "for, the most important first. Promise nothing that the content does not hold."
        ),
        result={
            "title": ResultOptions(type="text", min_length=3, max_length=60),
            "description": ResultOptions(type="text", min_length=10, max_length=160),
            "keywords": ResultOptions(
                type="list", of=ResultOptions(type="text", max_length=40), min_items=1, max_items=8
            ),
        },
        targets={"title": "seo_title", "description": "seo_description", "keywords": "seo_keywords"},
    ),
    expects=("title", "body"),
    local=_local,
)
