"""`related`: the nearest items of the same collection by content, with their similarity.

When an item is added or changed, the neighbours of existing items are updated. They go to a JSON field (`related`), or
become rows of a junction collection::

    rows: {collection: posts_related, item_field: posts_id, each: related, fields: {item: related_id, rank: sort}}
"""

from typing import Final

from pydantic import Field

from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.settings import EnrichmentOptions, ResultOptions
from directus_assets.settings.section import Section


class RelatedOptions(Section):
    """The settings below `options`."""

    count: int = Field(default=5, ge=1, le=100)
    """The maximum number of neighbours per item."""
    least: float = Field(default=0.2, ge=-1, le=1)
    """The minimum cosine similarity of a neighbour."""


NEIGHBOUR: Final = ResultOptions(
    type="object",
    fields={
        # A key, whatever the type of the collection's keys; no engine is asked for it.
        "item": ResultOptions(type="choice", choices=("the key of an item",)),
        "score": ResultOptions(type="number", min=-1, max=1),
        "rank": ResultOptions(type="integer", min=1),
    },
)

BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        result={"related": ResultOptions(type="list", of=NEIGHBOUR)}, targets={"related": "related"}
    ),
    expects=("title", "body"),
    expand=lambda options, _collection: options.model_copy(
        update={"options": RelatedOptions.model_validate(options.options).model_dump()}
    ),
)
