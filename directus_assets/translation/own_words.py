"""Checks whether an answer contains the engine's own words, contains no words at all, or is wrapped in something."""

import functools
import itertools
import re
from typing import Final

import babel

from directus_assets.translation.case import WORD, Case
from directus_assets.translation.languages import Language

# "Translation" in 40 languages.
_WORDS_FOR_IT: Final = (
    r"translations?\b|translated text\b|übersetzung|überset[zt]\w*|traduc\w+|traduz\w+|tradução|tradui\w*"
    r"|vertaling|vertaald\w*"
    r"|översättning|oversættelse|oversettelse|käännös|tłumaczenie|przekład|překlad|preklad|prevod|prijevod|fordítás|traducere"
    r"|çeviri\b|tercüme|terjemahan|bản dịch"
    r"|tõlge|vertimas|tulkojums|перевод|переклад|пераклад|превод|μετάφραση"
    r"|翻訳|翻译|翻譯|译文|譯文|訳文|번역|ترجمة|الترجمة|ترجمه|ترجمہ|תרגום|अनुवाद|ভাষান্তর|অনুবাদ|மொழிபெயர்ப்பு|คำแปล|แปล"
)
_ABOUT_IT: Final = re.compile(rf"(?i)translat|{_WORDS_FOR_IT}")
_LABEL: Final = re.compile(
    rf"^[^\n]{{0,40}}?(?:\b|_)?(?:{_WORDS_FOR_IT})[^\n:\uff1a.!?]{{0,30}}[:\uff1a]", re.IGNORECASE
)
_ROLE: Final = re.compile(
    r"^\W*(?:assistant|answer|output|response|result|target|translator|s\d{1,3}|segment \d+|antwort|réponse|respuesta)"
    r"\s*[:\uff1a]",
    re.IGNORECASE,
)
_COLON: Final = re.compile(r"[:\uff1a]")
_LEAKS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:sure|certainly|of course|okay)[,!.:]\s+(?:here|i)\b",
        r"\bas an ai (?:language )?(?:model|assistant)\b",
        r"\((?:note|translator['\u2019]?s note|n\.? ?d\.? ?t|anm\. ?d)\b.*\)",
        r"```|<\|(?:im_|end|eot|start|begin)|</?s>|\[/?INST\]|\bsource_segments\b",
        r"^\W*(?:todo|fixme|tbd)\b",
    )
)
# English that is not a translation into another language.
_ENGLISH: Final = re.compile(
    r"(?i)\bas an ai\b|\bi(?:'m| am) sorry, (?:but )?i\b|\bi (?:can(?:no|')t|am unable to) (?:assist|help)\b"
    r"|\bnote: (?=.*\b(?:the|this|is|i)\b)|\blet me know if\b|\bhope (?:this|that) helps\b|\bfeel free to\b"
)
# What a model says instead of, or about, a translation; ignored if the source itself is about translating.
_TALK: Final = re.compile(
    r"(?i)^\W*here(?:'s|\u2019s| is| are)\b.{0,40}\btranslat|\b(?:can(?:no|')t|unable to|not able to) translate\b"
    r"|\bnicht übersetzen\b|\bne (?:peux|puis) pas (?:le |la |les )?traduire|\bno puedo traducir|\bnon posso tradurre"
    r"|\bnão posso traduzir|\bkan (?:dit|dat|ik)?\s*niet vertalen|не могу перевести"
    r"|не можу перекласти|翻訳できません|翻訳することはできません"
    r"|无法翻译|無法翻譯|번역할 수 없|لا (?:أستطيع|يمكنني) ترجمة"
    r"|nie mogę przetłumaczyć|çeviremem|\balready in (?:German|English|French|Spanish)\b"
)
# An alternative, or an explanation, in brackets.
_ASIDE: Final = re.compile(
    r"(?i)[(\uff08\[](?:or|alternativ\w*|literal\w*|lit\.|oder|wörtlich|bzw\.?|ou|littéralement|o bien"
    r"|oppure|letteralmente|literalmente|of|ofwel"
    r"|lub|dosłownie|letterlijk|ordret|ordagrant|bokstav\w+|sananmukaisesti|szó szerint|harfiyen|doslovno|dobesedno"
    r"|дослівно|κυριολεκτικά|secara harfiah|nghĩa đen|حرفي\w*|מילולית|शाब्दिक"
    r"|или|либо|буквально|或|或者|直译|または|直訳|또는|veya|atau|hoặc|eller|tai|nebo|doslova|vagy|או|أو)"
    r"[\s:\uff1a,][^()\[\]\uff08\uff09]*[)\uff09\]]"
)
# What models and programs wrap answers in: JSON, emphasis, a heading, a list, brackets, quotes.
_WRAPPERS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'^[\[{]\s*["{].*[\]}]$',
        r"\*\*|__",
        r"^#{1,6} ",
        r"^\[.*\]$",
        r"(?<![\w`])`[^`\n]+`(?!\w)",
        r"(?<![\w*])\*(?![\s*])[^*\n]+(?<!\s)\*(?![\w*])",
        r"^\s*[-*•] (?=\S)",
    )
)
_NUMBERED: Final = re.compile(r"^1[.)] ")
_QUOTED: Final = re.compile(
    r"^(?:\".*\"|'.*'|„.*[“”\"]|“.*”|‘.*’|‚.*[‘’]|«.*»|».*«|”.*”|「.*」|『.*』|《.*》|〈.*〉)[.。]?$", re.DOTALL
)
_ANY_QUOTE: Final = re.compile("[\"“”„«»「『《〈‘‚”]|(?<!\\w)'|(?<!\\w)’")
_NOTHING: Final = re.compile(r"(?:null|NaN|undefined|\[object Object\])\.?")
_NONE: Final = re.compile(r"(?i)(?:n/a|none|\W?(?:empty|blank|no translation|untranslated)\W?)\.?")
_NOT: Final = re.compile(
    r"(?i)\b(?:not?|none|nothing|without|un\w+|nicht|kein\w*|ohne|leer|non|pas|aucune?|sans|vide"
    r"|sin|ning[uú]n\w*|não|nenhum\w*|nessun\w*|geen"
    r"|ingen|inte|ikke|не|нет|ні|nie|brak|žádn\w*)\b|無|无|なし|ない|未|없|ไม่|لا|غير|לא|אין|नहीं"
)
_FIRST: Final = re.compile(
    r"(?i)\d|\b(?:first|one|erst|premi|prim|eerst|först|først|pierwsz|první|перв|перш|[IVX]+\b)|一|第"
)
_FEW_LETTERS: Final = 6
_SLASHES: Final = re.compile(r"\s[/|]\s|\s?\uff0f\s?")


