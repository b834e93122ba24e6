"""No credential of this process is shown in any encoding, nor anything that looks like one."""

import base64
import html
import json
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest

from directus_assets.errors import Forbidden, Rejected
from directus_assets.orchestration.runs.history import try_metadata
from directus_assets.orchestration.webserver import Webserver
from directus_assets.redaction import hide, hide_environment, hide_login, redact
from directus_assets.settings import Environment
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.protocol import AskedSegment, Request
from directus_assets.translation.languages import language
from tests.translation.scripted_openai import Reply, ScriptedOpenAI

TOKEN = "Tok+en/with=odd&chars%20\\_\"quoted'1234567890"
DIRECTUS_TOKEN = "Tok+en/with=odd&chars%20_1234567890"


@pytest.fixture(autouse=True)
def _known() -> None:
    hide(TOKEN)
    Environment.read(
        {
            "DIRECTUS_TOKEN": DIRECTUS_TOKEN,
            "OPENAI_API_KEY": "proj-ABC/def+ghi=123456",
            "OPENAI_BASE_URL": "https://user:pa55word!@llm.example/v1?api-version=1&api-key=azure/key+1",
            "DAGSTER_FLOWS_HEADER": "Authorization: Basic dXNlcjpodW50ZXIyMjI=",
            "DAGSTER_WEBSERVER_URL": "http://ops:s3cr3tpw@dagster:3000",
            "STORAGE_S3_SECRET": "sec/ret+key==abcdef",
            "STORAGE_CDN_KEY": "z5x6c7v8b9",
            "STORAGE_SUPA_SERVICE_ROLE": "supabaserole1",
            "DATABASE_URL": "postgresql://dagster:p%40ss/w0rd@database:5432/x",
            "SHOP_DIRECTUS_TOKEN": "of-another-project-1",
            "DAGSTER_PG_PASSWORD": "hunter2",
            "DB_PASSWORD": "directus",
        }
    )


def basic(password: str) -> str:
    return base64.b64encode(f"somebody:{password}".encode()).decode()


@pytest.mark.parametrize("secret", [TOKEN, DIRECTUS_TOKEN, "sec/ret+key==abcdef", "proj-ABC/def+ghi=123456"])
@pytest.mark.parametrize(
    "spelled",
    [
        str,
        lambda secret: quote(secret, safe=""),
        quote,
        quote_plus,
        lambda secret: quote(secret, safe="").lower() if secret.islower() else quote(quote(secret, safe=""), safe=""),
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: json.dumps(json.dumps(secret))[3:-3],
        lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
        lambda secret: json.dumps(secret)[1:-1].replace("+", "\\u002B").replace("=", "\\u003d"),
        lambda secret: repr(secret)[1:-1],
        lambda secret: repr(secret.encode())[2:-1],
        html.escape,
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        lambda secret: base64.b64encode(f"u:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"me:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"{secret}:x, and more".encode()).decode(),
        lambda secret: secret.encode().hex(),
        lambda secret: secret.encode().hex().upper(),
    ],
)
def test_a_known_secret_is_hidden_in_every_spelling(secret: str, spelled: Callable[[str], str]) -> None:
    assert redact(f"before <{spelled(secret)}> after") == "before <***> after"


@pytest.mark.parametrize(
    "secret",
    [
        "pa55word!",
        quote("pa55word!", safe=""),
        "azure/key+1",
        "hunter222",
        "dXNlcjpodW50ZXIyMjI=",
        "s3cr3tpw",
        "z5x6c7v8b9",
        "supabaserole1",
        "p@ss/w0rd",
        "p%40ss/w0rd",
        "of-another-project-1",
        "hunter2",
    ],
)
def test_what_the_environment_holds_is_hidden_wherever_it_stands(secret: str) -> None:
    assert redact(f"It was '{secret}'.") == "It was '***'."
    assert redact(f"sent {basic(secret)} on") == "sent *** on"


