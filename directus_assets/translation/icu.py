"""Messages in ICU syntax: `{count, plural, one {# file} other {# files}}`, with select and selectordinal.

Their arms are text, and plural forms differ between languages, so a translation has different arms than its source.
Everything else in the braces stays: names of arguments, keys of a select, exact numbers (`=0`), `#`. Syntax:
https://unicode-org.github.io/icu/userguide/format_parse/messages/, including apostrophes.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final, TypeAlias

import babel

from directus_assets.translation.languages import Language

_START: Final = re.compile(r"\{\s*(?P<name>[\w.-]+)\s*,\s*(?P<kind>plural|selectordinal|select)\s*,")
_SIMPLE: Final = re.compile(r"\{\{[^{}]*\}\}|\{\s*[\w.-]+\s*(?:,[^{}']*)?\}")
_OFFSET: Final = re.compile(r"\s*offset\s*:\s*(\d+)")
_SELECTOR: Final = re.compile(r"\s*(=\d+|[\w-]+)\s*\{")
_END: Final = re.compile(r"\s*\}")

_MARK: Final = re.compile(r"</?[gx][0-9]{1,6}/?>")

FORMS: Final = ("zero", "one", "two", "few", "many", "other")
"""The plural forms of CLDR, in its order."""
_DEEPEST: Final = 8
_MOST_READINGS: Final = 200
_SPOKEN: Final = 2
_ORDINARY: Final = range(1001)
"""The numbers whose plural forms a translation must have; forms for others, such as Spanish `many` for millions, are
optional.
"""


@dataclass(frozen=True, slots=True)
class IcuArgument:
    """An inserted value: `{name}`, `{day, date, long}`, or `#`."""

    raw: str


@dataclass(frozen=True, slots=True)
class IcuChoice:
    """One of several messages, selected by the value of an argument."""

    name: str
    kind: str
    offset: str
    arms: "tuple[tuple[str, Message], ...]"

    @property
    def is_plural(self) -> bool:
        """Whether its arms are plural forms."""
        return self.kind != "select"

    @property
    def identity(self) -> tuple[str, str, str]:
        """What has to be the same in every language."""
        return self.name, self.kind, self.offset


Message: TypeAlias = tuple[str | IcuArgument | IcuChoice, ...]
"""The content of an arm: text (unquoted), arguments and choices."""

NUMBER: Final = IcuArgument("#")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as a particular reader sees it: with one arm of each choice.

    `arms` maps each choice's name to its selector; `text` contains the arms' text, with `#` removed.
    """

    arms: Mapping[str, str]
    text: str
    arguments: tuple[str, ...]
    numbers: int


@lru_cache(maxsize=1024)
def parse(text: str) -> Message | None:
    """Parse a text with choices; None if it has none, or if a choice is not properly closed."""
    parts: list[str | IcuArgument | IcuChoice] = []
    position = 0
    try:
        for start, end, choice in _found(text):
            parts += [text[position:start], choice]
            position = end
    except (ValueError, IndexError):
        return None
    return (*parts, text[position:]) if parts else None


def message_in(text: str) -> Message | None:
    """Like `parse`; also None if an arm contains markup, which must occur exactly once whatever the plural forms."""
    message = parse(text)
    parts = (part for choice in choices(message or ()) for part in _arm_parts(choice))
    return None if any(_MARK.search(part if isinstance(part, str) else part.raw) for part in parts) else message


def spans(text: str) -> list[tuple[int, int]]:
    """The positions of choices whose arms contain translatable text. Runs in linear time."""
    found = []
    with suppress(ValueError, IndexError):
        for start, end, choice in _found(text):
            if any(isinstance(part, str) and any(map(str.isalpha, part)) for part in _arm_parts(choice)):
                found.append((start, end))
    return found


def _found(text: str) -> Iterator[tuple[int, int, IcuChoice]]:
    position = 0
    while match := _START.search(text, position):
        choice, position = _choice(text, match, 0)
        yield match.start(), position, choice


def _arm_parts(choice: IcuChoice) -> Iterator[str | IcuArgument]:
    for each in choices((choice,)):
        for _, arm in each.arms:
            yield from (part for part in arm if not isinstance(part, IcuChoice))


def choices(message: Message) -> Iterator[IcuChoice]:
    """All choices in a message, including nested ones."""
    for part in message:
        if isinstance(part, IcuChoice):
            yield part
            for _, arm in part.arms:
                yield from choices(arm)


def readings(message: Message) -> Iterator[Reading]:
    """A message as its readers see it: with every arm of every choice, in all combinations unless there are many."""
    selectors: dict[str, dict[str, None]] = {}
    for choice in choices(message):
        selectors.setdefault(choice.name, {}).update(dict.fromkeys(key for key, _ in choice.arms))
    count = 1
    for keys in selectors.values():
        count *= len(keys)
    if count <= _MOST_READINGS:
        every = [dict(zip(selectors, keys, strict=True)) for keys in product(*selectors.values())]
    else:
        every = [{name: key} for name, keys in selectors.items() for key in keys]
    for arms in every:
        yield read(message, arms)


