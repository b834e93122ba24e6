"""Splits ICU messages (`icu`) into parts for engines that do not support them, and reassembles them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from directus_assets.translation.icu import (
    NUMBER,
    IcuArgument,
    IcuChoice,
    Message,
    exact,
    forms,
    is_one_word,
    source_arm,
)
from directus_assets.translation.languages import Language


@dataclass(frozen=True, kw_only=True)
class Unfolded:
    """A text with choices, split into parts for an engine without ICU support.

    `texts` holds the parts, starting with the text around the choices; fixed parts are replaced by `<x9001/>` and so
    on.
    """

    texts: list[str] = field(default_factory=list)
    _kept: dict[str, IcuArgument | tuple[IcuChoice, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, message: Message) -> "Unfolded":
        """The parts of a message."""
        made = cls()
        made._add(message)
        return made

    def folded(self, translated: Sequence[str | None], target: Language) -> str | None:
        """The message in the target language with that language's plural forms; None if a part is missing."""
        whole = [text for text in translated if text is not None]
        return self._fold(0, whole, target, is_inner=False) if len(whole) == len(self.texts) else None

    def _add(self, message: Message) -> int:
        index = len(self.texts)
        self.texts.append("")
        text = ""
        for part in message:
            if isinstance(part, str):
                text += part
                continue
            mark = f"<x{9001 + len(self._kept)}/>"
            text += mark
            self._kept[mark] = NUMBER
            self._kept[mark] = (
                part if isinstance(part, IcuArgument) else (part, tuple(self._add(arm) for _, arm in part.arms))
            )
        self.texts[index] = text
        return index

    def _fold(self, index: int, translated: Sequence[str], target: Language, *, is_inner: bool) -> str:
        parts = re.split(r"(<x9\d{3}/>)", translated[index])
        return "".join(
            self._kept_as_text(self._kept[part], translated, target)
            if part in self._kept
            else (_escaped(part) if is_inner else part)
            for part in parts
        )

    def _kept_as_text(
        self, kept: IcuArgument | tuple[IcuChoice, tuple[int, ...]], translated: Sequence[str], target: Language
    ) -> str:
        if isinstance(kept, IcuArgument):
            return kept.raw
        choice, arms = kept
        texts = {
            key: self._fold(index, translated, target, is_inner=True)
            for (key, _), index in zip(choice.arms, arms, strict=True)
        }
        keys = list(texts)
        if choice.is_plural:
            keys = [*exact(choice), *forms(choice, target)]
        offset = f"offset:{choice.offset} " if choice.offset else ""
        told = " ".join(f"{key} {{{texts[_best_arm(choice, key, target)]}}}" for key in keys)
        return f"{{{choice.name}, {choice.kind}, {offset}{told}}}"


def _best_arm(choice: IcuChoice, selector: str, target: Language) -> str:
    """The arm whose translation says most: not "a file" if that form also covers 21 files."""
    best, arms = source_arm(choice, selector), dict(choice.arms)
    lacks_number = choice.is_plural and NUMBER in arms["other"] and NUMBER not in arms[best]
    return "other" if lacks_number and not is_one_word(choice, selector, target) else best


def _escaped(text: str) -> str:
    return re.sub(r"[{}#]+", lambda match: f"'{match[0]}'", text.replace("'", "''"))
