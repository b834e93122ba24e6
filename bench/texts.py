"""Posts to translate: plain English words in paragraphs of fifty, different in each."""

import random
from typing import Any

_VOCABULARY = (
    "about after again bread bring carry change clear coffee corner cover early evening every field first flour follow "
    "garden grain ground handle happen heavy house kitchen large later leave letter light little market matter middle "
    "morning never notice often order other paper people place plain quiet reason river round season second simple "
    "small spring stone street summer table their there thing though through today under until usual water weather "
    "week where which while winter within without wooden work world write year young"
)
_PER_PARAGRAPH = 50


def post(title: str, *, paragraphs: int, seed: int = 0) -> dict[str, Any]:
    """A post with a source row in `en-US`, in the form accepted by `/items/posts`."""
    row = {"languages_code": "en-US", "title": title, "body": body(paragraphs, seed=seed)}
    return {"status": "published", "translations": [row]}


def body(paragraphs: int, *, seed: int = 0) -> str:
    """HTML; the same for the same arguments."""
    source = random.Random(seed)
    return "\n".join(f"<p>{paragraph(source)}</p>" for _ in range(paragraphs))


def paragraph(source: random.Random) -> str:
    """Five sentences of ten words."""
    words = _VOCABULARY.split()
    sentences = (" ".join(source.choices(words, k=10)).capitalize() + "." for _ in range(_PER_PARAGRAPH // 10))
    return " ".join(sentences)
