"""What every prompt needs: content that stays data, and about how long a text is."""

import json
import re
import unicodedata


def count_tokens(text: str) -> int:
    """About how many tokens `text` has, for estimates: one for four letters, or for one of Chinese or Japanese."""
    wide = sum(unicodedata.east_asian_width(letter) in {"W", "F"} for letter in text)
    return wide + (len(text) - wide) // 4


def as_data(value: object, *, element: str) -> str:
    """`value` as JSON that cannot close the element that it stands in: `\\/` is the same as `/` in JSON."""
    text = json.dumps(value, ensure_ascii=False)
    # Models take an element for closed in capitals, too.
    return re.sub(rf"<(?=/\s*{element})", r"<\\", text, flags=re.IGNORECASE)
