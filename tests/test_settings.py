from pathlib import Path

import pytest

from directus_assets.errors import ConfigurationError
from directus_assets.settings import (
    Config,
    ConfigFile,
    Environment,
    ImageOptions,
    load_each,
    load_settings,
    parse_config,
    required,
)

COMPLETE = {"DIRECTUS_URL": "https://cms.example.com", "DIRECTUS_TOKEN": "t0ken"}


def test_without_a_file_everything_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load_settings(COMPLETE)

    assert settings.config == Config()
    assert settings.environment.is_complete
    assert settings.environment.poll_seconds == 5


@pytest.mark.parametrize("text", ["", "# nothing\n", "images:\n", "images:\n  # delivery: warm\n", "images: {}\n"])
def test_a_file_with_everything_commented_out_is_as_good_as_none(text: str) -> None:
    assert parse_config(text) == ConfigFile()


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("images:\n  delivry: warm\n", 2, "did you mean `delivery`?"),
        ("images:\n  presets:\n    card:\n      enable: false\n", 4, "did you mean `enabled`?"),
        ("media: {}\n", 1, "known here: engine, enrichments, images"),
        ("images:\n  presets:\n    card:\n      delivery: ftp\n", 4, "Input should be 'warm', 'storage' or 'export'"),
        ("images:\n\n  batch_size: 0\n", 3, "greater than or equal to 1 (found 0)"),
        ("images:\n  max_megapixels: lots\n", 2, "valid integer"),
        ("translations:\n  enabled: true\n  concurrency: 0\n", 3, "`translations.concurrency`"),
        ("translations:\n  prices:\n    tiny: {inptu: 1}\n", 3, "did you mean `input`?"),
        ("images: yes\n", 1, "`images` takes `name: value` lines"),
        ("- images\n", 1, "`the whole file` takes `name: value` lines"),
        ("1: 2\n", 1, "Keys should be strings"),
        ("images:\n\tdelivery: warm\n", 2, "cannot start any token"),
        ("images: [\n", 2, "expected the node content"),
        ("images:\n  presets: {a: !!python/name:os.system x}\n", 2, "could not determine a constructor"),
        ("images:\n  delivery: 'w\x01rm'\n", 2, "a character that is not allowed in YAML"),
    ],
)
def test_a_fault_names_the_file_the_line_and_what_is_meant(text: str, line: int, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text, name="cms.yaml")

    assert f"cms.yaml, line {line}: " in str(caught.value)
    assert told in str(caught.value)


OLD = "translations:\n  languages: [de-DE]\n  prices:\n    tiny: {input: 1}\n  concurrency: 3\n"


def test_what_files_of_earlier_versions_say_of_the_engine_counts_and_is_told_where_to_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = parse_config(OLD)

    assert file.engine == parse_config("engine:\n  prices:\n    tiny: {input: 1}\n  concurrency: 3\n").engine
    assert file.translations == parse_config("translations:\n  languages: [de-DE]\n").translations
    told = "In the YAML file, move `concurrency`, `prices` from `translations` to `engine`: these settings apply to"
    assert caplog.messages == [f"{told} enrichments, too."]


def test_the_section_engine_wins_over_the_earlier_place_setting_by_setting() -> None:
    engine = parse_config(OLD + "engine:\n  concurrency: 5\n").engine

    assert (engine.concurrency, list(engine.prices)) == (5, ["tiny"])


