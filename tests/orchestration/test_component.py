import re
import sys
import tomllib
import traceback
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

import directus_assets
from directus_assets import DirectusComponent
from directus_assets.errors import ConfigurationError
from directus_assets.orchestration.component import DirectusScaffolder
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.specs import default_spec
from directus_assets.settings import Config, load_each, required
from directus_assets.snapshot import Snapshot, write_snapshot

pytestmark = [
    # Dagster 1.13 reads `defs.yaml` with a function that pydantic has renamed.
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    # Asset checks in a folder of definitions are made with a parameter of Dagster's own that is in beta.
    pytest.mark.filterwarnings("ignore:Parameter `execution_type` of function `AssetsDefinition.__init__`"),
]

SECRET = "s3cr3t-t0ken"

YAML = """
type: directus_assets.DirectusComponent
attributes:
  url: "{{ env.CMS_URL }}"
  token: "{{ env.CMS_TOKEN }}"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a fresh Dagster project with the package `site`."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "component_site"\n'
    )
    defs = tmp_path / "src" / "component_site" / "defs"
    defs.mkdir(parents=True)
    for folder in (defs.parent, defs):
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("CMS_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CMS_TOKEN", SECRET)
    return tmp_path


@pytest.fixture(autouse=True)
def _forget_the_project() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "component_site"]:
        del sys.modules[name]


def write(root: Path, name: str, text: str) -> None:
    """Write one `defs.yaml` of the project."""
    folder = root / "src" / "component_site" / "defs" / name
    folder.mkdir()
    (folder / "defs.yaml").write_text(text)


def load(root: Path) -> dg.Definitions:
    """The definitions that a code location of the project loads."""
    return dg.load_from_defs_folder(path_within_project=root)


def test_a_few_lines_of_yaml_give_a_dagster_project_all_of_it(root: Path) -> None:
    write(root, "cms", YAML)

    definitions = load(root)

    assert definitions.resolve_sensor_def("directus_files_sensor").default_status is dg.DefaultSensorStatus.RUNNING
    assert definitions.resolve_schedule_def("directus_reconcile")
    assert definitions.resolve_assets_def(dg.AssetKey(["directus", "files"]))


def test_two_instances_with_names_of_their_own_live_side_by_side(root: Path) -> None:
    write(root, "cms", YAML)
    write(root, "shop", YAML + "  name: shop\n")

    definitions = load(root)

    assert definitions.resolve_sensor_def("directus_files_sensor")
    assert definitions.resolve_sensor_def("shop_directus_files_sensor")


def test_two_instances_with_the_same_names_are_refused(root: Path) -> None:
    write(root, "cms", YAML)
    write(root, "shop", YAML)

    with pytest.raises(dg.DagsterInvalidDefinitionError, match="directus"):
        load(root).get_repository_def()


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ("  images: {delivry: warm}\n", r"delivry at .*defs.yaml:6"),
        ("  images: {batch_size: 0}\n", r"batch_size at .*defs.yaml:6"),
        ("  name: Shop\n", "project names consist of lower-case letters"),
        ("  environment: shop\n", "should match pattern"),
        ("  reconcile: {cron: 5}\n", r"cron at .*defs.yaml:6"),
    ],
)
def test_a_mistake_in_the_yaml_is_told_without_the_token(root: Path, attributes: str, told: str) -> None:
    write(root, "cms", YAML + attributes)

    with pytest.raises(Exception, match="Error while loading component cms") as caught:
        load(root)

    shown = "".join(traceback.format_exception(caught.value))
    assert re.search(told, shown), shown
    assert SECRET not in shown


@pytest.mark.parametrize("given", ["{token: s3cr3t-t0ken}", "{token: [s3cr3t-t0ken]}", "{url: 'http://a.example.com'}"])
def test_a_token_without_its_address_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(ValueError, match="give both `url` and `token`") as caught:
        DirectusComponent.resolve_from_yaml(given)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("token", [SECRET, 12345678])
def test_a_token_is_in_no_repr(token: str | int) -> None:
    component = DirectusComponent.resolve_from_yaml(f"{{url: 'https://cms.example.com', token: {token}}}")

    shown = repr(component) + repr(component.settings(Path()))

    assert str(token) not in shown
    assert component.settings(Path()).environment.directus_token.get_secret_value() == str(token)


def test_a_section_is_written_as_in_our_own_yaml_and_takes_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLDER", "f1")
    monkeypatch.setenv("HOOK", f"https://hooks.example.com/{SECRET}")
    text = """
    images: {filter: {folder: {_eq: "{{ env.FOLDER }}"}}, presets: {card: {enabled: false}}}
    enrichments: {posts: {summary: {}}}
    notify: {webhook: "{{ env.HOOK }}"}
    """

    component = DirectusComponent.resolve_from_yaml(text)
    config = component.settings(Path()).config

    assert config.images.filter == {"folder": {"_eq": "f1"}}
    assert not config.images.is_enabled("card")
    assert list(config.enrichments["posts"]) == ["summary"]
    assert config.notify.webhook
    assert config.notify.webhook.get_secret_value() == f"https://hooks.example.com/{SECRET}"
    assert SECRET not in repr(component.settings(Path()))


def test_what_earlier_versions_had_in_another_section_is_still_taken() -> None:
    component = DirectusComponent.resolve_from_yaml("translations: {spending_limit_per_day: 5, languages: [de-DE]}")

    assert component.settings(Path()).config.engine.spending_limit_per_day == 5


def test_every_section_of_our_own_yaml_is_an_attribute() -> None:
    assert set(Config.model_fields) <= set(DirectusComponent.model_fields)


def test_a_named_instance_has_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_LOCATIONS", "local")
    monkeypatch.setenv("SHOP_STORAGE_LOCATIONS", "s3")
    monkeypatch.setenv("DIRECTUS_URL", "https://cms.example.com")

    shop, shard = DirectusComponent(name="shop"), DirectusComponent(name="shop", environment="")

    assert shop.settings(Path()).environment.storage == {"STORAGE_LOCATIONS": "s3"}
    assert shop.settings(Path()).environment.directus_url == ""
    assert shard.settings(Path()).environment.directus_url == "https://cms.example.com"
    assert shard.settings(Path()).project == "shop"


def test_a_bad_value_from_a_template_is_told_by_its_setting() -> None:
    component = DirectusComponent(images={"batch_size": "lots"})

    with pytest.raises(ConfigurationError, match=r"images\.batch_size: Input should be a valid integer"):
        component.settings(Path())


def test_our_own_projects_come_through_the_same_door_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cms.yaml").write_text("images: {workers: 2}\nprojects: {default: {}, shop: {}}\n")
    monkeypatch.setenv("DIRECTUS_ASSETS_CONFIG", str(tmp_path / "cms.yaml"))
    monkeypatch.setenv("SHOP_DIRECTUS_URL", "https://shop.example.com")

    projects = list(map(required, load_each().values()))

    assert [DirectusComponent.of(settings).settings(Path("/elsewhere")) for settings in projects] == projects


def test_dg_finds_the_component_and_scaffolds_what_works(tmp_path: Path) -> None:
    project = tomllib.loads((Path(directus_assets.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["dagster_dg_cli.registry_modules"] == {"directus_assets": "directus_assets"}
    assert "DirectusComponent" in dir(directus_assets)
    (tmp_path / "cms").mkdir()
    request = dg.ScaffoldRequest(
        type_name="directus_assets.DirectusComponent",
        target_path=tmp_path / "cms",
        scaffold_format="yaml",
        project_root=tmp_path,
        params=None,
    )

    DirectusScaffolder().scaffold(request)

    assert yaml.safe_load((tmp_path / "cms" / "defs.yaml").read_text()) == {
        "type": "directus_assets.DirectusComponent",
        "attributes": {"url": "{{ env.DIRECTUS_URL }}", "token": "{{ env.DIRECTUS_TOKEN }}"},
    }


OURS = """
import dagster as dg

