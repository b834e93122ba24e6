"""The findings of `doctor` on the real Directus, healthy and faulty."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from directus_assets.cli import main
from directus_assets.commands.doctor.findings import Finding, Status
from directus_assets.local.pictures import upload
from tests.operations.conftest import TOKEN, Site
from tests.operations.test_rights import RIGHTS

pytestmark = pytest.mark.integration


def troubles(findings: list[Finding]) -> list[tuple[str, str]]:
    """Findings that are not ok, except for those of every test: no webserver, and the engine `pseudo`."""
    return [(f.what, f.text) for f in findings if f.status is not Status.OK and f.what not in ("webserver", "engine")]


def found(findings: list[Finding], what: str) -> Finding:
    return next(finding for finding in findings if finding.what == what)


@contextlib.contextmanager
def changed(site: Site, path: str, **values: Any) -> Iterator[None]:
    """Change something in Directus for the duration of the block."""
    before = site.admin.get(path)
    site.admin.patch(path, values)
    try:
        yield
    finally:
        site.admin.patch(path, {name: before[name] for name in values})


def test_with_what_setup_made_everything_is_right(site: Site) -> None:
    findings = site.examine()

    assert troubles(findings) == []
    texts = {finding.what: finding.text for finding in findings}
    assert texts["rights"] == f"all {len(RIGHTS)} required permissions are there"
    assert texts["version"] == (f"Directus {site.directus.version}; tested with 10.13.4, 11.14.1, 11.17.4 and 12.4.1")
    assert texts["preset card"] == "storage (webp): rendered here, into Directus' own storage"
    assert texts["served from local"] == f"Directus serves the derivatives stored in {site.directus.uploads}"
    assert texts["collection posts"].startswith("en-US (a row of posts_translations) into ar-SA, de-DE, fr-FR, ja-JP:")
    assert "title (plain), slug (slug), summary (plain), body (html), tags (tags)" in texts["collection posts"]
    assert texts["collection pages"].startswith("en-US (on the item) into")


def test_nothing_is_left_behind(site: Site) -> None:
    before = sorted(site.directus.uploads.iterdir())

    site.examine()

    assert sorted(site.directus.uploads.iterdir()) == before


@pytest.mark.parametrize("right", RIGHTS)
def test_a_right_that_lacks_is_named_and_nothing_else(right: str, site: Site) -> None:
    with site.without(right):
        findings = site.examine()

    failures = [finding for finding in findings if finding.status is Status.FAILED]
    assert [failure.text.partition(" (")[0].removesuffix(".") for failure in failures] == [f"Missing: {right}"]
    assert all(text == "Not checked: Directus refuses it." for _, text in troubles(findings)[1:])


def test_every_right_that_lacks_is_named_at_once(site: Site) -> None:
    with (
        site.without("read on posts"),
        site.without("update on pages_translations"),
        site.without("create on directus_versions"),
    ):
        failures = [f.text for f in site.examine() if f.status is Status.FAILED]

    assert sorted(failures) == [
        "Missing: create on directus_versions.",
        "Missing: read on posts.",
        "Missing: update on pages_translations.",
    ]


def test_a_typo_in_a_filter_is_told_once(site: Site) -> None:
    findings = site.examine("{translations: {collections: {posts: {filter: {statsu: {_eq: published}}}}}}")

    failures = [finding.text for finding in findings if finding.status is Status.FAILED]
    # Where rights are per field, it is also one that the token lacks.
    missing = ["Missing: read on posts (statsu)."] if site.admin.version.major < 12 else []
    assert failures[:-1] == missing
    assert "field 'statsu' in 'posts'" in failures[-1]


def test_rights_that_are_too_many_are_named(site: Site) -> None:
    rows = [site.grant("posts", "delete"), site.grant("directus_users", "read")]

    findings = site.examine()

    for row in rows:
        site.admin.delete(f"/permissions/{row}")
    assert troubles(findings) == [("rights", "Unneeded permissions: delete on posts, read on directus_users.")]


def test_an_administrators_token_may_do_too_much(site: Site) -> None:
    findings = site.examine(DIRECTUS_TOKEN=site.directus.admin_token)

    assert found(findings, "token").status is Status.WARNING
    assert "the token has unrestricted access" in found(findings, "token").text


def test_access_to_the_studio_is_too_much(site: Site) -> None:
    with changed(site, f"/{'policies' if site.holder == 'policy' else 'roles'}/{site.policy}", app_access=True):
        findings = site.examine()

    # With the Studio come rights that are bound to conditions.
    assert {what for what, _ in troubles(findings)} == {"token", "right"}
    assert "can log in to the Studio" in found(findings, "token").text


def test_a_collection_whose_activity_is_not_tracked_is_named(site: Site) -> None:
    site.admin.patch("/collections/posts_translations", {"meta": {"accountability": None}})

    findings = site.examine()

    site.admin.patch("/collections/posts_translations", {"meta": {"accountability": "all"}})
    assert [what for what, _ in troubles(findings)] == ["tracking posts_translations"]


def test_a_wrong_token_ends_what_is_asked_of_directus(site: Site) -> None:
    findings = site.examine(DIRECTUS_TOKEN="wrong")

    assert [(f.what, f.status) for f in findings][:3] == [
        ("address", Status.OK),
        ("clock", Status.OK),
        ("token", Status.FAILED),
    ]
    assert "Set DIRECTUS_TOKEN" in found(findings, "token").remedy
    assert "rights" not in {finding.what for finding in findings}
    assert found(findings, "disk").status is Status.OK


def test_each_preset_tells_how_it_is_delivered_and_why(site: Site) -> None:
    card = {"key": "card", "fit": "cover", "width": 60, "height": 40, "format": "webp"}
    presets = [
        card,
        {**card, "key": "odd", "transforms": [["tint", "hsl(1, 2%, 3%)"]]},
        {**card, "key": "wrong", "transforms": [["composite", []]]},
        {**card, "key": "system-small-cover"},
        {"key": "nothing", "fit": "cover"},
        {**card, "key": "malformed", "transforms": ["blur"]},
        {"width": 5},
        {**card, "key": "warmed"},
        {**card, "key": "exported", "format": "auto"},
        {**card, "key": "unused"},
    ]
    config = """
        images:
          presets:
            warmed: {delivery: warm}
            exported: {delivery: export}
            unused: {enabled: false}
            gone: {enabled: false}
        translations: {enabled: false}
    """

    with changed(site, "/settings", storage_asset_presets=presets):
        findings = site.examine(config)

    assert {f.what.removeprefix("preset "): (f.status, f.text) for f in findings if f.what.startswith("preset ")} == {
        "card": (Status.OK, "storage (webp): rendered here, into Directus' own storage"),
        "odd": (
            Status.OK,
            "warm (webp): `tint` is 'hsl(1, 2%, 3%)': of colours, only CSS names and hexadecimal ones are understood.",
        ),
        "wrong": (
            Status.FAILED,
            "Preset 'wrong': 'composite' is not a sharp operation that Directus allows.",
        ),
        "system-small-cover": (
            Status.FAILED,
            (
                "Preset 'system-small-cover' has the same key as one of Directus' built-in presets, which takes "
                "precedence."
            ),
        ),
        "malformed": (
            Status.FAILED,
            "Preset 'malformed': `transforms` is not a list of [operation, argument, ...].",
        ),
        "nothing": (Status.WARNING, "It sets neither size nor format, so Directus serves the original."),
        "warmed": (Status.OK, "warm (webp): rendered by Directus, as set in the YAML file"),
        "exported": (
            Status.OK,
            f"export (avif, webp, jpeg): rendered here, to {site.folder / 'exports'}",
        ),
        "unused": (Status.OK, "switched off in the YAML file"),
        "gone": (Status.WARNING, "The YAML file configures it, but Directus has no preset with that key."),
    }
    assert found(findings, "presets").text == "Skipped an image preset without a key."


def test_without_storage_directus_renders(site: Site) -> None:
    findings = site.examine(STORAGE_LOCATIONS="")

    assert troubles(findings) == []
    assert (
        found(findings, "preset card").text == "warm (webp): rendered by Directus, because STORAGE_LOCATIONS is not set"
    )


def test_another_storage_than_that_of_directus_is_noticed(site: Site, tmp_path: Path) -> None:
    findings = site.examine(STORAGE_LOCAL_ROOT=str(tmp_path))

    assert troubles(findings) == [
        ("served from local", f"Directus does not serve the derivatives stored in {tmp_path}.")
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_is_not_there_keeps_no_other_from_being_tried(site: Site, tmp_path: Path) -> None:
    variables = {"STORAGE_LOCATIONS": "gone,local", "STORAGE_GONE_DRIVER": "local"}

    findings = site.examine(**variables, STORAGE_GONE_ROOT=str(tmp_path / "gone"))

    assert [what for what, _ in troubles(findings)] == ["storage gone"]
    assert "Is its volume mounted?" in found(findings, "storage gone").remedy
    assert found(findings, "storage local").status is Status.OK


@pytest.mark.parametrize("others", ["", "local,"])
def test_a_driver_that_is_not_supported_is_named(site: Site, others: str) -> None:
    findings = site.examine(STORAGE_LOCATIONS=f"{others}cloud", STORAGE_CLOUD_DRIVER="gcs")

    (told,) = [finding for finding in findings if finding.what == "storage cloud"]
    assert told.status is Status.WARNING
    assert "STORAGE_CLOUD_DRIVER is 'gcs', which is not supported. Directus renders" in told.text


def test_where_only_presets_may_be_asked_for_a_derivative_proves_the_storage(site: Site, bot: Any) -> None:
    with changed(site, "/settings", storage_asset_transform="presets"):
        (file,) = site.admin.get("/files", fields=["id"])
        bot.head_asset(file["id"], preset="card")
        findings = site.examine()

    assert troubles(findings) == []
    assert (
        found(findings, "served from local").text
        == f"Directus serves the derivatives stored in {site.directus.uploads}"
    )


def test_a_project_that_transforms_nothing_is_told(site: Site) -> None:
    with changed(site, "/settings", storage_asset_transform="none"):
        findings = site.examine()

    assert ("presets", "Directus' settings forbid all image transformations, even through presets.") in troubles(
        findings
    )


def test_a_limit_without_a_price_is_told_once(site: Site) -> None:
    config = "{translations: {spending_limit_per_day: 5, review: version}, notify: {editors: true}}"

    findings = site.examine(
        config,
        TRANSLATION_ENGINE="openai",
        OPENAI_API_KEY="sk-secret-0123456789",
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        OPENAI_MODEL="m",
    )

    assert [what for what, _ in troubles(findings)] == ["spending"]
    assert found(findings, "engine").status is Status.FAILED
    assert "engine.prices" in found(findings, "spending").remedy


def test_versions_that_are_not_kept_are_told(site: Site) -> None:
    site.admin.patch("/collections/posts_translations", {"meta": {"versioning": False}})

    findings = site.examine()

    site.admin.patch("/collections/posts_translations", {"meta": {"versioning": True}})
    assert [what for what, _ in troubles(findings)] == ["collection posts"]


def test_a_home_that_is_not_there_is_not_made(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"

    findings = site.examine(DAGSTER_HOME=str(home))

    assert found(findings, "DAGSTER_HOME").status is Status.WARNING
    assert not home.exists()


def test_the_command_prints_a_table_without_secrets_and_its_status(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site.folder)
    environment = {
        "DIRECTUS_URL": site.directus.url,
        "DIRECTUS_TOKEN": TOKEN,
        "DAGSTER_HOME": str(site.folder),
        "TRANSLATION_ENGINE": "openai",
        "OPENAI_API_KEY": "sk-secret-0123456789",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_MODEL": "m",
        "DAGSTER_WEBSERVER_URL": "http://127.0.0.1:9",
        "STORAGE_LOCATIONS": "s3",
        "STORAGE_S3_DRIVER": "s3",
        "STORAGE_S3_BUCKET": "b",
        "STORAGE_S3_KEY": "an-s3-key",
        "STORAGE_S3_SECRET": "an-s3-secret",
        "STORAGE_S3_REGION": "eu",
        "STORAGE_S3_ENDPOINT": "http://127.0.0.1:9",
    }

    result = CliRunner(env=environment).invoke(main, ["doctor"])

    assert result.exit_code == 1, result.output
    assert "failed" in result.output
    assert "→" in result.output
    for name in ("DIRECTUS_TOKEN", "OPENAI_API_KEY", "STORAGE_S3_KEY", "STORAGE_S3_SECRET"):
        assert environment[name] not in result.output


def test_nothing_is_said_of_what_is_served_before_there_is_a_picture(site: Site, admin: Any) -> None:
    (file,) = site.admin.get("/files", fields=["id"])
    site.admin.delete(f"/files/{file['id']}")

    findings = site.examine()

    from tests.operations.conftest import picture

    upload(admin, picture(), filename="picture.jpg")
    assert troubles(findings) == []
    assert found(findings, "served from local").text.startswith("not checked")
