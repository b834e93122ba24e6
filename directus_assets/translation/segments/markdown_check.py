"""A Markdown document that verifies its own output: the new text must have the markup of the old one."""

from collections.abc import Mapping
from typing import Any

from directus_assets.translation.segments.html_tokens import tokens
from directus_assets.translation.segments.markdown_parse import SPANS, MarkdownEvent, events, masks
from directus_assets.translation.segments.model import BadAnswer
from directus_assets.translation.segments.text_document import TextDocument


class MarkdownDocument(TextDocument):
    """A segmented Markdown text.

    What counts as markup in Markdown depends on the surrounding characters, and no escaping covers every order in which
    an answer may place its placeholders. So the result is parsed again and compared.
    """

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> str:
        """See `model.Document.splice`."""
        spliced = super().splice(translations, language=language)
        if spliced == self.source:
            return spliced
        wanted = _skeleton(self.source)
        if _skeleton(spliced) != wanted:
            raise BadAnswer(
                self._culprit(translations, wanted),
                "Markdown would read its markup differently at this place: "
                "keep the placeholders in their order, with spaces around them as in the source.",
            )
        return spliced

    def _culprit(self, translations: Mapping[str, str], wanted: list[Any]) -> str:
        """The id of a segment whose answer changes the markup: the last one of the shortest faulty prefix."""
        changed = [s.id for s in self.segments if translations.get(s.id, s.text) != s.text]
        good, bad = 0, len(changed)
        while bad - good > 1:
            middle = (good + bad) // 2
            text = super().splice({key: translations[key] for key in changed[:middle]})
            good, bad = (middle, bad) if _skeleton(text) == wanted else (good, middle)
        return changed[bad - 1]


def _skeleton(source: str) -> list[Any]:
    """All blocks in order, each with its inline markup, whose order a translation may change."""
    skeleton: list[Any] = []
    inline: list[str] = []
    for event in events(source, masks(source)):
        if event.name in SPANS or not (event.step or event.name == "Rule"):
            if described := _describe(source, event):
                inline.append(described)
            continue
        skeleton += [sorted(inline), (event.name, event.step, event.data)]
        inline = []
    return [*skeleton, sorted(inline)]


def _describe(source: str, event: MarkdownEvent) -> str:
    """The part of an inline event that must stay; empty for text, and for ends, which follow from the starts."""
    if event.step < 0 or event.name in ("Text", "SoftBreak", "Html"):
        return ""
    if event.name in ("Link", "Image"):
        return f"{event.name} {event.data['dest_url']}"
    if event.name == "InlineHtml":
        # Attributes may be translated.
        return " ".join(f"{token.kind.value} {token.tag}" for token in tokens(source, event.start, event.end))
    return f"{event.name} {event.data}"
