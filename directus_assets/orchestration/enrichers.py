"""Who carries out an enrichment: its engine, and what asks it."""

from directus_assets.enrichment.answering import Answerer
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.engines import choose_enrichment_engine
from directus_assets.enrichment.engines.protocol import EnrichmentEngine
from directus_assets.enrichment.items import ItemReader
from directus_assets.enrichment.work import DeclaredEnricher, Enricher
from directus_assets.errors import ConfigurationError
from directus_assets.orchestration.resources import Project


def engine_of(project: Project, declaration: Declaration) -> EnrichmentEngine | None:
    """The engine of an enrichment; None for `auto` where no key is set.

    Raises:
        ConfigurationError: an unknown engine, or one without its key or model.
    """
    name, model = declaration.options.engine, declaration.options.model
    where = f"enrichments.{declaration.collection.name}.{declaration.name}"
    # The engine `local` is another one for each enrichment.
    key = (name, model or "", where if name == "local" else "")
    if key not in project.enrichment_engines:
        project.enrichment_engines[key] = choose_enrichment_engine(
            name, project.engine_settings, model=model, where=where, builtin=declaration.builtin
        )
    return project.enrichment_engines[key]


def enricher_of(project: Project, reader: ItemReader, declaration: Declaration) -> Enricher:
    """What carries out an enrichment.

    Raises:
        ConfigurationError: it has no engine.
    """
    engine = engine_of(project, declaration)
    if engine is None:
        raise ConfigurationError(f"'{declaration.name}' has no engine.", remedy="Set OPENAI_API_KEY.")
    purse = project.purse_of(engine.model)
    return DeclaredEnricher(
        reader=reader,
        declaration=declaration,
        answerer=Answerer(engine=engine, gate=project.gate, admit=purse.admit, settle=purse.settle),
        records=project.enrichment_records,
        max_pixels=project.settings.config.images.max_megapixels * 1_000_000,
    )
