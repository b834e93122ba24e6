"""The asset `enrichments/<collection>/recommendations` and its schedule.

It has no partitions: its rows belong to segments, and depend on all items and interactions.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import dagster as dg

from directus_assets.enrichment.recommendation_plan import NAME, RecommendationPlan
from directus_assets.enrichment.recommendations import Recommender, Recomputed
from directus_assets.enrichment.related_work import vectors_folder
from directus_assets.enrichment.vector_store import VectorStore
from directus_assets.errors import DirectusAssetsError, TransientError
from directus_assets.orchestration.kinds.enrichers import embedder_of
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.alive import signs_of_life
from directus_assets.orchestration.runs.unfinished import unfinished_runs

_RETRIES = 3
_WAIT_SECONDS = 30.0
_SHOWN = 100


def build_recommendations(project: Project, plans: Iterable[RecommendationPlan]) -> dg.Definitions:
    """One asset, job and schedule for each collection with recommendations."""
    return dg.Definitions.merge(*(_definitions(project, plan) for plan in plans))


def build_recommender(project: Project, plan: RecommendationPlan) -> Recommender:
    """With the vectors of the collection's related items, if there are any."""
    collection, name = plan.collection.name, plan.options.related
    related = project.declared.get(collection, {}).get(name)
    embedder = embedder_of(project, related.engine, related.model) if related else None
    places = VectorStore(vectors_folder(project.memory, collection, name)).load() if embedder else {}
    return Recommender(
        client=project.directus,
        plan=plan,
        records=project.enrichment_records,
        vectors={key: place.vector for key, place in places.items() if embedder and place.space == embedder.name},
    )


def _definitions(project: Project, plan: RecommendationPlan) -> dg.Definitions:
    names, collection = project.names, plan.collection.name
    spec = names.spec(
        names.enrichment_props(collection, NAME),
        description=(
            f"Recommends items of `{collection}` to each audience segment, based on `{plan.interactions.name}`, and "
            f"stores them in `{plan.target.collection.name}`."
        ),
        kinds=frozenset({"directus"}),
    )

    @dg.multi_asset(name=spec.key.to_python_identifier(), specs=[spec.merge_attributes(deps=[names.items(collection)])])
    @without_secrets
    def recommendations(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        try:
            with signs_of_life(context.log):
                done = build_recommender(project, plan).recompute(now=dt.datetime.now(dt.UTC))
        except TransientError as error:
            context.log.warning("Will be retried later: %s", error)
            wait = error.retry_after_seconds or _WAIT_SECONDS
            raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=wait) from error
        except DirectusAssetsError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(metadata=_metadata(done))

    job = dg.define_asset_job(
        names.recommendation_job(collection),
        dg.AssetSelection.assets(recommendations),
        description=f"Computes recommendations for {collection}.",
        tags=names.tags,
    )

    @dg.schedule(
        name=names.recommendation_job(collection),
        job=job,
        cron_schedule=plan.options.cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Updates the recommendations for {collection}.",
    )
    @without_secrets
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # Two concurrent runs would write the same rows.
        if unfinished_runs(context.instance, job_name=names.recommendation_job(collection)):
            return dg.SkipReason("The last computation is still running.")
        return dg.RunRequest()

    return dg.Definitions(assets=[recommendations], jobs=[job], schedules=[schedule])


def _metadata(done: Recomputed) -> dict[str, Any]:
    shown = [
        dg.TableRecord(
            {
                "segment": each.segment,
                "rank": each.rank,
                "item": each.item,
                "score": each.score,
                "reason": each.reason,
            }
        )
        for each in done.recommendations[:_SHOWN]
    ]
    metadata: dict[str, Any] = {
        "segments": done.segments,
        "interactions": done.interactions,
        "rows_made": done.made,
        "rows_changed": done.changed,
        "rows_removed": done.removed,
    }
    if shown:
        metadata["recommendations"] = dg.MetadataValue.table(shown)
    return metadata
