"""The production configuration: compose.yaml, the image, Dagster on PostgreSQL, and the values of Dagster's Helm
chart.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy.engine import make_url

from directus_assets.directus.version import NEWEST
from directus_assets.fast.launcher import RUNS_ELSEWHERE
from tests.postgres import running_postgres

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
HELM: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "helm-values.yaml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES = sorted(COMPOSE["services"])
(HELM_CODE,) = HELM["dagster-user-deployments"]["deployments"]


def documented() -> set[str]:
    """The variables that .env.example names."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))


def k8s_case(name: str) -> str:
    """`runAsUser` for `run_as_user`."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def locked(name: str) -> dict[str, str]:
    """The versions in a lock file, by package."""
    return dict(
        re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_looked_after_and_is_nobody_special(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["healthcheck"]["test"][0] == "CMD"
    assert str(service["user"]).partition(":")[0] not in ("", "0", "root")
    assert service["restart"] == "unless-stopped"
    assert not service.get("privileged")


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_open_on_loopback_only_unless_told_otherwise(name: str) -> None:
    for port in COMPOSE["services"][name].get("ports", []):
        assert re.fullmatch(r"\$\{[A-Z_]+:-127\.0\.0\.1\}:\d+:\d+", port)


def test_every_variable_of_the_services_is_documented() -> None:
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "compose.yaml").read_text("utf-8")))

    assert len(used) > 10
    assert used <= documented()


def test_every_documented_variable_reaches_the_services_but_those_of_other_setups() -> None:
    given = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "compose.yaml").read_text("utf-8")))

    left_out = documented() - given - used
    assert {name for name in left_out if not name.startswith(("STORAGE_S3_", "SHOP_"))} == set()


def test_no_secret_has_a_default() -> None:
    found = re.findall(
        r"\$\{([A-Z_]*(?:SECRET|PASSWORD|TOKEN|KEY))([^}]*)\}", (ROOT / "compose.yaml").read_text("utf-8")
    )

    assert len(found) > 5
    assert all(rest == ":-" or rest.startswith(":?") for _, rest in found)


def test_only_what_runs_the_code_has_the_token() -> None:
    holders = {
        name for name, service in COMPOSE["services"].items() if "DIRECTUS_TOKEN" in service.get("environment", {})
    }

    assert holders == {"code", "daemon", "door"}


def networks(name: str) -> set[str]:
    return set(COMPOSE["services"][name]["networks"])


def test_directus_has_no_way_to_dagsters_webserver() -> None:
    assert networks("directus").isdisjoint(networks("webserver"))
    assert COMPOSE["networks"]["pipeline"] == {"internal": True}
    # What shares a network with Directus and works for Dagster listens on no port, but for the door.
    beside = {name for name in SERVICES if networks(name) & networks("directus")} - {"directus", "database", "cache"}
    assert beside == {"code", "daemon", "door"}
    assert COMPOSE["services"]["door"]["command"][:2] == ["directus-assets", "door"]
    assert "daemon" in COMPOSE["services"]["daemon"]["command"][0]
    assert not any(COMPOSE["services"][name].get("ports") or COMPOSE["services"][name].get("expose") for name in beside)
    command = json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])
    assert "command" not in COMPOSE["services"]["code"]
    assert command[command.index("-s") + 1] == "/dagster/code.sock"
    assert not {"-p", "--port", "-h", "--host"} & set(command)
    assert "EXPOSE" not in DOCKERFILE
    workspace = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text("utf-8"))
    assert workspace["load_from"][0]["grpc_server"] == {
        "socket": "/dagster/code.sock",
        "location_name": "directus_assets",
    }


def test_no_file_of_ours_gives_directus_an_address_of_dagster() -> None:
    directus = COMPOSE["services"]["directus"]

    assert not re.search(r"dagster|webserver|:3000", yaml.safe_dump(directus["environment"]).lower())
    assert "IMPORT_IP_DENY_LIST" not in yaml.safe_dump(directus)
    assert COMPOSE["services"]["code"]["environment"]["DOOR_URL"] == "http://door:4000"


def test_the_webserver_is_guarded_and_starts_no_run_without_the_token() -> None:
    webserver = COMPOSE["services"]["webserver"]

    assert webserver["command"][:3] == ["python", "-m", "directus_assets.fast.webserver"]
    assert webserver["environment"][RUNS_ELSEWHERE] == "1"
    assert webserver["environment"]["DAGSTER_WEBSERVER_URL"] == "${DAGSTER_WEBSERVER_URL:-}"
    assert RUNS_ELSEWHERE not in COMPOSE["services"]["daemon"]["environment"]


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "deploy" / name).read_text("utf-8")))


def test_on_kubernetes_directus_reaches_the_door_and_nothing_else() -> None:
    dagster, door = (policy["spec"] for policy in manifests("network-policy.yaml"))
    deployment, service = manifests("door.yaml")
    labels = deployment["spec"]["template"]["metadata"]["labels"]

    def let_in(policy: dict[str, Any]) -> set[str]:
        (rule,) = policy["ingress"]
        return {value for each in rule["from"] for value in each["podSelector"]["matchLabels"].values()}

    assert dagster["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": "dagster"}
    assert let_in(dagster) == {"dagster", "directus-assets-door", "dagster-login-proxy"}
    assert (door["podSelector"]["matchLabels"], let_in(door)) == (labels, {"directus"})
    assert dagster["policyTypes"] == door["policyTypes"] == ["Ingress"]
    assert service["spec"]["selector"] == labels
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f"directus-assets:{HELM_CODE['image']['tag']}")
    assert container["command"] == COMPOSE["services"]["door"]["command"]
    assert HELM_CODE["env"]["DOOR_URL"] == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"


def test_the_tags_of_a_run_add_nothing_to_its_pod() -> None:
    launcher = HELM["runLauncher"]["config"]["customRunLauncher"]

    assert (HELM["runLauncher"]["type"], launcher["class"]) == ("CustomRunLauncher", "K8sRunLauncher")
    assert launcher["config"]["only_allow_user_defined_k8s_config_fields"] == {}
    assert launcher["config"]["only_allow_user_defined_env_vars"] == []
    # What the code location says of itself would count as said by the user, and be refused.
    assert HELM_CODE["includeConfigInLaunchedRuns"] == {"enabled": False}


def test_versions_are_those_that_are_tested() -> None:
    images = {name: service["image"] for name, service in COMPOSE["services"].items()}
    tests, image = locked("requirements.lock"), locked("requirements-image.lock")

    assert images["directus"] == f"directus/directus:${{DIRECTUS_VERSION:-{NEWEST}}}"
    assert all(
        re.search(r":(\d|\$\{\w+:-\d)", image)
        for name, image in images.items()
        if "build" not in COMPOSE["services"][name]
    )
    assert {name: version for name, version in image.items() if name in tests} == {
        name: tests[name] for name in image if name in tests
    }
    assert image["dagster"] == tests["dagster"]
    assert image["dagster-postgres"] == image["dagster-k8s"]
    assert "pytest" not in image
    chart = (ROOT / "deploy" / "helm-values.yaml").read_text("utf-8")
    assert f"--version {tests['dagster']} " in chart


def test_the_image_is_locked_and_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)

    assert users[-1] == "1000:1000" == COMPOSE["services"]["code"]["user"]
    assert "--require-hashes -r requirements-image.lock" in DOCKERFILE
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements-image.lock").read_text("utf-8"))
    assert all("--hash=sha256:" in block for block in blocks)


def test_all_that_is_copied_into_the_image_is_there_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
    copied = {name for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]}

    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_all_that_is_mounted_from_here_is_there() -> None:
    mounted = [
        volume.partition(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]

    assert mounted
    assert all((ROOT / name).is_file() for name in mounted)
    assert os.access(ROOT / "deploy" / "create-dagster-database.sh", os.X_OK)


def test_dagster_on_postgresql_differs_in_its_storage_only() -> None:
    ours = yaml.safe_load((ROOT / "directus_assets" / "orchestration" / "dagster.yaml").read_text("utf-8"))
    theirs = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text("utf-8"))

    assert ours.pop("storage")["custom"]["class"] == "BatchedSqliteStorage"
    assert theirs.pop("storage")["custom"]["class"] == "BatchedPostgresStorage"
    assert theirs == ours
    assert ours["run_launcher"] == {"module": "directus_assets.fast", "class": "WarmRunLauncher"}
    assert ours["run_coordinator"]["class"] == "FreshFirstCoordinator"


def test_dagster_works_on_the_database_that_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "deploy" / "dagster.yaml", tmp_path / "dagster.yaml")
    with running_postgres() as address:
        url = make_url(address)
        server = {
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "POSTGRES_USER": str(url.username),
            "POSTGRES_DB": str(url.database),
            "DAGSTER_DB_PASSWORD": "a'b c",
        }
        script = ROOT / "deploy" / "create-dagster-database.sh"
        subprocess.run([str(script)], env={**os.environ, **server}, check=True, capture_output=True)
        values = {"HOST": url.host, "PORT": url.port, "DB": "dagster", "USER": "dagster", "PASSWORD": "a'b c"}
        for name, value in values.items():
            monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", str(value))
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

        with dg.DagsterInstance.get() as instance:
            instance.add_dynamic_partitions("directus_files", ["f1"])
        info = subprocess.run(
            [sys.executable, "-m", "dagster", "instance", "info"], check=True, capture_output=True, text=True
        )
        with dg.DagsterInstance.get() as instance:
            assert instance.get_dynamic_partitions("directus_files") == ["f1"]

    assert re.search(r"run_storage:\n\s+current: \w+", info.stdout)
    assert "a'b c" not in info.stdout


def test_a_pod_has_all_that_a_run_needs_and_is_not_root() -> None:
    code, run = HELM_CODE, HELM["runLauncher"]["config"]["customRunLauncher"]["config"]

    assert code["codeServerArgs"] == ["-m", "directus_assets.definitions"]
    assert code["podSecurityContext"]["runAsNonRoot"]
    pod = run["run_k8s_config"]["pod_spec_config"]["security_context"]
    assert {k8s_case(name): value for name, value in pod.items()} == code["podSecurityContext"]
    assert run["job_image"] == f"{code['image']['repository']}:{code['image']['tag']}"
    assert run["env_secrets"] == [each["name"] for each in code["envSecrets"]]
    assert run["volume_mounts"] == code["volumeMounts"]
    assert run["volumes"] == code["volumes"]
    given = dict(each.split("=", 1) for each in run["env_vars"])
    assert given == {name: value for name, value in code["env"].items() if name != "DOOR_URL"}
    assert code["envSecrets"]
    (watch,) = code["sidecarContainers"]
    assert watch["image"] == f"{code['image']['repository']}:{code['image']['tag']}"
    assert watch["command"] == ["directus-assets", "watch", "--location", code["name"]]
    assert set(code["env"]) <= documented()
    assert f"install -d -o dagster -g dagster {HELM['global']['dagsterHome']} " in DOCKERFILE
    limits = HELM["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]["tagConcurrencyLimits"]
    ours = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text("utf-8"))
    limited = ours["concurrency"]["runs"]["tag_concurrency_limits"]
    assert [limit["key"] for limit in limits] == [limit["key"] for limit in limited]
    retries = HELM["dagsterDaemon"]["runRetries"]
    assert retries["maxRetries"] == ours["run_retries"]["max_retries"]
    assert retries["retryOnAssetOrOpFailure"] is ours["run_retries"]["retry_on_asset_or_op_failure"]
