"""Chooses the engine of an enrichment and builds its enricher."""

from directus_assets.enrichment.answering import Answerer
from directus_assets.enrichment.builtin.related import BUILTIN as RELATED
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.embedders import choose_embedder
from directus_assets.enrichment.embeddings import Embedder
from directus_assets.enrichment.engines import choose_enrichment_engine
from directus_assets.enrichment.engines.protocol import EnrichmentEngine
from directus_assets.enrichment.items import ItemReader
from directus_assets.enrichment.related_work import RelatedEnricher, vectors_folder
from directus_assets.enrichment.work import DeclaredEnricher, Enricher
from directus_assets.errors import ConfigurationError
from directus_assets.orchestration.project import Project


def engine_of(project: Project, declaration: Declaration) -> EnrichmentEngine | Embedder | None:
    """The engine of a declaration; None for `auto` if no key is set.

    Raises:
        ConfigurationError: an unknown engine, or one without its key or model.
    """
    if declaration.builtin is RELATED:
        return embedder_of(project, declaration.options.engine, declaration.options.model)
    return _answering_engine(project, declaration)


def embedder_of(project: Project, name: str, model: str | None) -> Embedder | None:
    """The embedder of this name (see `choose_embedder`).

    Raises:
        ConfigurationError: an unknown embedder, or one without its key or model.
    """
    if (name, model) not in project.embedders:
        project.embedders[name, model] = choose_embedder(name, project.engine_settings, model=model)
    return project.embedders[name, model]


def enricher_of(project: Project, reader: ItemReader, declaration: Declaration) -> Enricher:
    """Build the enricher of a declaration.

    Raises:
        ConfigurationError: it has no engine.
    """
    if declaration.builtin is RELATED:
        return _related_enricher(project, reader, declaration)
    engine = _answering_engine(project, declaration)
    if engine is None:
        raise _no_engine(declaration)
    purse = project.purse_of(engine.model)
    return DeclaredEnricher(
        reader=reader,
        declaration=declaration,
        answerer=Answerer(engine=engine, gate=project.gate, payer=purse),
        records=project.enrichment_records,
        originals=project.downloads,
    )


def _related_enricher(project: Project, reader: ItemReader, declaration: Declaration) -> Enricher:
    embedder = embedder_of(project, declaration.options.engine, declaration.options.model)
    if embedder is None:
        raise _no_engine(declaration)
    purse = project.purse_of(embedder.model)
    return RelatedEnricher(
        reader=reader,
        declaration=declaration,
        embedder=embedder,
        gate=project.gate,
        payer=purse,
        records=project.enrichment_records,
        vectors=vectors_folder(project.memory, reader.collection, declaration.name),
    )


def _no_engine(declaration: Declaration) -> ConfigurationError:
    return ConfigurationError(f"'{declaration.name}' has no engine.", remedy="Set OPENAI_API_KEY.")


def _answering_engine(project: Project, declaration: Declaration) -> EnrichmentEngine | None:
    name, model = declaration.options.engine, declaration.options.model
    where = f"enrichments.{declaration.collection.name}.{declaration.name}"
    # Each enrichment has its own `local` engine.
    key = (name, model or "", where if name == "local" else "")
    if key not in project.enrichment_engines:
        project.enrichment_engines[key] = choose_enrichment_engine(
            name, project.engine_settings, model=model, where=where, builtin=declaration.builtin
        )
    return project.enrichment_engines[key]
