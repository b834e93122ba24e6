"""An engine as slow as real ones: an OpenAI-compatible server on loopback.

`python -m bench.engine SECONDS AT_ONCE` runs it in a process of its own, as real engines are.
"""

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

from directus_assets.spending.prompts import count_tokens

_SEGMENTS = re.compile(r"<source_segments>\n(.*)\n</source_segments>")
_TARGET = re.compile(r"\nTranslate every segment into .*\((\w+)\S*\)\.")

_WORDS = {
    "de": "der die das und nicht mit einem von auch wenn nach über wird haben sein kann Jahr Haus Wasser Morgen Abend "
    "immer wieder kleine große Garten Küche Straße Winter Sommer",
    "fr": "le la les et dans une avec pour pas plus sur être avoir maison jardin cuisine rue hiver été matin soir "
    "toujours petit grande eau temps monde travail jamais souvent",
    "ar": "في من على إلى هذا البيت الماء الصباح المساء الحديقة المطبخ الشارع الشتاء الصيف دائما صغير كبير العمل الوقت "
    "الناس المدينة الكتاب القهوة الباب الطريق",
    "ja": "これは それは 今日は 私たちは 水を 家で 庭の 朝に 夜に 台所で 道を 冬の 夏に いつも 小さな 大きな 仕事が "
    "時間を 人々が 町で 本を 読みます 歩きます 思います あります",
}
"""Enough of each language for the checks of an answer to take it for one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """The totals of an engine so far: answered requests, their tokens, and refused requests."""

    requests: int = 0
    tokens: int = 0
    refused: int = 0


@dataclass(frozen=True)
class RemoteEngine:
    """A `SlowEngine` in another process."""

    url: str

    @property
    def counts(self) -> Counts:
        """The current totals."""
        return Counts(**httpx.get(f"{self.url}/counts", trust_env=False).json())


@contextmanager
def remote_engine(*, seconds: float, at_once: int) -> Iterator[RemoteEngine]:
    """A `SlowEngine` in a separate process, for the duration of the block."""
    command = [sys.executable, "-m", __name__, str(seconds), str(at_once)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            yield RemoteEngine(process.stdout.readline().strip())
        finally:
            # It has nothing to lose, and may have been started where SIGTERM is ignored.
            process.kill()


class SlowEngine:
    """The server. Entering the block starts it, leaving it stops it.

    Args:
        seconds: what each answer takes.
        at_once: requests that are answered at the same time; more than these get 429.
    """

    def __init__(self, *, seconds: float, at_once: int) -> None:
        self.seconds = seconds
        self.at_once = at_once
        self.counts = Counts()
        self.in_flight = 0
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=5)

    def answer(self, body: dict[str, Any], *, started: float) -> tuple[int, dict[str, Any]]:
        """Status and body for one request, which began to arrive at `started` by the monotonic clock."""
        with self._lock:
            if self.in_flight >= self.at_once:
                self.counts = replace(self.counts, refused=self.counts.refused + 1)
                return 429, {"error": {"message": "Too many requests", "code": "rate_limit_exceeded"}}
            self.in_flight += 1
        completion = _completion(body)
        # Our own work is part of the time that an answer takes.
        time.sleep(max(0.0, self.seconds - (time.monotonic() - started)))
        with self._lock:
            self.in_flight -= 1
            self.counts = replace(
                self.counts,
                requests=self.counts.requests + 1,
                tokens=self.counts.tokens + completion["usage"]["total_tokens"],
            )
        return 200, completion


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    prompt = "\n".join(message["content"] for message in body["messages"])
    segments, target = _SEGMENTS.search(prompt), _TARGET.search(prompt)
    asked = json.loads(segments[1]) if segments else {}
    language = target[1] if target else ""
    content = json.dumps({key: _words(row["text"], language) for key, row in asked.items()}, ensure_ascii=False)
    output = count_tokens(content)
    usage = {"prompt_tokens": count_tokens(prompt), "completion_tokens": output}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }


def _words(text: str, language: str) -> str:
    """As many sentences and words of a language as the text has; deterministic."""
    chance, words = random.Random(text), _WORDS[language].split()
    space, stop = ("", "。") if language == "ja" else (" ", ".")

    def sentence(source: str) -> str:
        chosen = space.join(chance.choices(words, k=len(source.split())))
        return chosen[:1].upper() + chosen[1:] + (stop if source.endswith(".") else "")

    return space.join(map(sentence, re.split(r"(?<=\.)\s+", text)))


def _handler(engine: SlowEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def parse_request(self) -> bool:
            self.started = time.monotonic()
            return super().parse_request()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._send(*engine.answer(body, started=self.started))

        def do_GET(self) -> None:
            self._send(200, asdict(engine.counts))

        def _send(self, status: int, body: dict[str, Any]) -> None:
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Do nothing: the engine counts requests itself."""

    return Handler


def main(seconds: str, at_once: str) -> None:
    """Print the address, then serve until the process ends."""
    with SlowEngine(seconds=float(seconds), at_once=int(at_once)) as engine:
        print(engine.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
