import socket
from pathlib import Path

import httpx
import pytest

from directus_assets.commands.door import open_door


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_the_door_opens_at_the_address_that_it_tells(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "directus_assets.yaml"
    settings.write_text("projects: {shop: {}}", "utf-8")
    monkeypatch.setenv("DIRECTUS_ASSETS_CONFIG", str(settings))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    name, family = ("::1", socket.AF_INET6) if host == "[::1]" else ("127.0.0.1", socket.AF_INET)
    try:
        with socket.create_server((name, 0), family=family) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip("This machine has no IPv6.")
    told: list[str] = []

    with open_door(url := f"http://{host}:{port}", tell=told.append):
        answer = httpx.post(f"{url}/changes", trust_env=False, timeout=60)

    assert answer.status_code == 403
    assert told[-1] == f"listening at {url}"
