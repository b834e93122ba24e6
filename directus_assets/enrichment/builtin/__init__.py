"""The enrichments that are on by naming them: each a declaration with defaults, which the YAML file may overrule.

One module for each, with its `BUILTIN`; `BUILTINS` is the registry.
"""

from collections.abc import Mapping
from typing import Final

from directus_assets.enrichment.builtin import summary
from directus_assets.enrichment.builtin.model import Builtin

BUILTINS: Final[Mapping[str, Builtin]] = {"summary": summary.BUILTIN}
