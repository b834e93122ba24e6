"""Human translations from a real project pass the checks, except where people have shortened the text."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects
from directus_assets.translation.languages import language
from directus_assets.translation.segments import Segment, TextKind, cut

CONTENT = Path("shared", "projects", "cms-i18n", "src", "content")
FOLDERS = [parent / CONTENT for parent in Path(__file__).resolve().parents[2:5]]
NO_TEXT = {"id", "sort", "status", "slug", "permalink", "icon", "languages_code", "user_created", "user_updated"}


def pairs(folder: Path) -> Iterator[tuple[str, Segment, Segment]]:
    """Segments with people's translations, except texts that people have split differently."""
    for path in sorted(folder.glob("*_translations.json")):
        parents = path.with_name(path.name.replace("_translations", ""))
        sources = {str(row["id"]): row for row in rows(parents)}
        for row in rows(path):
            own = {str(value) for name, value in row.items() if name not in NO_TEXT}
            source = next((sources[key] for key in own if key in sources), {})
            for name, text in row.items():
                original = source.get(name)
                if name in NO_TEXT or name.startswith("date_") or not isinstance(text, str):
                    continue
                if isinstance(original, str) and original not in sources:
                    kind = TextKind.HTML if "</" in original else TextKind.PLAIN
                    before, after = cut(original, kind).segments, cut(text, kind).segments
                    if len(before) == len(after):
                        yield from ((row["languages_code"], *both) for both in zip(before, after, strict=True))


def rows(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text("utf-8")) if path.exists() else []
    return found if isinstance(found, list) else [found]


def test_of_what_people_have_translated_hardly_anything_is_refused() -> None:
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    if folder is None:
        pytest.skip("The real project is not beside this checkout.")
    english, judged, refused = language("en-US"), 0, []
    for code, source, answer in pairs(folder):
        if [each.paired for each in source.placeholders] != [each.paired for each in answer.placeholders]:
            continue
        found = defects(Case(segment=source, answer=answer.text, source=english, target=language(code)))
        # People summarise now and then, which an engine must not do.
        if any("far shorter" in sentence or "sentences" in sentence for sentence in found):
            continue
        judged += 1
        refused += [(source.text, answer.text, found)] if found else []

    assert judged >= 300
    assert len(refused) <= judged / 100, refused
