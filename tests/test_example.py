"""The website of `examples/` in a browser."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import blurhash
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from directus_assets.images.delivery import MANIFEST
from directus_assets.images.previews import placeholder
from tests.images.scripted_directus import picture
from tests.images.test_srcset import CHROMIUM, SIZE, export, webp
from tests.machine import lacking

PROGRAM = Path(__file__).parents[1] / "examples" / "static-site" / "build.py"
POSTS = [
    {
        "id": 7,
        "image": "f1",
        "translations": [
            {"languages_code": "en-US", "title": "Bread & <salt>", "summary": "Short.", "body": "<p>Bake it.</p>"},
            {"languages_code": "de-DE", "title": "Brot", "summary": None, "body": "<p>Backen.</p>"},
            {"languages_code": "fr-FR", "title": None, "summary": None, "body": None},
        ],
    }
]
PRESETS = [
    webp("hero", width=1400),
    webp("hero-700", width=700),
    webp("hero-350", width=350, fit="inside", height=350),
    webp("card", width=600, height=401, fit="contain"),
    webp("grey", width=700, transforms=(("greyscale",),)),
    webp("blurred", width=1000, transforms=(("blur", 9),)),
    webp("square", width=700, height=700, fit="cover"),
    webp("square-500", width=500, height=500, fit="cover"),
    webp("letterbox", width=700, height=300, fit="contain"),
    webp("flat", width=900, height=300, fit="cover"),
    webp("upside-down", width=800, transforms=(("flip",),)),
    webp("negative", width=500, transforms=(("negate",),)),
]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Built by the very command that the docs name, from a Directus that has these posts."""

    class Directus(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["authorization"] == "Bearer t"
            body = json.dumps({"data": POSTS}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base class has it)
            pass

    row = export(tmp_path, PRESETS)
    manifest = {"version": 1, "files": {"f1": {**row, "alt": 'A "harbour"'}}}
    (tmp_path / "export" / MANIFEST).write_text(json.dumps(manifest))
    with ThreadingHTTPServer(("127.0.0.1", 0), Directus) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {"DIRECTUS_URL": f"http://127.0.0.1:{server.server_port}", "DIRECTUS_TOKEN": "t"}
        command = [sys.executable, str(PROGRAM), "export", "site"]
        subprocess.run(command, cwd=tmp_path, env={**os.environ, "no_proxy": "*", **environment}, check=True)
        server.shutdown()
    return tmp_path / "site"


@pytest.mark.integration
def test_a_browser_shows_each_language_with_the_smallest_picture_that_is_large_enough(site: Path) -> None:
    if not CHROMIUM:
        lacking("Chromium (Debian: apt-get install chromium)")
    assert sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html")) == [
        "de-DE/7.html",
        "de-DE/index.html",
        "en-US/7.html",
        "en-US/index.html",
    ]

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        loaded = []
        for width in (300, 650, 1100):
            tab = browser.new_page(viewport={"width": width, "height": 900})
            tab.goto((site / "en-US" / "7.html").as_uri())
            tab.evaluate("() => document.images[0].decode()")
            loaded.append(unquote(tab.evaluate("() => document.images[0].currentSrc")))
            tab.close()
        tab = browser.new_page()
        tab.goto((site / "en-US" / "7.html").as_uri())
        heading, alt = tab.text_content("h1"), tab.get_attribute("img", "alt")
        colour = tab.evaluate("() => getComputedStyle(document.images[0]).backgroundColor")
        blurred = tab.evaluate("() => getComputedStyle(document.images[0]).backgroundImage")
        tab.click("text=de-DE")
        german = tab.text_content("article p"), tab.get_attribute("html", "lang")
        browser.close()

    assert [each.split("/export/")[1].split("/")[0] for each in loaded] == ["hero-350", "hero-700", "hero"]
    assert all("?v=" in each for each in loaded)
    assert (heading, alt) == ("Bread & <salt>", 'A "harbour"')
    assert colour.startswith("rgb(")
    shown = Image.open(io.BytesIO(base64.b64decode(blurred.split("base64,")[1].removesuffix('")'))))
    expected = blurhash.decode(placeholder(picture(SIZE)).blurhash, *shown.size)
    assert np.array_equal(np.asarray(shown), np.array(expected).astype(np.uint8))
    assert german == ("Backen.", "de-DE")
