# ruff: noqa: E501  # tables: a case to a line

import pytest

from directus_assets.directus.addresses import all_addresses, is_address, is_prose, told_by_name


@pytest.mark.parametrize(
    "text",
    [
        ["https://example.com/a", "b"][0], "mailto:info@example.com", "info@example.com", "www.example.com", "example.com/about?x=1",
        "/about-us/team", "/", "./local", "../up/there", "#anchor", "#ff8800", "?page=2", "img/picture.JPG".lower(), "rgba(0, 0, 0, 0.5)",
        '<iframe src="https://video.example/1" title="A film of us"></iframe>', "<!-- Tags -->\n<script>\nshow('a b');\n</script>", "<svg><title>A cat</title></svg>",
        "<script src='a'></script><noscript><iframe src='b'></iframe></noscript>", "<link rel='stylesheet' href='/a.css'>",
        "var(--primary)", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "mdi:home", "fa fa-home", "snake_case", "camelCase", "HTTPS://EXAMPLE.COM",
    ],
)  # fmt: skip
def test_an_address_is_told_from_its_value(text: str) -> None:
    assert is_address(text)
    assert not is_prose(text)


@pytest.mark.parametrize(
    "text",
    ["Home", "About us", "home", "and/or", "A sentence, with a link: https://example.com.", "Dr. Who", "日本", "10 %", "What?", "Line\n/two", "<p>Text</p>", "<script>a()</script> and text", "<script>a()</script><p>Read this</p>",
     "<script>1</script>Text<script>2</script>", "<svg/>One<iframe></iframe>", "<noscript>Switch it on</noscript>", "<!-- a --><p>Text</p>"],
)  # fmt: skip
def test_words_are_no_address(text: str) -> None:
    assert not is_address(text)


def test_prose_is_more_than_one_word() -> None:
    assert is_prose("About us")
    assert is_prose("日本語")
    assert not is_prose("home")
    assert not is_prose("see_this /about")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("permalink", "always"), ("css_class", "always"), ("iconName", "always"), ("background-color", "always"), ("canonical_url", "unless prose"),
        ("buttonHref", "always"), ("phone_number", "unless prose"), ("email", "unless prose"), ("sku", "unless prose"),
        ("twitter", "unless prose"), ("color_name", "addresses"), ("file_name", "always"),
        ("title", "addresses"), ("link_text", "addresses"), ("url_label", "addresses"), ("class_description", "addresses"),
        ("meta_robots", "always"), ("embed_code", "always"), ("map_iframe", "always"), ("robots_text", "addresses"),
        ("cron", "always"), ("cronExpression", "always"), ("regex", "always"), ("tracking_code", "always"), ("head_scripts", "always"), ("custom_css", "always"),
        ("json_ld", "always"), ("font-family", "always"), ("date_format", "always"), ("password", "always"), ("color_2", "always"), ("time_zone", "unless prose"),
        ("isbn13", "unless prose"), ("link_2", "unless prose"), ("ip_address", "unless prose"), ("og_type", "unless prose"), ("discount_code", "unless prose"),
        ("title_2", "addresses"), ("postal_address", "addresses"), ("code_of_conduct", "addresses"), ("script", "addresses"), ("pattern", "addresses"),
    ],
)  # fmt: skip
def test_the_last_word_of_a_name_tells(name: str, expected: str) -> None:
    assert told_by_name(name) == expected


def test_values_tell_together_what_none_tells_alone() -> None:
    assert all_addresses(["home", "about-us", "contact-us"])
    assert not all_addresses(["home", "news", "contact"])
    assert not all_addresses(["home", "about-us", "Contact us now"])
    assert not all_addresses([])