def read(message: Message, arms: Mapping[str, str]) -> Reading:
    """A message with these arms, by the name of the argument; `other` for arguments or arms that are missing."""
    text, arguments, numbers = "", [], 0
    for part in message:
        if isinstance(part, str):
            text += part
        elif part == NUMBER:
            numbers += 1
        elif isinstance(part, IcuArgument):
            arguments.append(" ".join(part.raw.split()))
        else:
            known = dict(part.arms)
            inner = read(known.get(arms.get(part.name, ""), known["other"]), arms)
            text += inner.text
            arguments += inner.arguments
            numbers += inner.numbers
    return Reading(arms, text, tuple(sorted(arguments)), numbers)


def forms(choice: IcuChoice, target: Language) -> tuple[str, ...]:
    """The plural forms that a choice needs in translation, besides its arms for exact numbers."""
    exactly = {int(key[1:]) for key in exact(choice)}
    offset = int(choice.offset or 0)
    numbers = _numbers(target.tag, choice.kind)
    needed = {form for form, covered in numbers.items() if any(number + offset not in exactly for number in covered)}
    return tuple(form for form in FORMS if form in {*needed, "other"})


def exact(choice: IcuChoice) -> list[str]:
    """The arms for exact numbers, such as `=0`."""
    return [key for key, _ in choice.arms if key.startswith("=")]


def source_arm(choice: IcuChoice, selector: str) -> str:
    """The source arm from which this arm of the translation is made."""
    return selector if selector in dict(choice.arms) else "other"


def _locale(tag: str) -> babel.Locale | None:
    try:
        return babel.Locale.parse(tag, sep="-")
    except (babel.UnknownLocaleError, ValueError):
        return None


@lru_cache(maxsize=512)
def _numbers(tag: str, kind: str) -> Mapping[str, frozenset[int]]:
    """The ordinary numbers for each plural form; only `other` if the language is unknown."""
    locale = _locale(tag)
    if locale is None:
        return {"other": frozenset(_ORDINARY)}
    rule = locale.ordinal_form if kind == "selectordinal" else locale.plural_form
    found: dict[str, set[int]] = {}
    for number in _ORDINARY:
        found.setdefault(rule(number), set()).add(number)
    return {form: frozenset(numbers) for form, numbers in found.items()}


def possible_forms(tag: str, kind: str) -> frozenset[str]:
    """All plural forms of a language; all that exist if the language is unknown."""
    locale = _locale(tag)
    if locale is None:
        return frozenset(FORMS)
    rule = locale.ordinal_form if kind == "selectordinal" else locale.plural_form
    return frozenset({*rule.tags, "other"})


def is_one_word(choice: IcuChoice, selector: str, target: Language) -> bool:
    """Whether an arm covers so few numbers that a word can express them: "a file", two files in Arabic."""
    covered = _numbers(target.tag, choice.kind).get(selector, frozenset({_ORDINARY[-1]}))
    return selector.startswith("=") or max(covered) <= _SPOKEN


def pairs(source: Message, translated: Message) -> Iterator[tuple[Reading, Reading]]:
    """Each reading of a translation, with the source reading that it is made from."""
    known = {each.name: each for each in choices(source)}
    for own in readings(translated):
        arms = {name: source_arm(known[name], key) if name in known else key for name, key in own.arms.items()}
        yield own, read(source, arms)


def _choice(text: str, match: re.Match[str], depth: int) -> tuple[IcuChoice, int]:
    """Parse the choice that starts with `match`; return it and its end.

    Raises:
        ValueError: it is not closed, or has no arm `other`.
    """
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    position, offset = match.end(), ""
    if found := _OFFSET.match(text, position):
        position, offset = found.end(), found[1]
    arms: list[tuple[str, Message]] = []
    while selector := _SELECTOR.match(text, position):
        arm, position = _arm(text, selector.end(), depth, in_plural=match["kind"] != "select")
        arms.append((selector[1], arm))
    end = _END.match(text, position)
    if end is None or "other" not in dict(arms):
        raise ValueError("no end")
    return IcuChoice(match["name"], match["kind"], offset, tuple(arms)), end.end()


def _arm(text: str, position: int, depth: int, *, in_plural: bool) -> tuple[Message, int]:
    """The message that starts at `position`, and the position after its closing brace."""
    parts: list[str | IcuArgument | IcuChoice] = [""]

    def add(part: str) -> None:
        if isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)

    while (sign := text[position]) != "}":
        if sign == "'":
            quoted, position = _quoted(text, position)
            add(quoted)
        elif sign == "{":
            if head := _START.match(text, position):
                choice, position = _choice(text, head, depth + 1)
                parts.append(choice)
            elif simple := _SIMPLE.match(text, position):
                parts.append(IcuArgument(simple[0]))
                position = simple.end()
            else:
                raise ValueError("no argument")
        elif sign == "#" and in_plural:
            parts.append(NUMBER)
            position += 1
        else:
            add(sign)
            position += 1
    return tuple(part for part in parts if part != ""), position + 1


def _quoted(text: str, position: int) -> tuple[str, int]:
    """The text for an apostrophe at `position`, and the position after it."""
    if text.startswith("''", position):
        return "'", position + 2
    if text[position + 1 : position + 2] not in ("{", "}", "#", "|") or not text[position + 1 : position + 2]:
        return "'", position + 1
    end = position + 1
    literal = ""
    while end < len(text):
        if text.startswith("''", end):
            literal += "'"
            end += 2
        elif text[end] == "'":
            return literal, end + 1
        else:
            literal += text[end]
            end += 1
    raise ValueError("an apostrophe is not closed")
