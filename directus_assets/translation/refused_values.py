"""Values that Directus has refused: they are never sent again, but replaced by others.

A refused address that has to be unique gets a number, which costs nothing. Any other text goes back to the engine once,
with Directus' message. If the field's rule, length or uniqueness changes, earlier refusals are forgotten.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.ownership.refusals import NOT_UNIQUE, FieldsRefused, refusal_key, short_reason
from directus_assets.translation.cut_fields import rule_of
from directus_assets.translation.segments.model import BadAnswer, Document, Segment
from directus_assets.translation.segments.slug import numbered
from directus_assets.translation.translate import TranslationOutcome

MOST_NUMBERS: Final = 20
"""The highest number appended to an address; each attempt costs one request to Directus."""


class UnrefusedDocument:
    """A document that never turns into a value that Directus has refused.

    Args:
        document: the document.
        text_field: its field.
        refused: Directus' reasons, by `refusal_key`.
    """

    def __init__(self, document: Document, text_field: TextField, refused: Mapping[str, str]) -> None:
        self.document = document
        self._field = text_field
        self._refused = refused

    @property
    def segments(self) -> tuple[Segment, ...]:
        """See `model.Document.segments`."""
        return self.document.segments

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """See `model.Document.splice`.

        Raises:
            BadAnswer: also if Directus has refused the value; names the longest answer.
        """
        value = self.document.splice(translations, language=language)
        reason = self._reason(value)
        if reason and is_taken(self._field, reason) and (free := self._numbered(str(value))):
            return free
        answered = [each for each in self.segments if each.id in translations]
        if reason and answered:
            longest = max(answered, key=lambda each: len(translations[each.id]))
            raise BadAnswer(longest.id, f"Directus refuses what becomes of it: {short_reason(reason)}")
        return value

    def _reason(self, value: JsonValue) -> str:
        return self._refused.get(refusal_key(self._field, value), "")

    def _numbered(self, address: str) -> str:
        """The address with the first number that Directus has not refused; empty if there is none."""
        rule, longest = rule_of(self._field), self._field.longest
        found = (numbered(address, number, longest=longest) for number in range(2, MOST_NUMBERS + 1))
        return next((each for each in found if not self._reason(each) and (not rule or rule.accepts(each))), "")


def is_taken(text_field: TextField, reason: str) -> bool:
    """Whether Directus refuses an address because it is already taken."""
    return text_field.kind in ("slug", "path") and NOT_UNIQUE in reason


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedWrite:
    """A write in which Directus refused fields; the accepted ones are written.

    Attributes:
        error: the refusal.
        outcome: the values that were to be written.
        hopeful: fields with another option to try.
        rounds: how often each field was refused in this attempt.
        written: the fields written now and by earlier writes.
    """

    error: FieldsRefused
    outcome: TranslationOutcome
    hopeful: frozenset[str]
    rounds: Mapping[str, int]
    written: tuple[str, ...]

    @classmethod
    def after(
        cls,
        earlier: "RefusedWrite | None",
        error: FieldsRefused,
        outcome: TranslationOutcome,
        *,
        fields: Collection[TextField],
        repaired: Collection[str],
        can_repair: bool,
    ) -> "RefusedWrite":
        """Combine a further refusal with the earlier ones.

        Args:
            earlier: the previous refusal in the same attempt.
            error: the refusal; its fields have not been refused before.
            outcome: the values that were to be written.
            fields: the fields of the collection.
            repaired: fields whose value is the engine's second one, after Directus refused the first.
            can_repair: whether the engine can be asked again.
        """
        before = earlier.rounds if earlier else {}
        rounds = {**before, **{name: before.get(name, 0) + 1 for name in error.fields}}

        def is_hopeful(text_field: TextField, reason: str) -> bool:
            if is_taken(text_field, reason):
                return rounds[text_field.name] < MOST_NUMBERS
            return can_repair and rounds[text_field.name] == 1 and text_field.name not in repaired

        hopeful = frozenset(
            each.name for each in fields if each.name in error.fields and is_hopeful(each, error.fields[each.name])
        )
        written = (*(earlier.written if earlier else ()), *error.written)
        return cls(error=error, outcome=outcome, hopeful=hopeful, rounds=rounds, written=written)
