"""sharp's methods that change pixels in place (its `lib/operation`, `lib/colour` and `lib/channel`)."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from directus_assets.directus.models import MISSING
from directus_assets.errors import BadInput
from directus_assets.images.sharp.arguments import (
    Check,
    boolean,
    checked,
    colour,
    expected,
    integer,
    is_defined,
    is_integer,
    is_number,
    number,
    one_of,
)
from directus_assets.images.sharp.options import Kernel, Options

_CLAHE_SIDE = integer(1, 65_536)
_SHARPNESS = number(0, 1_000_000)

_SHARPEN: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "m1": ("sharpen_m1", _SHARPNESS),
        "m2": ("sharpen_m2", _SHARPNESS),
        "x1": ("sharpen_x1", _SHARPNESS),
        "y2": ("sharpen_y2", _SHARPNESS),
        "y3": ("sharpen_y3", _SHARPNESS),
    }
)
_BLUR: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "precision": ("blur_precision", one_of("integer", "float", "approximate")),
        "minAmplitude": ("blur_min_amplitude", number(0.001, 1)),
    }
)
_NORMALISE: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {"lower": ("normalise_lower", number(0, 99)), "upper": ("normalise_upper", number(1, 100))}
)
_MODULATE: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "brightness": ("brightness", number(0)),
        "saturation": ("saturation", number(0)),
        # JavaScript's remainder keeps the sign of the angle.
        "hue": ("hue", lambda name, value: int(math.fmod(integer()(name, value), 360))),
        "lightness": ("lightness", number()),
    }
)
_CHANNELS: Final = MappingProxyType({"red": 0, "green": 1, "blue": 2, "alpha": 3})


def _switch(field: str) -> Callable[..., dict[str, Any]]:
    """A method that is on unless called with `false`."""

    def method(_options: Options, value: object = MISSING, *_: object) -> dict[str, Any]:
        return {field: value if isinstance(value, bool) else True}

    return method


def _sharpen(_options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    if not isinstance(settings, Mapping):
        return {"sharpen_sigma": -1}
    return {"sharpen_sigma": number(0.000001, 10)("sigma", settings.get("sigma")), **checked(settings, _SHARPEN)}


def _median(_options: Options, size: object = MISSING, *_: object) -> dict[str, Any]:
    return {"median_size": integer(1, 1000)("size", size) if is_defined(size) else 3}


def _blur(_options: Options, sigma: object = MISSING, *_: object) -> dict[str, Any]:
    if not is_defined(sigma):
        return {"blur_sigma": -1}
    if isinstance(sigma, bool):
        return {"blur_sigma": -1 if sigma else 0}
    settings = sigma if isinstance(sigma, Mapping) else {"sigma": sigma}
    return {"blur_sigma": number(0.3, 1000)("sigma", settings.get("sigma")), **checked(settings, _BLUR)}


def _flatten(_options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    is_on = settings if isinstance(settings, bool) else True
    return {"flatten": is_on, **checked(settings, {"background": ("flatten_background", colour)})}


def _gamma(_options: Options, gamma: object = MISSING, gamma_out: object = MISSING, *_: object) -> dict[str, Any]:
    into = number(1, 3)("gamma", gamma) if is_defined(gamma) else 2.2
    return {"gamma": into, "gamma_out": number(1, 3)("gammaOut", gamma_out) if is_defined(gamma_out) else into}


def _negate(_options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    is_on = settings if isinstance(settings, bool) else True
    return {"negate": is_on, **checked(settings, {"alpha": ("negate_alpha", boolean)})}


def _normalise(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    changes = checked(settings, _NORMALISE)
    lower = changes.get("normalise_lower", options.normalise_lower)
    upper = changes.get("normalise_upper", options.normalise_upper)
    if lower >= upper:
        raise expected(f"less than upper ({upper})", "lower", lower)
    return {"normalise": True, **changes}


def _clahe(_options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    given: Mapping[str, object] = settings if isinstance(settings, Mapping) else {}
    return {
        "clahe_width": _CLAHE_SIDE("width", given.get("width")),
        "clahe_height": _CLAHE_SIDE("height", given.get("height")),
        **checked(given, {"maxSlope": ("clahe_max_slope", integer(0, 100))}),
    }


def _convolve(_options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    given: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
    width, height = (integer(3, 1001)(name, given.get(name)) for name in ("width", "height"))
    factors = given.get("kernel")
    if not isinstance(factors, list) or len(factors) != width * height or not all(map(is_number, factors)):
        raise expected("width x height numbers", "kernel", factors)
    scale, offset = given.get("scale"), given.get("offset")
    return {
        "convolve": Kernel(
            width=width,
            height=height,
            factors=tuple(factors),
            scale=max(scale if is_integer(scale) else sum(factors), 1),
            offset=offset if is_integer(offset) else 0,
        )
    }


def _threshold(
    _options: Options, threshold: object = MISSING, settings: object = MISSING, *_: object
) -> dict[str, Any]:
    if isinstance(threshold, bool):
        threshold = 128 if threshold else 0
    given = settings if isinstance(settings, Mapping) else {"greyscale": settings is not None}
    return {
        "threshold": integer(0, 255)("threshold", threshold) if is_defined(threshold) else 128,
        "threshold_greyscale": given.get("greyscale") is True or given.get("grayscale") is True,
    }


def _linear(_options: Options, a: object = MISSING, b: object = MISSING, *_: object) -> dict[str, Any]:
    if not is_defined(a) and is_number(b):
        a = 1
    elif is_number(a) and not is_defined(b):
        b = 0
    factors, offsets = _numbers("a", a), _numbers("b", b)
    if len(factors) != len(offsets):
        raise BadInput(f"`a` holds {len(factors)} numbers and `b` {len(offsets)}, but sharp wants as many.")
    return {"linear_a": factors, "linear_b": offsets}


def _numbers(name: str, value: object) -> tuple[float, ...]:
    if not is_defined(value):
        return ()
    values = value if isinstance(value, list) and value else [value]
    return tuple(number()(name, item) for item in values)


def _recomb(_options: Options, matrix: object = MISSING, *_: object) -> dict[str, Any]:
    rows = matrix if isinstance(matrix, list) else []
    if len(rows) not in {3, 4} or not all(isinstance(row, list) and len(row) == len(rows) for row in rows):
        raise expected("3 x 3 or 4 x 4 numbers", "inputMatrix", matrix)
    return {"recomb": tuple(number()("inputMatrix", item) for row in rows for item in row)}


def _modulate(_options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    if not isinstance(settings, Mapping):
        raise expected("an object of options", "modulate", settings)
    return checked(settings, _MODULATE)


def _tint(_options: Options, tint: object = MISSING, *_: object) -> dict[str, Any]:
    return {"tint": colour("tint", tint)} if is_defined(tint) else {}


def _to_colourspace(_options: Options, colourspace: object = MISSING, *_: object) -> dict[str, Any]:
    if not isinstance(colourspace, str) or not colourspace:
        raise expected("the name of a colour space", "colourspace", colourspace)
    return {"colourspace": colourspace}


def _remove_alpha(_options: Options, *_: object) -> dict[str, Any]:
    return {"remove_alpha": True}


def _ensure_alpha(_options: Options, alpha: object = MISSING, *_: object) -> dict[str, Any]:
    return {"ensure_alpha": number(0, 1)("alpha", alpha) if is_defined(alpha) else 1}


def _extract_channel(_options: Options, channel: object = MISSING, *_: object) -> dict[str, Any]:
    index = _CHANNELS.get(channel, channel) if isinstance(channel, str) else channel
    return {"extract_channel": integer(0, 4)("channel", index)}


def _bandbool(_options: Options, operator: object = MISSING, *_: object) -> dict[str, Any]:
    return {"bandbool": one_of("and", "or", "eor")("boolOp", operator)}


METHODS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = MappingProxyType(
    {
        "flip": _switch("flip"),
        "flop": _switch("flop"),
        "sharpen": _sharpen,
        "median": _median,
        "blur": _blur,
        "flatten": _flatten,
        "gamma": _gamma,
        "negate": _negate,
        "normalise": _normalise,
        "normalize": _normalise,
        "clahe": _clahe,
        "convolve": _convolve,
        "threshold": _threshold,
        "linear": _linear,
        "recomb": _recomb,
        "modulate": _modulate,
        "tint": _tint,
        "greyscale": _switch("greyscale"),
        "grayscale": _switch("greyscale"),
        "toColourspace": _to_colourspace,
        "toColorspace": _to_colourspace,
        "removeAlpha": _remove_alpha,
        "ensureAlpha": _ensure_alpha,
        "extractChannel": _extract_channel,
        "bandbool": _bandbool,
    }
)
"""By the names that Directus permits; each method takes the current options and the arguments, and returns the
changes.
"""
