"""ICU messages: recognition, checks of their translations, and their handling by each engine."""

# ruff: noqa: E501 - tables

import time

import pytest

from directus_assets.translation import icu
from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects
from directus_assets.translation.engines.openai_prompt import messages
from directus_assets.translation.engines.protocol import AskedSegment, Request
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.icu_parts import Unfolded
from directus_assets.translation.languages import language
from directus_assets.translation.segments import TextKind, cut

FILES = "{count, plural, one {# file} other {# files}}"
INBOX = "Hello {name}, you have {n, plural, =0 {no mail} one {# letter from {sender}} other {# letters from {sender}}} today."
RIGHT: list[tuple[str, str, str]] = [
    ("en de", FILES, "{count, plural, one {# Datei} other {# Dateien}}"),
    ("en de", FILES, "{count, plural, one {eine Datei} other {# Dateien}}"),
    ("en ru", FILES, "{count, plural, one {# файл} few {# файла} many {# файлов} other {# файла}}"),
    ("en ar", FILES, "{count, plural, zero {لا ملفات} one {ملف واحد} two {ملفان} few {# ملفات} many {# ملفا} other {# ملف}}"),
    ("en ja", FILES, "{count, plural, other {#個のファイル}}"),
    ("en he", FILES, "{count, plural, one {קובץ אחד} two {שני קבצים} other {# קבצים}}"),
    ("en pl", FILES, "{count,plural,one{# plik}few{# pliki}many{# plików}other{# pliku}}"),
    ("en es", FILES, "{count, plural, one {# archivo} other {# archivos}}"),
    ("en es", FILES, "{count, plural, one {# archivo} many {# de archivos} other {# archivos}}"),
    ("en cs", FILES, "{count, plural, one {# soubor} few {# soubory} other {# souborů}}"),
    ("ja en", "{n, plural, other {#個のファイル}}", FILES.replace("count", "n")),
    ("en ru", "{n, plural, one {1 file} other {# files}}", "{n, plural, one {# файл} few {# файла} many {# файлов} other {# файла}}"),
    ("en de", "{n, plural, one {1 file} other {# files}}", "{n, plural, one {1 Datei} other {# Dateien}}"),
    ("en de", "{n, plural, =1 {A file} other {# files}}", "{n, plural, =1 {Eine Datei} other {# Dateien}}"),
    ("en de", INBOX, "Hallo <x1/>, du hast heute {n, plural, =0 {keine Post} one {# Brief von {sender}} other {# Briefe von {sender}}}."),
    ("en ja", INBOX, "<x1/>さん、今日は{n, plural, =0 {メールはありません} other {{sender}から#通の手紙があります}}。"),
    ("en de", "{g, select, male {He liked it} female {She liked it} other {They liked it}}", "{g, select, male {Ihm gefiel es} female {Ihr gefiel es} other {Ihnen gefiel es}}"),
    ("en de", "{n, selectordinal, one {#st place} two {#nd place} few {#rd place} other {#th place}}", "{n, selectordinal, other {#. Platz}}"),
    ("de en", "{n, selectordinal, other {#. Platz}}", "{n, selectordinal, one {#st place} two {#nd place} few {#rd place} other {#th place}}"),
    ("en fr", "{n, plural, offset:1 =0 {Nobody likes it} =1 {{who} likes it} one {{who} and # other} other {{who} and # others}}", "{n, plural, offset:1 =0 {Personne n''aime} =1 {{who} aime} one {{who} et # autre} other {{who} et # autres}}"),
    ("en fr", "{n, plural, one {# day left} other {# days left}}", "{n, plural, one {# jour d'été} other {# jours d'été}}"),
    ("en ru", "{g, select, a {{n, plural, one {He has # cat} other {He has # cats}}} other {{n, plural, one {They have # cat} other {They have # cats}}}}", "{g, select, a {{n, plural, one {У него # кот} few {У него # кота} many {У него # котов} other {У него # кота}}} other {{n, plural, one {У них # кот} few {У них # кота} many {У них # котов} other {У них # кота}}}}"),
    # the choice may be turned inside out, as long as each reader sees the same
    ("en de", "You own {n, plural, one {# house} other {# houses}}.", "{n, plural, one {Du besitzt # Haus.} other {Du besitzt # Häuser.}}"),
]  # fmt: skip
WRONG: list[tuple[str, str, str]] = [
    ("en ru", FILES, "{count, plural, one {# файл} other {# файлов}}"),
    ("en ru", FILES, "{count, plural, one {файл} few {# файла} many {# файлов} other {# файла}}"),
    ("en ar", FILES, "{count, plural, one {ملف واحد} other {# ملف}}"),
    ("en de", FILES, "{count, plural, one {# Datei} few {# Dateien} other {# Dateien}}"),
    ("en de", FILES, "{Anzahl, plural, one {# Datei} other {# Dateien}}"),
    ("en de", FILES, "{count, Mehrzahl, eins {# Datei} andere {# Dateien}}"),
    ("en de", FILES, "{count, plural, eine {# Datei} andere {# Dateien}}"),
    ("en de", FILES, "{count, plural, one {# Datei} other {# Dateien}"),
    ("en de", FILES, "{count, plural, one {# Datei} other # Dateien}"),
    ("en de", FILES, "{count, plural, one {# Datei} other {Dateien}}"),
    ("en de", FILES, "{count, plural, one {# Datei} other {# # Dateien}}"),
    ("en de", FILES, "# Dateien"),
    ("en de", FILES, "{count, plural, one {# Datei} other {# Dateien}} <script>alert(1)</script>"),
    ("en de", FILES, "{count, plural, one {# Datei {{secret}}} other {# Dateien}}"),
    ("en de", FILES, "{count, plural, one {# Datei} other {7 Dateien}}"),
    ("en de", INBOX, "Hallo <x1/>, du hast heute {n, plural, =0 {keine Post} one {# Brief} other {# Briefe von {sender}}}."),
    ("en de", INBOX, "Hallo <x1/>, du hast heute {n, plural, =0 {keine Post} one {# Brief von {Absender}} other {# Briefe von {Absender}}}."),
    ("en de", INBOX, "Hallo <x1/>, du hast heute {n, plural, one {# Brief von {sender}} other {# Briefe von {sender}}}."),
    ("en de", INBOX, "Hallo, du hast heute {n, plural, =0 {keine Post} one {# Brief von {sender}} other {# Briefe von {sender}}}."),
    ("en fr", INBOX, "Bonjour <x1/>, {n, plural, =0 {rien} one {# lettre d'{sender}} other {# lettres d'{sender}}} aujourd'hui."),
    ("en fr", "My {n, plural, one {# year} other {# years}} here", "J'ai d'{n, plural, one {# an} other {# ans}} ici"),
    ("en de", "{g, select, male {He liked it} female {She liked it} other {They liked it}}", "{g, select, männlich {Ihm gefiel es} weiblich {Ihr gefiel es} other {Ihnen gefiel es}}"),
    ("en de", "{g, select, male {He liked it} other {They liked it}}", "{g, select, other {Ihnen gefiel es}}"),
    ("en de", "{n, selectordinal, one {#st place} two {#nd place} few {#rd place} other {#th place}}", "{n, selectordinal, one {#st Platz} two {#nd Platz} few {#rd Platz} other {#th Platz}}"),
    ("en fr", "{n, plural, offset:1 one {{who} and # other} other {{who} and # others}}", "{n, plural, one {{who} et # autre} other {{who} et # autres}}"),
    ("en de", "You have {n, plural, one {# good friend in this town} other {# good friends in this town}}", "You have {n, plural, one {# good friend in this town} other {# good friends in this town}}"),
    ("en de", "{n, plural, one {It costs 15 euros} other {They cost 15 euros}}", "{n, plural, one {Es kostet 51 Euro} other {Sie kosten 15 Euro}}"),
    ("en ja", FILES, "{count, plural, one {#個のファイル} other {#個のファイル}}"),
]  # fmt: skip


