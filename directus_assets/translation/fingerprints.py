"""The fingerprint of a translation: a digest of its inputs. When it changes, the translation is stale."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from directus_assets.directus.addresses import is_copied
from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import BadInput
from directus_assets.ownership.field_records import canonical
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.glossary import Term, digest_of_terms, terms_in
from directus_assets.translation.items import Item
from directus_assets.translation.scope import Scope
from directus_assets.translation.segments import is_new


def fingerprint(scope: Scope, item: Item, target: LanguageRow, glossary: Sequence[Term], *, is_pseudo: bool) -> str:
    """A digest of everything that determines the translation of `item` into `target`.

    Of the glossary, only terms that occur count, so that a changed term makes only texts with that term stale. The
    target text does not count: an editor's wording requires no work. For the item's own language, the source text does
    not count either.
    """
    if item.source_language == target.code:
        return _digest([scope.code_version, target.code, "source"])
    texts = _as_at_first(scope, {name: canonical(value) for name, value in item.source.items()})
    terms = digest_of_terms(terms_in("\n".join(texts.values()), glossary))
    parts: list[object] = [texts, scope.code_version, target.code, terms, is_pseudo]
    # The project's language is part of the code version, and used to be the only source language.
    if item.source_language != scope.source.code:
        parts += [item.source_language, scope.schema.language(item.source_language) is not None]
    parts += [field.name for field in scope.schema.fields if _is_cut_anew(field, texts.get(field.name, ""))]
    return _digest(parts)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _as_at_first(scope: Scope, texts: Mapping[str, str]) -> Mapping[str, str]:
    """The texts as the first version of this package saw them.

    Empty values of fields that it did not know are omitted, and fields that are no longer read count as empty.
    """
    new = {field.name for field in scope.schema.fields if field.kind == "auto"}
    kept = {name: text for name, text in texts.items() if text or name not in new}
    return {**dict.fromkeys(scope.withheld, ""), **kept} if texts else texts


@lru_cache(maxsize=256)  # all languages share it
def _is_cut_anew(field: TextField, text: str) -> bool:
    """Whether the first version extracted other texts from a value; everything it did not know is in the code
    version.
    """
    if field.kind not in ("plain", "blocks", "repeater", "tags") or not text:
        return False
    if field.kind == "plain" and not is_copied(text, field.copied):
        return False
    try:
        return is_new(cut_field(field, text))
    except BadInput:
        return False
