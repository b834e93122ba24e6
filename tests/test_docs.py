"""The docs are consistent: links lead somewhere, examples show what happens, and the README stays short."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_EXAMPLES = [path for path in sorted((ROOT / "directus_assets").rglob("*.py")) if ">>> " in path.read_text("utf-8")]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        found = (page.parent / target).resolve() if target else page

        assert found.is_file(), f"{page.name}: {target}"
        assert not anchor or anchor in _headings(found), f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_in_docstrings_show_what_happens(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))

    assert doctest.testmod(module).failed == 0


def test_the_readme_is_what_a_newcomer_reads_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 1200


def test_the_folders_that_the_architecture_names_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    package = ROOT / "directus_assets"
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*/?)`", text[text.index("## The folders") : text.index("## Vocabulary")])
    lost = [name for name in named if "/" in name and not _is_there(package, name)]

    assert not lost


def _is_there(package: Path, name: str) -> bool:
    under = [package, package / "orchestration"]
    return any((root / name).is_dir() or (root / f"{name}.py").is_file() for root in under)


def _headings(page: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}