def test_a_word_is_left_alone_though_it_is_a_password() -> None:
    assert redact("directus/files") == "directus/files"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.def", "abc.def"),
        ("Authorization: Basic b3BzOnNlY3JldC1wdw==", "b3BzOnNlY3JldC1wdw"),
        ('{"authorization": "Basic b3BzOnNlY3JldC1wdw=="}', "b3BzOnNlY3JldC1wdw"),
        ('{\\"token\\": \\"abc-def-1\\"}', "abc-def-1"),
        ("it sent Basic b3BzOnNlY3JldC1wdw==", "b3BzOnNlY3JldC1wdw"),
        ("token=s3cr3t", "s3cr3t"),
        ("GET /x?access_token=abcdefgh12345&y=1", "abcdefgh12345"),
        ("GET /x?X-Amz-Signature=abcdefgh12345&y=1", "abcdefgh12345"),
        ("x-api-key: zzzzyyyy1111", "zzzzyyyy1111"),
        ("https://x.blob.example/a?sv=1&sig=abcdef%3D&se=2", "abcdef"),
        ("it was ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abcdefghij"),
        ("it was xoxb-123456789012-abcdefghijkl", "123456789012"),
        ("it was AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEabcdef\n-----END RSA PRIVATE KEY-----", "MIIEabcdef"),
        ("cookie: a=b; directus_session_token=eyJhbGciOi.abc.def", "eyJhbGciOi"),
        ("it was eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEiLCJ4IjoxfQ.c2lnbmF0dXJl", "eyJpZCI6IjEi"),
        ("https://me:pw@host/", "pw@"),
        ("https://me:p@w@host/", "p@w"),
        ("http://ops:pa/ss@h/", "pa/ss"),
        ("https://onlytoken@host/", "onlytoken"),
        ("postgresql+psycopg2://dagster:dbpass99@database:5432/x", "dbpass99"),
        ("sk-abcdefghijkl", "abcdefghijkl"),
    ],
)
def test_what_looks_like_a_credential_is_hidden(text: str, hidden: str) -> None:
    assert "***" in redact(text)
    assert hidden not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Basic information about bread",
        "The basic dGVzdGluZw",
        "http://host:8080/users/a@b.c",
        "http://host/x and write to a@b.c",
        '{"url":"http://host","mail":"a@b.c"}',
        "The post 'Cookie: a recipe' failed.",
        "300 tokens were used",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_of_a_secret_that_begins_like_another_nothing_is_left() -> None:
    for length in range(8, 30):
        hide("p1o2i3u4y5t6r7e8w9q0l1k2j3h4"[:length])

    assert redact("Is it p1o2i3u4y5t6r7e8w9q0l1k2j3h4?") == "Is it ***?"


@pytest.mark.parametrize("url", ["http://[", "http://h:port", "//", "http://u:@h"])
def test_an_address_that_is_none_hides_nothing(url: str) -> None:
    hide_login(url)
    hide_environment({"SOME_URL": url})

    assert redact("port [ u") == "port [ u"


def test_neither_an_error_nor_its_metadata_shows_a_secret() -> None:
    error = Rejected(f"{quote(DIRECTUS_TOKEN, safe='')} is not welcome", remedy=f"{basic('s3cr3tpw')} neither.")

    assert str(error) == "*** is not welcome *** neither."
    assert "s3cr3tpw" not in str(try_metadata(error, fingerprint="1"))


def test_an_error_of_graphql_shows_no_secret() -> None:
    answer = {"errors": [{"message": f"cannot connect with {json.dumps(TOKEN)} or {basic('hunter222')}"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))

    with pytest.raises(Exception, match="cannot connect with") as caught:
        Webserver("http://127.0.0.1:3000", transport=transport).sick_daemons()

    shown = "".join(traceback.format_exception(caught.value))
    assert json.dumps(TOKEN) not in shown
    assert basic("hunter222") not in shown


def test_not_even_the_cause_of_an_engines_error_shows_its_key() -> None:
    key = "proj-ABC/def+ghi=123456"
    segment = AskedSegment(key="1", text="Bread", context="text")
    request = Request(source=language("en"), target=language("de"), segments=(segment,))
    with ScriptedOpenAI() as server:
        engine = OpenAIEngine(api_key=key, model="any", base_url=server.url)
        message = f"No such key: {quote(key, safe='')} ({key})"
        server.next(lambda _: Reply(status=401, body=json.dumps({"error": {"message": message}})))

        with pytest.raises(Forbidden, match="No such key") as caught:
            engine.translate(request)

    # What Dagster stores of an exception: the whole chain.
    shown = "".join(traceback.format_exception(caught.value))
    assert key not in shown
    assert quote(key, safe="") not in shown
