"""What the npm package sharp does to a picture, carried out by the same libvips.

Directus renders with sharp 0.35. Its JavaScript half turns method calls into options (here `operations`, `adjustments`
and `formats`), its C++ half carries them out in one fixed order (here `pipeline` and what it imports). Both
are repeated closely enough for equal bytes, what looks odd included: names and order follow sharp's source.
"""

from directus_assets.errors import PermanentError


class NotReproducible(PermanentError):
    """sharp can do this, but its result cannot be made here byte for byte; Directus has to make it."""
