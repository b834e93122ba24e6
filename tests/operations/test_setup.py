"""`directus-assets setup` on the real Directus."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from directus_assets.cli import main
from directus_assets.commands.setup.account import EMAIL, read_account
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.held import Access, read_access
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus

pytestmark = pytest.mark.integration

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def project(empty_directus: LocalDirectus) -> Iterator[DirectusClient]:
    """An administrator's client of a Directus with translated posts and pages."""
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=60) as client:
        create_collections(client)
        yield client


@pytest.fixture
def run(project: DirectusClient, directus: LocalDirectus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder, with the administrator's token in the environment."""
    monkeypatch.chdir(tmp_path)
    # What the command reads from `.env` must not stay in the environment of other tests.
    monkeypatch.setenv("DIRECTUS_TOKEN", "")

    def run(*options: str, answer: str | None = None, **variables: str | None) -> Result:
        environment = {
            "DIRECTUS_URL": directus.url,
            "DIRECTUS_ADMIN_TOKEN": directus.admin_token,
            "TRANSLATION_ENGINE": "pseudo",
            "COLUMNS": "200",
            **variables,
        }
        result = CliRunner(env=environment).invoke(main, ["setup", *options], input=answer)
        assert directus.admin_token not in result.output
        return result

    return run


@pytest.fixture(autouse=True)
def _without_the_user(project: DirectusClient) -> Iterator[None]:
    yield
    account = read_account(project)
    for path, key in (("/users", account.user), ("/roles", account.role), ("/policies", account.policy)):
        if key and (path != "/policies" or account.has_policies):
            project.delete(f"{path}/{key}")


def token_in(output: str) -> str:
    (line,) = [line for line in output.splitlines() if line.startswith("DIRECTUS_TOKEN=")]
    return line.partition("=")[2]


def test_a_dry_run_shows_everything_and_does_nothing(run: Run, project: DirectusClient) -> None:
    latest = project.latest_activity_id()

    result = run("--dry-run")

    assert result.exit_code == 0, result.output
    for text in ("policy", "role", "user", "create on posts_translations", "read on directus_activity"):
        assert text in result.output
    assert "DIRECTUS_TOKEN" not in result.output
    assert project.latest_activity_id() == latest


def test_without_a_yes_nothing_is_done(run: Run, project: DirectusClient) -> None:
    result = run(answer="n\n")

    assert result.exit_code == 1
    assert "Nothing was changed." in result.output
    assert read_account(project).user is None


def test_the_token_that_is_shown_works(run: Run, directus: LocalDirectus, project: DirectusClient) -> None:
    result = run(answer="y\n")

    assert result.exit_code == 0, result.output
    with DirectusClient(directus.url, token_in(result.output)) as bot:
        assert bot.own_user_id == read_account(project).user
        assert read_access(bot) == Access(is_admin=False, has_app=False)


def test_a_second_time_changes_nothing_and_shows_no_token(run: Run, project: DirectusClient) -> None:
    token = token_in(run("--yes").output)
    latest = project.latest_activity_id()

    again = run("--yes")

    assert again.exit_code == 0
    assert "Nothing needs to change." in again.output
    assert token not in again.output
    assert project.latest_activity_id() == latest


def test_another_token_ends_the_old_one(run: Run, directus: LocalDirectus) -> None:
    first = token_in(run("--yes").output)

    second = token_in(run("--yes", "--new-token").output)

    assert (
        httpx.get(f"{directus.url}/users/me", headers={"Authorization": f"Bearer {first}"}, timeout=60).status_code
        == 401
    )
    assert (
        httpx.get(f"{directus.url}/users/me", headers={"Authorization": f"Bearer {second}"}, timeout=60).status_code
        == 200
    )


def test_the_token_goes_into_a_file_that_only_its_owner_can_read(run: Run, directus: LocalDirectus) -> None:
    path = Path(".env")
    path.write_text("# ours\nOPENAI_MODEL=m\nDIRECTUS_TOKEN=old\n")
    path.chmod(0o644)

    result = run("--yes", "--write-env", DIRECTUS_TOKEN=None)

    lines = path.read_text().splitlines()
    assert lines[:2] == ["# ours", "OPENAI_MODEL=m"]
    token = token_in("\n".join(lines))
    assert token not in result.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (
        httpx.get(f"{directus.url}/users/me", headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code
        == 200
    )


def test_only_what_a_changed_schema_lacks_is_added(run: Run, project: DirectusClient) -> None:
    run("--yes")
    extra = _permission(project, "posts", "delete")
    lost = next(row for row in project.get("/permissions", limit=-1) if row["collection"] == "pages")
    project.delete(f"/permissions/{lost['id']}")

    shown = run("--dry-run").output
    run("--yes")

    assert shown.count("create") == 1
    assert "read on pages" in shown
    assert "delete on posts (not needed; removed by --prune-rights)" in shown
    assert extra in [row.get("id") for row in project.get("/permissions", limit=-1)]


def test_what_is_not_needed_goes_when_it_is_to_be_pruned(run: Run, project: DirectusClient) -> None:
    run("--yes")
    extra = _permission(project, "posts", "delete")

    run("--yes", "--prune-rights")

    assert extra not in [row.get("id") for row in project.get("/permissions", limit=-1)]
    assert "Nothing needs to change." in run("--yes", "--prune-rights").output


def test_without_an_engine_no_text_can_be_touched(run: Run, project: DirectusClient) -> None:
    result = run("--yes", TRANSLATION_ENGINE=None)

    assert "no permissions for translations are granted" in result.output
    names = {permission.right.name for permission in read_account(project).permissions}
    assert names == {"read on directus_activity", "read on directus_files", "read on directus_settings"}


def test_a_token_that_is_no_administrators_is_refused(run: Run) -> None:
    token = token_in(run("--yes").output)

    result = run("--yes", DIRECTUS_ADMIN_TOKEN=token)

    assert result.exit_code == 1
    assert "is not an administrator's" in result.output


def test_the_administrators_token_is_asked_for_unseen(run: Run, directus: LocalDirectus) -> None:
    result = run("--dry-run", answer=f"{directus.admin_token}\n", DIRECTUS_ADMIN_TOKEN=None)

    assert result.exit_code == 0, result.output
    assert "Administrator token:" in result.output


def test_the_user_is_that_of_the_given_address(run: Run, project: DirectusClient) -> None:
    run("--yes")

    (user,) = project.get("/users", filter={"email": {"_eq": EMAIL}}, fields=["status", "first_name"])
    assert user == {"status": "active", "first_name": "directus-assets"}


def _permission(project: DirectusClient, collection: str, action: str) -> int:
    account = read_account(project)
    body = {account.holder: account.policy, "collection": collection, "action": action, "fields": ["*"]}
    return int(project.post("/permissions", {**body, "permissions": {}, "validation": {}})["id"])
