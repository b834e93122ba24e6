"""What a language code says."""

import pytest

from directus_assets.errors import BadInput
from directus_assets.translation.languages import language


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
    with pytest.raises(BadInput, match="is not the code of a language"):
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
