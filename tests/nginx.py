"""nginx as a cache in front of Directus, with a webhook that purges it."""

import json
import re
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from directus_assets.local.server import free_port
from tests.machine import lacking

_CONFIGURATION = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=pictures:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {directus};
      proxy_cache pictures;
      proxy_cache_key http://$http_host$request_uri;
      add_header X-Cache-Status $upstream_cache_status;
    }}
  }}
}}
"""
_KEY = re.compile(rb"\nKEY: ([^\n]*)\n")


class Nginx:
    """The server. Entering the block starts it; where this machine has none: see `machine.lacking`."""

    def __init__(self, directus_url: str, folder: Path) -> None:
        self.told: list[str] = []
        """All addresses that the webhook was told of."""
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        self._configuration = _CONFIGURATION.format(folder=folder, port=port, directus=directus_url)
        self._folder = folder
        self._hook = ThreadingHTTPServer(("127.0.0.1", 0), _answering(self))

    @property
    def hook(self) -> str:
        """The address of the webhook."""
        return f"http://127.0.0.1:{self._hook.server_port}/"

    def __enter__(self) -> Self:
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            lacking("nginx (Debian: apt-get install nginx-light)")
        (self._folder / "nginx.conf").write_text(self._configuration)
        log = str(self._folder / "error.log")
        self._process = subprocess.Popen([program, "-e", log, "-c", str(self._folder / "nginx.conf")])
        threading.Thread(target=self._hook.serve_forever, daemon=True).start()
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._hook.shutdown()
        self._hook.server_close()

    def forget(self, addresses: list[str]) -> None:
        """Purge these addresses from the cache, for every `Accept`."""
        self.told += addresses
        keys = {address.encode() for address in addresses}
        for path in (self._folder / "cache").iterdir():
            found = _KEY.search(path.read_bytes())
            if found and found[1] in keys:
                path.unlink()

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.url}/server/ping", trust_env=False, timeout=60)
            except httpx.TransportError:
                assert time.monotonic() < deadline, (self._folder / "error.log").read_text()
                time.sleep(0.05)
            else:
                return


def _answering(cache: Nginx) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            cache.forget(json.loads(body)["urls"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base class has it)
            pass

    return Handler