def verdict(pair: str, source: str, answer: str, kind: TextKind = TextKind.PLAIN) -> tuple[str, ...]:
    (segment,) = cut(source, kind).segments
    before, after = map(language, pair.split())
    return defects(Case(segment=segment, answer=answer, source=before, target=after))


@pytest.mark.parametrize(("pair", "source", "answer"), RIGHT)
def test_a_right_translation_of_a_message_passes(pair: str, source: str, answer: str) -> None:
    assert verdict(pair, source, answer) == ()
    assert verdict(pair, source, answer, TextKind.HTML) == ()


@pytest.mark.parametrize(("pair", "source", "answer"), WRONG)
def test_a_message_with_broken_arms_is_refused(pair: str, source: str, answer: str) -> None:
    assert verdict(pair, source, answer)


@pytest.mark.parametrize("kind", [TextKind.PLAIN, TextKind.HTML, TextKind.MARKDOWN])
@pytest.mark.parametrize("source", [FILES, INBOX])
def test_a_message_is_put_back_as_it_was_translated(source: str, kind: TextKind) -> None:
    document = cut(source, kind)
    (segment,) = document.segments
    answer = pseudo(segment.text, target=language("ru"))

    assert verdict("en ru", source, answer, kind) == ()
    spliced = str(document.splice({segment.id: answer}, language="ru"))
    assert spliced == answer.replace("<x1/>", "{name}")
    assert " few {" in spliced
    assert " many {" in spliced
    (again,) = cut(spliced, kind).segments
    assert again.text == answer


