import pytest

from directus_assets.orchestration.names import Names

CONTRACT = {
    "files": "directus/files",
    "images_group": "images",
    "translations_group": "translations",
    "enrichments_group": "enrichments",
    "images_job": "image_presets",
    "files_sensor": "directus_files_sensor",
    "settings_sensor": "directus_settings_sensor",
    "failure_sensor": "directus_failure_sensor",
    "reconcile": "directus_reconcile",
    "files_partitions": "directus_files",
}
CONTRACT_OF_POSTS = {
    "items": "directus/posts",
    "translation_job": "translate_posts",
    "enrichment_job": "enrich_posts",
    "items_sensor": "directus_posts_sensor",
    "items_partitions": "directus_posts",
}


def shown(thing: object) -> str:
    """A name as shown by Dagster."""
    key = getattr(thing, "to_user_string", None)
    return str(key() if key else getattr(thing, "name", thing))


def all_names(names: Names, collection: str) -> list[str]:
    """Everything that Dagster distinguishes only by name, by kind."""
    return [
        *(f"job {name}" for name in (names.images_job, names.reconcile)),
        *(f"job {name(collection)}" for name in (names.translation_job, names.enrichment_job)),
        *(f"op {name}" for name in (names.images_op, names.reconcile_op)),
        *(f"op {name(collection)}" for name in (names.translation_op, names.enrichment_op)),
        *(f"sensor {name}" for name in (names.files_sensor, names.settings_sensor, names.failure_sensor)),
        *(f"sensor {name}" for name in (names.runs_sensor, names.buttons_sensor)),
        f"sensor {names.items_sensor(collection)}",
        f"partitions {shown(names.files_partitions)}",
        f"partitions {shown(names.items_partitions(collection))}",
        *(f"asset {shown(key)}" for key in (names.files, names.items(collection), names.preset("card"))),
        *(f"asset {shown(name(collection, 'de'))}" for name in (names.translation, names.enrichment)),
    ]


def test_a_project_without_a_name_has_the_names_that_others_rely_on() -> None:
    names = Names()

    assert {name: shown(getattr(names, name)) for name in CONTRACT} == CONTRACT
    assert {name: shown(getattr(names, name)("posts")) for name in CONTRACT_OF_POSTS} == CONTRACT_OF_POSTS
    assert shown(names.preset("card")) == "image_presets/card"
    assert shown(names.translation("posts", "de-DE")) == "translations/posts/de-DE"
    assert shown(names.enrichment("posts", "seo")) == "enrichments/posts/seo"
    assert names.tags == {}


def test_a_named_project_has_its_name_before_each() -> None:
    names = Names("shop")

    assert shown(names.preset("card")) == "shop/image_presets/card"
    assert shown(names.translation("posts", "de-DE")) == "shop/translations/posts/de-DE"
    assert shown(names.files_partitions) == "shop_directus_files"
    assert names.items_sensor("posts") == "shop_directus_posts_sensor"
    assert names.tags == {"directus_assets/project": "shop"}


@pytest.mark.parametrize(
    "collection", ["posts", "image_presets", "files", "settings", "reconcile", "directus", "runs", "buttons", "failure"]
)
def test_no_name_of_one_project_is_a_name_of_another(collection: str) -> None:
    found = [name for project in ("", "shop", "shop_two") for name in all_names(Names(project), collection)]

    assert sorted(set(found)) == sorted(found)


def test_what_dagster_refuses_is_replaced_and_stays_apart() -> None:
    keys = {shown(Names().enrichment("posts", name)) for name in ("a b", "a_b", "a/b", "")}

    assert len(keys) == 4
    assert "enrichments/posts/a_b" in keys


def test_a_collection_that_is_called_like_a_sensor_of_ours_keeps_its_name_for_all_but_the_sensor() -> None:
    names = Names()

    assert shown(names.items("runs")) == "directus/runs"
    assert shown(names.items_partitions("failure")) == "directus_failure"
    assert names.items_sensor("runs") not in (names.runs_sensor, "directus_runs_sensor")


@pytest.mark.parametrize(("job", "op"), [("translation_job", "translation_op"), ("enrichment_job", "enrichment_op")])
def test_no_job_has_the_name_of_an_op_of_another_collection(job: str, op: str) -> None:
    assert getattr(Names(), job)("items_of_posts") != getattr(Names(), op)("posts")


def test_a_second_field_of_translations_stands_behind_the_collection() -> None:
    names = Names()

    assert shown(names.translation("posts", "de-DE", second="seo")) == "translations/posts.seo/de-DE"
    assert shown(names.translation("posts", "de-DE", second="Für Suche")).startswith("translations/posts.F_r_Suche_")
    assert names.translation_job("posts.seo").isidentifier()
    assert names.translation_job("posts.seo") != names.translation_job("posts_seo")


def test_collections_that_differ_in_case_alone_stay_apart() -> None:
    names = Names()

    assert {shown(names.translation(each, "de")) for each in ("Posts", "posts")} == {
        "translations/Posts/de",
        "translations/posts/de",
    }