def own_words(case: Case) -> str | None:
    """The engine comments on its answer, or addresses us."""
    has_new_colon = len(_COLON.findall(case.answer)) > len(_COLON.findall(case.text))
    patterns = [*_LEAKS]
    if has_new_colon:
        patterns += [_LABEL, _ROLE, _name_label(case.source, case.target)]
    if case.target.base != "en":
        patterns.append(_ENGLISH)
    if not _ABOUT_IT.search(case.text):
        patterns.append(_TALK)
    for pattern in patterns:
        if (match := pattern.search(case.answer)) and not pattern.search(case.text):
            return (
                f"There are words of your own in the translation: '{match[0][:60]}'. Answer with the translation only."
            )
    return None


def several_versions(case: Case) -> str | None:
    """An alternative translation, after a slash or in brackets."""
    aside = _ASIDE.search(case.answer)
    if aside and len(re.findall("[(\uff08]", case.answer)) > len(re.findall("[(\uff08]", case.text)):
        return f"There is more than one translation: '{aside[0][:60]}'. Give one."
    if len(_SLASHES.findall(case.answer)) <= len(_SLASHES.findall(case.text)) or _joins(case):
        return None
    parts = [part.strip() for part in _SLASHES.split(case.answer)]
    beginnings = [{word[:3].casefold() for word in WORD.findall(part)} for part in parts]
    # "Lehrer / Lehrerin" is one word for both, and "5 € / Monat" a price.
    is_apart = all(beginnings) and not any(one & other for one, other in itertools.pairwise(beginnings))
    if is_apart and not any(map(str.isdigit, case.answer)):
        return f"There is more than one translation: '{case.answer[:60]}'. Give one."
    return None


def wrapped_up(case: Case) -> str | None:
    """Something around or in the text that the source does not have."""
    is_wrapped = any(len(each.findall(case.answer)) > len(each.findall(case.text)) for each in _WRAPPERS)
    is_counted = _NUMBERED.match(case.answer) and not _FIRST.search(case.text)
    is_quoted = _QUOTED.match(case.answer) and not _ANY_QUOTE.search(case.text) and not _is_title(case)
    if is_wrapped or is_counted or is_quoted:
        return "The translation is wrapped in quotes, brackets, list marks or emphasis that the source does not have."
    return None


def no_words(case: Case) -> str | None:
    """An answer without content."""
    answer = case.bare_answer.strip()
    if sum(map(str.isalpha, case.bare_text)) <= _FEW_LETTERS:
        return None
    is_none = _NONE.fullmatch(answer) and not _NOT.search(case.text)
    says_nothing = is_none or _NOTHING.fullmatch(answer) or not any(map(str.isalnum, answer))
    return "The translation holds no words." if says_nothing else None


def _is_title(case: Case) -> bool:
    """Whether the source may be the title of a work, for which some languages use quotation marks."""
    if case.answer.startswith(('"', "'")):
        return False
    words = case.words
    return case.source.has_no_spaces or all(word[0].isupper() or len(word) < 4 for word in words) or len(words) < 2


def _joins(case: Case) -> bool:
    """Whether the source names several things, which a slash may separate."""
    text = case.bare_text.casefold()
    if case.source.has_no_spaces or any(sign in text for sign in "/|&+,;、，·–—") or " - " in text:
        return True
    return bool(_connectives(case.source) & {word.casefold() for word in case.words})


@functools.lru_cache(maxsize=128)
def _connectives(language: Language) -> frozenset[str]:
    """The words for "and", "or" and "per"."""
    return and_or(language) | {"per", "pro", "par", "por", "a", "an", "à", "na", "за", "på"}


@functools.lru_cache(maxsize=128)
def and_or(language: Language) -> frozenset[str]:
    """The words for "and" and "or"."""
    found: set[str] = set()
    try:
        patterns = babel.Locale.parse(language.tag, sep="-").list_patterns
    except (babel.UnknownLocaleError, ValueError):
        return frozenset(found)
    for kind in ("standard", "or"):
        found |= set(re.sub(r"\{\d\}", " ", patterns.get(kind, {}).get("2", "")).casefold().split())
    return frozenset(found)


@functools.lru_cache(maxsize=512)
def _name_label(source: Language, target: Language) -> re.Pattern[str]:
    """The name of the language, followed by a colon."""
    names = {target.name.partition(" (")[0]}
    for shown_in in (source, target):
        try:
            name = babel.Locale.parse(target.base).get_language_name(shown_in.base)
        except (babel.UnknownLocaleError, ValueError):
            continue
        names |= {name} if name else set()
    return re.compile(rf"(?i)^\W*(?:{'|'.join(map(re.escape, sorted(names)))})\W{{0,3}}[:\uff1a]")
