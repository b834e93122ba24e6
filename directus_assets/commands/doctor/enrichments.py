"""Checks that items can be enriched: declarations, engines, money, and pictures."""

from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.directus.client import items_path
from directus_assets.directus.models import JsonValue
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.recommendation_plan import NAME
from directus_assets.orchestration.kinds.enrichers import engine_of


def check_declarations(subject: Checkup) -> Iterator[Finding]:
    """Report the source, engine and target of each enrichment. A declaration that does not fit the schema raises."""
    for declaration in subject.declarations:
        writes = ", ".join(declaration.writes) or "metadata only"
        yield ok(_what(declaration), f"{', '.join(declaration.reads)} into {writes}{_not_read(declaration)}")
        yield from _check_vocabularies(subject, declaration)
    for plan in subject.recommendations:
        yield ok(
            f"enrichment {plan.collection.name}.{NAME}",
            f"{plan.interactions.name} into rows of {plan.target.collection.name}",
        )


def check_engines(subject: Checkup) -> Iterator[Finding]:
    """Check that each enrichment engine answers and accepts the key, and that its price is known."""
    asked: set[str] = set()
    for declaration in subject.declarations:
        what = _what(declaration)
        engine = engine_of(subject.project, declaration)
        if engine is None:
            yield failed(what, "No engine: OPENAI_API_KEY is not set.", "Set it, or set this enrichment's `engine`.")
        elif engine.name not in asked:
            asked.add(engine.name)
            if doubt := engine.check():
                yield warning(what, f"{engine.name}: {doubt}", "Check OPENAI_MODEL, or `model` of this enrichment.")
            else:
                yield ok(what, f"{engine.name} responds and accepts the key")
            if engine.name.startswith("openai:") and subject.project.purse_of(engine.model).price is None:
                yield warning(
                    what,
                    f"No price is set for '{engine.model}', so costs are neither counted nor limited.",
                    "Add it to `engine.prices` in the YAML file.",
                )


def _check_vocabularies(subject: Checkup, declaration: Declaration) -> Iterator[Finding]:
    for path, source in declaration.vocabularies.items():
        rows: list[JsonValue] = subject.project.directus.get(
            items_path(source.collection), fields=[source.field], filter=source.filter, sort=source.field, limit=1
        )
        if not rows:
            yield warning(
                _what(declaration),
                f"'{source.collection}' has no rows to choose from for `{path}`.",
                "Add rows in Directus, or change the `filter` of `choices`.",
            )


def _not_read(declaration: Declaration) -> str:
    if not declaration.not_read or declaration.options.input or declaration.options.picture:
        return ""
    return f"; only read if named in `input`: {', '.join(declaration.not_read)}"


def _what(declaration: Declaration) -> str:
    return f"enrichment {declaration.collection.name}.{declaration.name}"