def test_a_project_takes_over_the_engine_from_either_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OLD + "projects:\n  shop: {translations: {concurrency: 7}}\n  news: {}\n")

    shop, news = map(required, load_each({"DIRECTUS_ASSETS_CONFIG": str(tmp_path / "a.yaml")}).values())

    assert [(each.config.engine.concurrency, list(each.config.engine.prices)) for each in (shop, news)] == [
        (7, ["tiny"]),
        (3, ["tiny"]),
    ]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config("images:\n  batch_size: 0\n  workers: many\n")

    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_is_not_text_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"\xff\xd8\xff\xe0")

    with pytest.raises(ConfigurationError, match=r"picture\.yaml could not be read as UTF-8"):
        load_settings({"DIRECTUS_ASSETS_CONFIG": str(path)})


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml, which is not a file"):
        load_settings({"DIRECTUS_ASSETS_CONFIG": str(tmp_path / "absent.yaml")})


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cms.yaml"
    path.write_text("images: {batch_size: 7}\n")

    settings = load_settings({"DIRECTUS_ASSETS_CONFIG": str(path)})

    assert (settings.config.images.batch_size, settings.config_folder) == (7, tmp_path)


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = ("DIRECTUS_URL", "DIRECTUS_TOKEN", "DIRECTUS_POLL_SECONDS", "DAGSTER_WEBSERVER_URL", "DAGSTER_HOME")

    environment = Environment.read(dict.fromkeys(names, ""))

    assert environment == Environment.read({})
    assert environment.missing() == ["DIRECTUS_URL", "DIRECTUS_TOKEN"]
    with pytest.raises(ConfigurationError, match="DIRECTUS_TOKEN not set") as without_token:
        Environment.read({"DIRECTUS_URL": "http://cms.example.com"}).require()
    assert without_token.value.remedy.startswith("`make setup` (`directus-assets setup --write-env`) makes a user")
    assert environment.webserver_url == "http://127.0.0.1:3000"


@pytest.mark.parametrize("url", ["cms.example.com", "ftp://cms.example.com", "https://", "http://[::1", "http://a:b"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DIRECTUS_URL is not a web address"):
        Environment.read({"DIRECTUS_URL": url})


@pytest.mark.parametrize("url", ["https://me:pa55@cms.example.com", "https://cms.example.com/?x=1"])
def test_an_address_with_a_login_or_a_query_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="contains a login, a query or a fragment") as caught:
        Environment.read({"DIRECTUS_URL": url})

    assert "pa55" not in str(caught.value)


def test_an_address_with_a_path_keeps_it_and_loses_its_last_slash() -> None:
    assert Environment.read({"DIRECTUS_URL": " https://example.com/cms/ "}).directus_url == "https://example.com/cms"


@pytest.mark.parametrize("token", ["two parts", "line\nbreak", "tökèn"])
def test_a_token_that_no_header_can_carry_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ConfigurationError, match="DIRECTUS_TOKEN contains") as caught:
        Environment.read({"DIRECTUS_TOKEN": token})

    assert token not in str(caught.value)


@pytest.mark.parametrize("seconds", ["4", "0", "-5", "5.5", "soon"])
def test_a_poll_interval_that_dagster_refuses_is_refused(seconds: str) -> None:
    with pytest.raises(ConfigurationError, match="whole number of seconds, at least 5"):
        Environment.read({"DIRECTUS_POLL_SECONDS": seconds})


def test_no_secret_is_in_a_repr() -> None:
    secrets = {"DIRECTUS_TOKEN": "top-secret", "STORAGE_S3_SECRET": "bucket-secret"}

    shown = repr(load_settings({**COMPLETE, **secrets}))

    assert "secret" not in shown.replace("SecretStr", "")


@pytest.mark.parametrize(
    ("configured", "own", "has_storage", "delivery"),
    [
        ("auto", None, True, "storage"),
        ("auto", None, False, "warm"),
        ("warm", None, True, "warm"),
        ("export", None, False, "export"),
        ("warm", "storage", False, "storage"),
        ("auto", "export", True, "export"),
    ],
)
def test_delivery_follows_the_preset_then_the_section_then_the_storage(
    configured: str, own: str | None, has_storage: bool, delivery: str
) -> None:
    options = ImageOptions.model_validate({"delivery": configured, "presets": {"card": {"delivery": own}}})

    assert options.delivery_of("card", has_storage=has_storage) == delivery


def test_a_preset_is_made_unless_it_is_switched_off() -> None:
    options = ImageOptions.model_validate({"presets": {"print": {"enabled": False}, "card": {}}})

    assert [key for key in ("print", "card", "hero") if options.is_enabled(key)] == ["card", "hero"]


