"""`alt_text`: describes a picture for people who cannot see it, in the file's description."""

from typing import Final

from directus_assets.enrichment.builtin.model import Builtin, Material, Values, whole_number
from directus_assets.enrichment.picture_statistics import measure
from directus_assets.enrichment.text_statistics import shortened
from directus_assets.settings import EnrichmentOptions, ResultOptions


def _local(material: Material) -> Values:
    title, colour = material.inputs.get("title"), measure(material.picture or b"").colour
    width, height = (whole_number(material.inputs.get(side)) for side in ("width", "height"))
    form = "Picture"
    if width and height:
        shape = "Square" if width == height else "Wide" if width > height else "Tall"
        form = f"{shape} picture of {width} × {height} pixels"
    text = f"{title}. {form}, mostly {colour}." if title else f"{form}, mostly {colour}."
    return {"alt_text": shortened(text, material.result["alt_text"].max_length or 250)}


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt=(
            "Write the alternative text of the picture for people who do not see it: what there is to see and what "
            "matters of it, in one or two sentences. Do not begin with words such as 'picture of'. Name no person "
            "whose name is not given with the picture, and read out text in it only where it matters."
        ),
        picture="id",
        result={"alt_text": ResultOptions(type="text", min_length=5, max_length=250)},
        targets={"alt_text": "description"},
    ),
    expects=("title", "width", "height"),
    local=_local,
)