@pytest.mark.parametrize(
    "target", ["de", "ru", "ar", "he", "fa", "ja", "cs", "lv", "cy", "sl", "zh-Hant", "pt-BR", "ga"]
)
@pytest.mark.parametrize("source", sorted({source for _, source, _ in RIGHT}))
def test_every_language_gets_its_plural_forms_from_an_engine_that_knows_no_icu(source: str, target: str) -> None:
    (segment,) = cut(source, TextKind.PLAIN).segments
    answer = pseudo(segment.text, target=language(target))
    before, after = language("en"), language(target)

    assert defects(Case(segment=segment, answer=answer, source=before, target=after, is_pseudo=True)) == ()


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("Pay {amount, number, ::currency/EUR} now", ["Pay <x1/> now"]),
        ("On {day, date, long} at {name}", ["On <x1/> at <x2/>"]),
        ("{n, plural, other {#}}", []),
        ("Bad {n, plural, one {# file} now", ["Bad {n, plural, one <x1/> now"]),
        ("A formula \\(a^2\\), a tag *|NAME|* and $t(key) stay", ["A formula <x1/>, a tag <x2/> and <x3/> stay"]),
        ("{{count}} of {n, plural, other {# cats}}", ["<x1/> of {n, plural, other {# cats}}"]),
        ("{n, plural, other {see https://example.com/a or a@example.com}}", ["{n, plural, other {see https://example.com/a or a@example.com}}"]),
    ],
)  # fmt: skip
def test_only_messages_with_something_to_translate_are_shown(text: str, texts: list[str]) -> None:
    document = cut(text, TextKind.PLAIN)

    assert [each.text for each in document.segments] == texts
    assert document.splice({}) == text


def test_markup_within_an_arm_stays_what_it_is_in_every_language() -> None:
    source = "You have {n, plural, one {<b>#</b> file} other {<b>#</b> files}} here"
    answer = "Du hast {n, plural, one {<g1>#</g1> Datei} other {<g2>#</g2> Dateien}} hier"

    assert verdict("en de", source, answer, TextKind.HTML) == ()
    assert verdict("en de", source, answer.replace("<g2>#</g2>", "#"), TextKind.HTML)
    (segment,) = cut(source, TextKind.HTML).segments
    assert pseudo(segment.text, target=language("ja")).count("<g1>") == 1


def test_quoting_is_read_as_icu_reads_it() -> None:
    message = icu.parse("{n, plural, other {It''s '{not}' a '#' but # and l'eau '' of '{'it''s'}'}}")
    assert message

    (reading,) = icu.readings(message)

    assert (reading.text, reading.numbers) == ("It's {not} a # but  and l'eau ' of {it's}", 1)
    folded = Unfolded.of(message)
    again = icu.parse(str(folded.folded(folded.texts, language("ja"))))
    assert again
    assert [each.text for each in icu.readings(again)] == [reading.text]


def test_the_prompt_names_the_arms_only_where_there_are_any() -> None:
    def prompt(text: str) -> str:
        request = Request(source=language("en"), target=language("ru"), segments=(AskedSegment(key="k", text=text),))
        return messages(request)[1][1]

    assert "{count, plural, …} has these arms: one, few, many, other." in prompt(FILES)
    assert "ICU" not in prompt("{count} files, plural")


def test_a_hostile_text_takes_no_time() -> None:
    started = time.process_time()

    for text in (
        "{a,plural,other {'{" * 5_000,
        "{a,plural,other {" * 5_000,
        "{a,plural,other {x}}" * 2_000,
        "{" * 50_000,
    ):
        cut(text, TextKind.PLAIN)

    assert time.process_time() - started < 10
