"""Reimplements the npm package sharp on top of the same libvips.

Directus renders with sharp 0.35. Its JavaScript half turns method calls into options (here `operations`, `adjustments`
and `formats`), and its C++ half carries them out in a fixed order (here `pipeline` and its imports). Both are
reproduced closely enough for equal bytes, oddities included: names and order follow sharp's source.
"""

from directus_assets.errors import PermanentError


class NotReproducible(PermanentError):
    """sharp can do this, but its result cannot be reproduced here byte for byte; Directus has to make it."""
