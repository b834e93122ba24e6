"""Texts handled as a whole: copied texts, and texts subject to a validation rule."""

from collections.abc import Mapping
from functools import cached_property

from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import Rule
from directus_assets.translation.segments.model import BadAnswer, Document, Ids, Segment
from directus_assets.translation.segments.plain import cut_plain
from directus_assets.translation.segments.text_document import TextDocument


class CopiedText(TextDocument):
    """A text that is the same in every language: an address, a colour, an identifier."""

    def __init__(self, source: str) -> None:
        super().__init__(source, ())

    @cached_property
    def is_new(self) -> bool:
        """Whether the first version extracted a text from it."""
        return bool(cut_plain(self.source, Ids()).segments)


class RuledDocument:
    """A document whose text has to pass its field's validation rule, and to fit into the field, in every language.

    Args:
        document: the document.
        rule: the field's validation rule, if it has one.
        longest: the field's maximum length in characters, if it has one.
    """

    def __init__(self, document: Document, rule: Rule | None, longest: int | None = None) -> None:
        self.document = document
        self._rule = rule
        self._longest = longest

    @property
    def segments(self) -> tuple[Segment, ...]:
        """See `model.Document.segments`."""
        return self.document.segments

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """See `model.Document.splice`.

        Raises:
            BadAnswer: also if the field refuses the whole; names the longest answer that differs from the source.
        """
        value = self.document.splice(translations, language=language)
        changed = [each for each in self.segments if translations.get(each.id, each.text) != each.text]
        if changed and isinstance(value, str) and (refusal := self._refusal(value)):
            raise BadAnswer(max(changed, key=lambda each: len(translations[each.id])).id, refusal)
        return value

    def _refusal(self, value: str) -> str | None:
        if self._rule is not None and not self._rule.accepts(value):
            return f"the field's validation rule in Directus ({self._rule}) rejects the translation."
        if self._longest is not None and len(value) > self._longest:
            return f"the field takes {self._longest} characters, and with this it has {len(value)}: shorten it."
        return None
