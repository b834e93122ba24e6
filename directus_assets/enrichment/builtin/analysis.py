"""`analysis`: the sentiment, the topics and the keywords of a text."""

from typing import Final

from directus_assets.enrichment.builtin.model import Builtin, Material, Values
from directus_assets.enrichment.text_statistics import keywords, sentiment
from directus_assets.settings import EnrichmentOptions, ResultOptions

_SLIGHT: Final = 0.2


def _local(material: Material) -> Values:
    score = sentiment(material.text)
    label = "neutral" if abs(score) < _SLIGHT else "positive" if score > 0 else "negative"
    frequent = keywords(material.text, material.result["keywords"].max_items or 10)
    return {
        "sentiment": label,
        "sentiment_score": score,
        "topics": list(frequent[: material.result["topics"].max_items]),
        "keywords": list(frequent),
    }


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt=(
            "Analyse the content. The sentiment is that of the author towards the subject, and its score runs from -1 "
            "(wholly negative) to 1 (wholly positive). Topics are what the content is about, from the most to the "
            "least important; keywords are its own words. Use the language of the content for both."
        ),
        result={
            "sentiment": ResultOptions(type="choice", choices=("positive", "neutral", "negative", "mixed")),
            "sentiment_score": ResultOptions(type="number", min=-1, max=1),
            "topics": ResultOptions(type="list", of=ResultOptions(type="text", max_length=60), max_items=5),
            "keywords": ResultOptions(type="list", of=ResultOptions(type="text", max_length=40), max_items=10),
        },
        targets={name: name for name in ("sentiment", "sentiment_score", "topics", "keywords")},
    ),
    expects=("title", "body"),
    local=_local,
)
