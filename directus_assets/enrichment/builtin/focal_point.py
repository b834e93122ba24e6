"""`focal_point`: the point of a picture that every crop has to keep; only if nobody has set one."""

from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.enrichment.builtin.model import Builtin, Material, Values, whole_number
from directus_assets.enrichment.picture_statistics import measure
from directus_assets.settings import EnrichmentOptions, ResultOptions


def _derive(values: Values, inputs: Values, _options: EnrichmentOptions) -> Values:
    return {
        **values,
        "focal_point_x": _pixel(values["x"], inputs.get("width")),
        "focal_point_y": _pixel(values["y"], inputs.get("height")),
    }


def _pixel(share: JsonValue, side: JsonValue) -> JsonValue:
    """None if Directus does not know the size of the picture: it then ignores focal points, too."""
    pixels = whole_number(side)
    return min(pixels - 1, round(share * pixels)) if pixels and isinstance(share, int | float) else None


def _local(material: Material) -> Values:
    across, down = measure(material.picture or b"").focus
    return {"x": across, "y": down}


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt=(
            "Find the point of the picture that has to stay visible however it is cropped: the middle of the face, the "
            "thing or the text that the picture is about. `x` is counted from the left edge (0) to the right edge (1), "
            "`y` from the top (0) to the bottom (1)."
        ),
        picture="id",
        result={
            "x": ResultOptions(type="number", min=0, max=1),
            "y": ResultOptions(type="number", min=0, max=1),
        },
        targets={"focal_point_x": "focal_point_x", "focal_point_y": "focal_point_y"},
        when="empty",
    ),
    expects=("width", "height"),
    derive=_derive,
    derives={"focal_point_x": "integer", "focal_point_y": "integer"},
    local=_local,
)