SEVERAL = """
images:
  batch_size: 7
  presets: {card: {delivery: warm}, hero: {delivery: warm}}
projects:
  default: {}
  web_shop:
    images: {presets: {hero: {enabled: false}}, workers: 2}
    translations: {enabled: false}
"""


def write(folder: Path, text: str) -> dict[str, str]:
    """A YAML file, and the variable that names it."""
    (folder / "cms.yaml").write_text(text)
    return {"DIRECTUS_ASSETS_CONFIG": str(folder / "cms.yaml"), "DAGSTER_HOME": str(folder)}


def test_each_project_has_its_own_variables_and_what_the_file_says_for_all(tmp_path: Path) -> None:
    environ = {
        **write(tmp_path, SEVERAL),
        **COMPLETE,
        "STORAGE_LOCATIONS": "local",
        "WEB_SHOP_DIRECTUS_URL": "https://shop.example.com",
        "WEB_SHOP_DIRECTUS_TOKEN": "sh0p",
        "WEB_SHOP_STORAGE_LOCATIONS": "s3",
        "OPENAI_API_KEY": "key",
    }

    default, shop = map(required, load_each(environ).values())

    assert (default.project, default.environment) == ("", Environment.read(environ))
    assert (shop.project, shop.environment.directus_url) == ("web_shop", "https://shop.example.com")
    assert shop.environment.storage == {"STORAGE_LOCATIONS": "s3"}
    assert shop.environment.state_folder == tmp_path / "projects" / "web_shop"
    assert shop.environment.openai_api_key == default.environment.openai_api_key
    images = shop.config.images
    assert (images.batch_size, images.workers, images.presets["card"].delivery) == (7, 2, "warm")
    assert (images.presets["hero"].delivery, images.presets["hero"].enabled) == ("warm", False)
    assert default.config.images.presets["hero"].enabled
    assert (default.config.translations.enabled, shop.config.translations.enabled) == (True, False)


def test_a_project_never_works_on_the_directus_of_another_for_want_of_a_variable(tmp_path: Path) -> None:
    environ = {**write(tmp_path, SEVERAL), **COMPLETE, "STORAGE_LOCATIONS": "local"}

    shop = load_settings(environ, project="web_shop")

    assert shop.environment.missing() == ["WEB_SHOP_DIRECTUS_URL", "WEB_SHOP_DIRECTUS_TOKEN"]
    assert shop.environment.storage == {}


def test_no_key_of_an_engine_is_sent_to_the_address_of_another_project() -> None:
    environ = {"OPENAI_API_KEY": "key", "OPENAI_MODEL": "large", "SHOP_OPENAI_BASE_URL": "https://llm.example.com"}

    own, shared = (Environment.read(environ, prefix=prefix) for prefix in ("SHOP", "OTHER"))

    assert (own.openai_base_url, own.openai_api_key, own.openai_model) == ("https://llm.example.com", None, None)
    assert (shared.openai_base_url, shared.openai_model) == (None, "large")


def test_a_wrong_variable_of_a_project_is_told_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match="SHOP_DIRECTUS_URL is not a web address"):
        Environment.read({"SHOP_DIRECTUS_URL": "shop"}, prefix="SHOP")


