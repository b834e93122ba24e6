"""Checks translations of ICU messages (`icu`) as their readers would see them."""

import re
from collections.abc import Sequence

from directus_assets.translation.icu import (
    IcuChoice,
    Message,
    choices,
    exact,
    forms,
    is_one_word,
    pairs,
    parse,
    possible_forms,
    read,
)
from directus_assets.translation.languages import Language


def broken(source: Message, answer: str, target: Language) -> str | None:
    """The defect in the braces of an answer to a text with choices; None if there is none."""
    translated = parse(answer)
    if translated is None:
        return "The ICU message is broken: every { needs its }, and before a { an apostrophe is written twice."
    before, after = list(choices(source)), list(choices(translated))
    lost = {each.identity for each in before} ^ {each.identity for each in after}
    if lost:
        name, kind, _ = min(lost)
        return f"Keep {{{name}, {kind}, …}} with its name, kind and offset as it is, and add no other."
    if re.search(r"(?<!')'(?=\{)", _around(translated)) and not re.search(r"(?<!')'(?=\{)", _around(source)):
        return "An apostrophe directly before a { is written twice in an ICU message."
    for choice in after:
        if wrong := _wrong_arms(choice, [each for each in before if each.identity == choice.identity], target):
            return wrong
    return _other_values(source, translated, target)


def _wrong_arms(choice: IcuChoice, originals: Sequence[IcuChoice], target: Language) -> str | None:
    keys = [key for key, _ in choice.arms]
    if len(set(keys)) != len(keys):
        return f"An arm of {{{choice.name}, {choice.kind}, …}} occurs twice."
    if not choice.is_plural:
        wanted = [dict(each.arms).keys() for each in originals]
        if set(keys) not in [set(each) for each in wanted]:
            return f"Keep the keys of {{{choice.name}, select, …}} as they are: {', '.join(wanted[0])}."
        return None
    possible = possible_forms(target.tag, choice.kind)
    if any({*exact(e), *forms(e, target)} <= set(keys) <= {*exact(e), *possible} for e in originals):
        return None
    arms = ", ".join([*exact(originals[0]), *forms(originals[0], target)])
    return f"{{{choice.name}, {choice.kind}, …}} needs exactly these arms in {target.name}: {arms}."


def _other_values(source: Message, translated: Message, target: Language) -> str | None:
    """A value that a reader would miss, or see too often."""
    plurals = {each.name: each for each in choices(source) if each.is_plural}
    for own, original in pairs(source, translated):
        where = ", ".join(f"{name}: {key}" for name, key in own.arms.items())
        if own.arguments != original.arguments:
            wanted = " ".join(original.arguments) or "none"
            return f"The values in the arm for {where} have to be those of the source, and as often: {wanted}."
        # English has no number in "one file", where other languages need one: that form may also cover 21.
        wants_number = read(source, {**own.arms, **dict.fromkeys(plurals, "other")}).numbers > 0 and not any(
            is_one_word(plurals[name], key, target) for name, key in own.arms.items() if name in plurals
        )
        if own.numbers < max(original.numbers, 1) and wants_number:
            return f"The number (#) is missing in the arm for {where}."
        if own.numbers > max(original.numbers, 1):
            return f"The number (#) is too often in the arm for {where}."
    return None


def _around(message: Message) -> str:
    """The text around the choices of a message, with a brace in place of each."""
    return "".join(part if isinstance(part, str) else "{" for part in message)
