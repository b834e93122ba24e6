"""Common parts of all prompts: encoding content as data, and estimating the length of a text."""

import json
import re
import unicodedata


def count_tokens(text: str) -> int:
    """The estimated number of tokens in `text`: one per four letters, or per Chinese or Japanese character."""
    if text.isascii():
        return len(text) // 4
    wide = sum(unicodedata.east_asian_width(letter) in {"W", "F"} for letter in text)
    return wide + (len(text) - wide) // 4


def as_data(value: object, *, element: str) -> str:
    """`value` as JSON that cannot close the surrounding element: `\\/` equals `/` in JSON."""
    text = json.dumps(value, ensure_ascii=False)
    # Models accept a closing tag in capitals, too.
    return re.sub(rf"<(?=/\s*{element})", r"<\\", text, flags=re.IGNORECASE)
