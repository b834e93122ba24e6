"""What a language code tells."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from directus_assets.errors import BadInput
from directus_assets.translation.languages import doubt, language


@pytest.mark.parametrize(
    ("code", "name", "script", "is_rtl"),
    [
        ("de-DE", "German (Germany)", "Latn", False),
        ("de_AT", "German (Austria)", "Latn", False),
        ("ar-SA", "Arabic (Saudi Arabia)", "Arab", True),
        ("he", "Hebrew", "Hebr", True),
        ("zh-TW", "Chinese (Traditional, Taiwan)", "Hant", False),
        ("ja-JP", "Japanese (Japan)", "Jpan", False),
    ],
)
def test_name_script_and_direction_follow_from_the_code(code: str, name: str, script: str, is_rtl: bool) -> None:
    known = language(code)

    assert (known.name, known.script, known.is_rtl) == (name, script, is_rtl)


@pytest.mark.parametrize("code", ["german", "xx", "", "de-", "12", "../de"])
def test_an_unknown_code_is_named(code: str) -> None:
    with pytest.raises(BadInput, match="is not a language code"):
        language(code)


@pytest.mark.parametrize(
    ("code", "letter", "fits"),
    [
        ("de", "ß", True),
        ("ja", "ー", True),
        ("ja", "漢", True),
        ("zh", "あ", False),
        ("sr", "д", True),
        ("sr", "d", True),
        ("sr-Latn", "д", False),
        ("ru", "d", False),
    ],
)
def test_letters_belong_to_the_scripts_of_a_language(code: str, letter: str, fits: bool) -> None:
    assert language(code).writes(letter) is fits


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("cz", "cs (Czech)"),
        ("dk", "da (Danish)"),
        ("jp", "ja (Japanese)"),
        ("gr", "el (Greek)"),
        ("ua", "uk (Ukrainian) or ru-UA (Russian (Ukraine))"),
        ("cn", "zh-CN (Chinese (Simplified, China))"),
        ("vn", "vi (Vietnamese)"),
        ("at", "de-AT (German (Austria))"),
        ("US", "en-US (English (United States))"),
        ("cz-CZ", "cs (Czech)"),
        ("jp_JP", "ja (Japanese)"),
    ],
)
def test_who_wrote_the_code_of_a_country_is_told_that_of_its_language(code: str, meant: str) -> None:
    with pytest.raises(BadInput) as raised:
        language(code)

    assert f"did you mean {meant}?" in raised.value.remedy


@pytest.mark.parametrize("code", ["de_DE_formal", "german", "pt-Brazilian-x"])
def test_a_code_that_begins_with_no_country_is_not_called_one(code: str) -> None:
    with pytest.raises(BadInput) as raised:
        language(code)

    assert "country" not in raised.value.remedy


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("se", "'se' is Northern Sami; the code of Swedish is 'sv'."),
        ("SE", "'SE' is Northern Sami; the code of Swedish is 'sv'."),
        ("se-SE", "'se-SE' is Northern Sami; the code of Swedish is 'sv'."),
        ("kr", "'kr' is Kanuri; the code of Korean is 'ko'."),
        ("kr-KR", "'kr-KR' is Kanuri; the code of Korean is 'ko'."),
        ("br", "'br' is Breton; the code of Portuguese (Brazil) is 'pt-BR'."),
        ("br_BR", "'br_BR' is Breton; the code of Portuguese (Brazil) is 'pt-BR'."),
        ("ee", "'ee' is Ewe; the code of Estonian is 'et'."),
        ("tw", "'tw' is Twi; the code of Chinese (Traditional) is 'zh-Hant'."),
        ("ch", "'ch' is Chamorro; the code of German (Switzerland) is 'de-CH'."),
    ],
)
def test_the_code_of_a_small_language_that_is_a_large_country_s_is_doubtful(code: str, told: str) -> None:
    assert doubt(code, ["en-US", "de"]) == told


@pytest.mark.parametrize(
    ("code", "others"),
    [
        ("se", ["sv"]),
        ("se", ["en", "sv-SE"]),
        ("se", ["sv_SE"]),
        ("se-NO", []),
        ("br", ["pt-BR", "no such code"]),
        ("br-FR", []),
        ("tw", ["zh-Hant"]),
        ("sv", []),
        ("uk", []),
        ("ca", []),
        ("pt-BR", []),
    ],
)
def test_a_code_beside_what_it_may_be_mistaken_for_and_a_common_one_are_not_doubtful(
    code: str, others: list[str]
) -> None:
    assert doubt(code, others) == ""


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Threads that hardly ever finish what they are doing before another one has its turn."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("impatient_threads")
def test_many_threads_may_ask_for_the_same_language_at_once() -> None:
    countries = ("AT", "BE", "CH", "DK", "ES", "FR", "GB", "IT", "JP", "KE", "LU", "MX", "NO", "PL", "RO", "SE")
    bases = ("af", "bg", "ca", "cs", "da", "el", "et", "eu", "fi", "ga", "gl", "gu", "hr", "hu", "hy", "id")
    others = ("is", "ka", "kk", "km", "kn", "lt", "lv", "mk", "ml", "mr", "mt", "nl", "sk", "sl", "sq", "vi")
    codes = [f"{base}-{country}" for base in bases + others for country in countries]

    with ThreadPoolExecutor(8) as pool:
        tags = list(pool.map(lambda code: language(code).tag, [code for code in codes for _ in range(8)]))

    assert tags == [code for code in codes for _ in range(8)]