from directus_assets import AssetProps, DirectusComponent


class OurDirectus(DirectusComponent):
    def get_asset_spec(self, props: AssetProps) -> dg.AssetSpec:
        spec = super().get_asset_spec(props)
        if props.kind == "source":
            return spec.replace_attributes(key=dg.AssetKey(["raw", props.collection]))
        return spec.replace_attributes(
            key=spec.key.with_prefix("cms"), group_name="content", owners=["team:web"], tags={"preset": props.preset}
        )
"""


def test_a_dagster_project_renames_groups_and_owns_assets_by_the_hook(root: Path) -> None:
    (root / "src" / "component_site" / "ours.py").write_text(OURS)
    write_snapshot(Snapshot(url="http://127.0.0.1:1", rows={"storage_asset_presets": [{"key": "card"}]}), root)
    write(root, "cms", YAML.replace("directus_assets.DirectusComponent", "component_site.ours.OurDirectus"))

    definitions = load(root)

    key = dg.AssetKey(["cms", "image_presets", "card"])
    card = definitions.resolve_assets_def(key).specs_by_key[key]
    assert (card.group_name, card.owners, card.tags["preset"]) == ("content", ["team:web"], "card")
    assert [dep.asset_key for dep in card.deps] == [dg.AssetKey(["raw", "directus_files"])]
    assert card.partitions_def == Names().files_partitions
    assert card.code_version
    assert definitions.resolve_assets_def(dg.AssetKey(["raw", "directus_files"]))
    selection = definitions.resolve_job_def("image_presets").asset_layer.executable_asset_keys
    assert set(selection) == {key}


def test_what_runs_record_and_sensors_read_is_under_the_renamed_keys() -> None:
    names = Names("", lambda props: default_spec(props).replace_attributes(key=props.key.with_prefix("cms")))

    assert names.preset("card") == dg.AssetKey(["cms", "image_presets", "card"])
    assert names.translation("posts", "de-DE") == dg.AssetKey(["cms", "translations", "posts", "de-DE"])
    assert names.enrichment("posts", "summary") == dg.AssetKey(["cms", "enrichments", "posts", "summary"])
    assert names.files == dg.AssetKey(["cms", "directus", "files"])


def test_a_hook_that_returns_nothing_is_told_which_asset_it_was_asked_for() -> None:
    names = Names("", lambda _: None)  # type: ignore[arg-type, return-value]

    with pytest.raises(TypeError, match=r"get_asset_spec returned NoneType for .*card"):
        names.spec(names.preset_props("card"), description="", kinds=frozenset())


def test_what_a_dagster_project_may_rely_on_is_named_and_there() -> None:
    assert directus_assets.__all__ == ["AssetProps", "DirectusComponent"]
    assert all(getattr(directus_assets, name).__doc__ for name in directus_assets.__all__)
    assert {name for name in vars(DirectusComponent) if not name.startswith("_")} >= {"get_asset_spec", "build_defs"}
