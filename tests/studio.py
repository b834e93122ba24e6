"""The real Studio in a headless browser, and an editor who works in it with few rights."""

import contextlib
import io
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from directus_assets.commands.setup.dashboard import dashboard_id
from directus_assets.commands.setup.setup_dashboard import run_dashboard_setup
from directus_assets.directus.client import DirectusClient
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import Settings
from tests.machine import EVERYTHING_IS_THERE, lacking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IS_SHOWN = bool(CHROMIUM or os.environ.get(EVERYTHING_IS_THERE))
"""Whether what is shown there can be looked at, or has to be."""
EMAIL, PASSWORD = "anna@example.com", "anna-may-edit"
_READABLE = (
    "directus_comments",
    "directus_dashboards",
    "directus_files",
    "directus_flows",
    "directus_folders",
    "directus_panels",
    "posts",
    "posts_translations",
)


class Editor:
    """Somebody with the Studio and few rights."""

    def __init__(self, directus: LocalDirectus, admin: DirectusClient) -> None:
        policy = admin.post("/policies", {"name": "editors", "app_access": True})["id"]
        for collection in _READABLE:
            right = {"policy": policy, "collection": collection, "action": "read", "fields": ["*"]}
            admin.post("/permissions", {**right, "permissions": {}, "validation": {}})
        role = admin.post("/roles", {"name": "editors", "policies": [{"policy": policy}]})["id"]
        user = {"email": EMAIL, "password": PASSWORD, "role": role, "status": "active", "token": "annas-own-token"}
        self.id = admin.post("/users", user)["id"]
        self.url = directus.url
        self.directus = DirectusClient(directus.url, "annas-own-token")

    def notifications(self) -> list[tuple[str, str]]:
        rows = self.directus.get("/notifications", sort="timestamp", limit=-1)
        return [(row["subject"], row["message"]) for row in rows]

    def open_studio(self, page: Page, path: str) -> None:
        """Logs in."""
        page.goto(f"{self.url}/admin/login?redirect={path}")
        page.fill("input[type=email]", EMAIL)
        page.fill("input[type=password]", PASSWORD)
        page.click("button[type=submit]")


@contextlib.contextmanager
def browser_page() -> Iterator[Page]:
    """A page of the browser; where this machine has none: see `machine.lacking`."""
    if not CHROMIUM:
        lacking("Chromium (Debian: apt-get install chromium)")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    quiet = ["--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*arguments, *quiet])
        page = browser.new_page(viewport={"width": 1280, "height": 560})
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def install_dashboard(settings: Settings, directus: LocalDirectus) -> str:
    """What `setup --dashboard` does; returns where in the Studio the dashboard is."""
    output = Console(file=io.StringIO())
    assert run_dashboard_setup(output, settings, admin_token=directus.admin_token, confirm=lambda: True) == 0
    return f"/insights/{dashboard_id('')}"


def shown_in_panel(page: Page, name: str, *, number: int) -> None:
    """Waits until a panel of the dashboard shows a number."""
    panel = page.locator(".v-workspace-tile", has=page.get_by_text(name, exact=True))
    panel.get_by_text(str(number), exact=True).wait_for()
