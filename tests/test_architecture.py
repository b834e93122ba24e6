"""The architecture as `docs/architecture.md` describes it: allowed imports, and unique names."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "directus_assets"
MODULES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}

# Those in one row may import each other.
ORDER = (
    ("errors", "redaction", "isolation", "json_text", "live_names", "live_text"),
    ("settings",),
    ("directus",),
    ("snapshot", "notify", "waiting", "desk"),
    ("planning",),
    ("run_tags",),
    ("spending",),
    ("ownership",),
    ("images",),
    ("translation",),
    ("enrichment",),
    ("door",),
    ("fast",),
    ("orchestration",),
    ("commands",),
    ("local",),
    ("definitions", "cli"),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}


def folder_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "directus_assets":
            names = (
                [node.module] if node.module != "directus_assets" else [f"directus_assets.{a.name}" for a in node.names]
            )
            yield from (name.split(".")[1] for name in names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_what_stands_above_it(path: Path) -> None:
    if path.parent == PACKAGE and path.stem == "__init__":
        return  # Names what Dagster projects rely on, wherever it is.
    own = folder_of(path)

    assert [name for name in imported(MODULES[path]) if name in RANK and RANK[name] > RANK[own]] == []


def test_no_product_code_imports_the_bench() -> None:
    text = "\n".join(path.read_text("utf-8") for path in MODULES)

    assert not re.search(r"^\s*(from|import) bench\b", text, re.MULTILINE)


def test_no_two_public_classes_share_a_name() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path, tree in MODULES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(PACKAGE)))

    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_everything_public_says_what_it_is_for() -> None:
    silent = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path, tree in MODULES.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert silent == []
