"""Operations that change pixels but not sizes, as in sharp's `operations.cc`."""

from directus_assets.errors import BadInput
from directus_assets.images.sharp.arguments import Colour
from directus_assets.images.sharp.colours import is_16_bit, split_alpha, without_alpha
from directus_assets.images.sharp.load import Image, libvips, stay_sequential
from directus_assets.images.sharp.options import Kernel, Options


def flatten(image: Image, background: Colour) -> Image:
    """`image` on an opaque background."""
    scale = 256.0 if is_16_bit(image) else 1.0
    return image.flatten(background=[scale * band for band in background[:3]])


def gamma(image: Image, exponent: float) -> Image:
    """`image` with its colours raised to a power."""
    colours, alpha = split_alpha(image)
    return _joined(colours.gamma(exponent=exponent), alpha)


def threshold(image: Image, options: Options) -> Image:
    """Convert `image` to black and white, by brightness or per band."""
    grey = image.colourspace("b-w") if options.threshold_greyscale else image
    return grey >= options.threshold


def blur(image: Image, options: Options) -> Image:
    """Blur `image`: mildly with a box filter for sigma -1, otherwise with a Gaussian."""
    if options.blur_sigma == -1:
        return image.conv(libvips().Image.new_from_array([[1, 1, 1]] * 3, scale=9))
    return stay_sequential(image).gaussblur(
        options.blur_sigma, precision=options.blur_precision, min_ampl=options.blur_min_amplitude
    )


def convolve(image: Image, kernel: Kernel) -> Image:
    """`image` convolved with a matrix."""
    starts = range(0, len(kernel.factors), kernel.width)
    rows = [list(kernel.factors[start : start + kernel.width]) for start in starts]
    return image.conv(libvips().Image.new_from_array(rows, scale=kernel.scale, offset=kernel.offset))


def recomb(image: Image, matrix: tuple[float, ...]) -> Image:
    """Mix the bands of `image` by a matrix of 3 x 3 or 4 x 4."""
    image = image.colourspace("srgb")
    side = 3 if len(matrix) == 9 else 4
    rows = [list(matrix[start : start + side]) for start in range(0, len(matrix), side)]
    if side == 3 and image.bands != 3:
        rows = [[*row, 0] for row in rows] + [[0, 0, 0, 1]]
    return image.recomb(libvips().Image.new_from_array(rows))


def modulate(image: Image, options: Options) -> Image:
    """Change brightness, saturation, hue and lightness of `image`."""
    before = image.interpretation
    colours, alpha = split_alpha(image)
    changed = colours.colourspace("lch").linear(
        [options.brightness, options.saturation, 1], [options.lightness, 0, options.hue]
    )
    return _joined(changed.colourspace(before), alpha)


def sharpen(image: Image, options: Options) -> Image:
    """Sharpen `image`: mildly for sigma -1, otherwise in LAB with control over flat and jagged areas."""
    if options.sharpen_sigma == -1:
        mask = [[-1, -1, -1], [-1, 32, -1], [-1, -1, -1]]
        return image.conv(libvips().Image.new_from_array(mask, scale=24))
    before = _with_transfer(image.interpretation)
    return image.sharpen(
        sigma=options.sharpen_sigma,
        m1=options.sharpen_m1,
        m2=options.sharpen_m2,
        x1=options.sharpen_x1,
        y2=options.sharpen_y2,
        y3=options.sharpen_y3,
    ).colourspace(before)


def linear(image: Image, factors: tuple[float, ...], offsets: tuple[float, ...]) -> Image:
    """Multiply `image` by `factors` and add `offsets`; alpha is unchanged unless they include it."""
    bands, count = image.bands, len(factors)
    if count > bands:
        raise BadInput(f"`linear`: {count} factors for a picture of {bands} bands.")
    uchar = not is_16_bit(image)
    if image.hasalpha() and count != bands and (count in {1, bands - 1} or bands == 2):
        alpha = image[bands - 1]
        return _joined(without_alpha(image).linear(list(factors), list(offsets), uchar=uchar), alpha)
    return image.linear(list(factors), list(offsets), uchar=uchar)


def normalise(image: Image, lower: int, upper: int) -> Image:
    """Stretch the luminance of `image` from the `lower` to the `upper` percentile."""
    before = _with_transfer(image.interpretation)
    lab = image.colourspace("lab")
    luminance = lab[0]
    low = int(luminance.min()) if lower == 0 else luminance.percent(lower)
    high = int(luminance.max()) if upper == 100 else luminance.percent(upper)
    if abs(high - low) <= 1:
        return image
    factor = 100.0 / (high - low)
    chroma = lab.extract_band(1, n=2)
    stretched = luminance.linear(factor, -(low * factor)).bandjoin(chroma).colourspace(before)
    return stretched.bandjoin(image[image.bands - 1]) if image.hasalpha() else stretched


def tint(image: Image, colour: Colour) -> Image:
    """Tint `image` with one colour, keeping its brightness."""
    images = libvips().Image
    of_tint = (images.black(1, 1) + list(colour)).colourspace("lab", source_space="srgb").getpoint(0, 0)
    identity = images.identity(bands=3).colourspace("lab", source_space="srgb")
    lightness = identity[0] / 100
    weight = 1.0 - 4.0 * ((lightness - 0.5) * (lightness - 0.5))
    chroma = (weight * of_tint).extract_band(1, n=2)
    table = identity[0].bandjoin(chroma).colourspace("srgb", source_space="lab")
    before = _with_transfer(image.interpretation)
    colours, alpha = split_alpha(image)
    return _joined(colours.colourspace("b-w").maplut(table).colourspace(before), alpha)


def negate(image: Image, *, alpha_too: bool) -> Image:
    """Invert `image`."""
    if alpha_too:
        return image.invert()
    colours, alpha = split_alpha(image)
    return _joined(colours.invert(), alpha)


def _joined(image: Image, alpha: Image | None) -> Image:
    return image if alpha is None else image.bandjoin(alpha)


def _with_transfer(interpretation: str) -> str:
    return "srgb" if interpretation == "rgb" else interpretation
