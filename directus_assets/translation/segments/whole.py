"""Texts that stand or fall as a whole: those that are copied, and those that a validation rule looks at."""

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
        """Whether the first version took a text out of it."""
        return bool(cut_plain(self.source, Ids()).segments)


class RuledDocument:
    """A document whose text has to pass its field's validation rule in every language."""

    def __init__(self, document: Document, rule: Rule) -> None:
        self.document = document
        self._rule = rule

    @property
    def segments(self) -> tuple[Segment, ...]:
        """See `model.Document.segments`."""
        return self.document.segments

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """See `model.Document.splice`.

        Raises:
            BadAnswer: also where the rule refuses the whole; names the longest answer that is not the source.
        """
        value = self.document.splice(translations, language=language)
        changed = [each for each in self.segments if translations.get(each.id, each.text) != each.text]
        if changed and isinstance(value, str) and not self._rule.accepts(value):
            longest = max(changed, key=lambda each: len(translations[each.id]))
            raise BadAnswer(
                longest.id, f"the field's validation rule in Directus ({self._rule}) refuses what becomes of it."
            )
        return value