def test_shards_share_the_variables_of_one_directus(tmp_path: Path) -> None:
    shard = "{{environment: CMS, images: {{filter: {{folder: {{_eq: {0}}}}}}}, translations: {{enabled: false}}}}"
    text = f"projects:\n  one: {shard.format('a')}\n  two: {shard.format('b')}\n"
    environ = {**write(tmp_path, text), "CMS_DIRECTUS_URL": "https://cms.example.com", "CMS_DIRECTUS_TOKEN": "t0ken"}

    one, two = map(required, load_each(environ).values())

    assert one.environment.directus_url == two.environment.directus_url == "https://cms.example.com"
    assert one.environment.state_folder != two.environment.state_folder
    assert two.config.images.filter == {"folder": {"_eq": "b"}}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("projects:\n  Shop: {}\n", 2, "`projects.Shop`: project names consist of lower-case letters"),
        ("projects:\n  images: {}\n", 2, "`images` is a reserved name"),
        ("projects:\n  shop:\n    image: {}\n", 3, "did you mean `images`?"),
        ("projects:\n  shop:\n    environment: shop\n", 3, "should match pattern"),
        ("projects:\n  a: {environment: X}\n  b: {environment: X}\n", 3, "would render the same pictures"),
        ("projects:\n  a: {environment: X}\n  b: {environment: X}\n", 3, "would translate the same items"),
    ],
)
def test_a_fault_in_a_project_names_the_line_and_what_is_meant(text: str, line: int, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text, name="cms.yaml")

    assert f"cms.yaml, line {line}: " in str(caught.value)
    assert told in str(caught.value)


def test_a_command_is_told_which_project_only_where_there_are_several(tmp_path: Path) -> None:
    environ = {**write(tmp_path, SEVERAL), **COMPLETE}

    with pytest.raises(ConfigurationError, match=r"several projects: default, web_shop\. Choose one with --project"):
        load_settings(environ)
    with pytest.raises(ConfigurationError, match=r"no project 'shop'\. The YAML file has: default, web_shop"):
        load_settings(environ, project="shop")
    assert load_settings(environ, project="default").project == ""
    assert load_settings({"DIRECTUS_ASSETS_CONFIG": ""}, project="default").project == ""


@pytest.mark.parametrize(
    ("text", "languages"),
    [("de-DE", ("de-DE",)), ("[de-DE, fr-FR]", ("de-DE", "fr-FR")), ("de-DE, fr-FR", ("de-DE", "fr-FR")), ("", None)],
)
def test_a_text_where_a_list_is_meant_is_taken_for_one(text: str, languages: tuple[str, ...] | None) -> None:
    found = parse_config(f"translations:\n  languages: {text}\n", name="own.yaml")

    assert found.translations.languages == languages


def test_fields_and_inputs_may_be_one_text_as_well() -> None:
    found = parse_config(
        "translations: {collections: {posts: {fields: title, exclude: slug}}}\n"
        "enrichments: {posts: {summary: {input: body}}}\n",
        name="own.yaml",
    )

    posts = found.translations.collections["posts"]
    assert (posts.fields, posts.exclude) == (("title",), ("slug",))
    assert found.enrichments["posts"]["summary"].input == ("body",)


@pytest.mark.parametrize(
    "cron", ["0 * * * *", "*/15 2-5 * * mon-fri", "0 0 1,15 jan,JUL 7", "@daily", "5/10 0 31 12 0", " 0  3 * * * "]
)
def test_what_cron_takes_is_taken(cron: str) -> None:
    assert parse_config(f"reconcile: {{cron: '{cron}'}}\n", name="own.yaml").reconcile.cron == cron


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("every hour", "five fields"),
        ("0 * * *", "five fields"),
        ("60 * * * *", "the minute of a cron expression is `*` or 0 to 59, not `60`"),
        ("0 24 * * *", "the hour"),
        ("0 0 0 * *", "the day of the month"),
        ("0 0 * moon *", "the month"),
        ("0 0 * * *-5", "the day of the week"),
        ("*/0 * * * *", "the minute"),
        ("@often", "five fields"),
    ],
)
def test_a_bad_cron_is_told_with_its_line_and_field(cron: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=r"own\.yaml, line 2: `reconcile\.cron`") as caught:
        parse_config(f"reconcile:\n  cron: '{cron}'\n", name="own.yaml")

    assert told in str(caught.value)


def test_a_file_of_ones_own_is_read_in_the_place_of_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "directus_assets.yaml").write_text("images: {workers: 2}\n")
    before = load_settings({}).config.images.workers

    (tmp_path / "directus_assets.local.yaml").write_text("translations: {languages: de-DE}\n")
    own = load_settings({}).config

    assert before == 2
    assert (own.images.workers, own.translations.languages) == (None, ("de-DE",))
