"""What one writes without Cog, benchmarks/fastapi_endpoint.py, in an environment of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from dev.servers.environments import environment
from dev.servers.process import HOST, PROJECT, Server, clean_environment, free_port, get

REQUIREMENTS = (PROJECT / "requirements.txt", PROJECT / "benchmarks" / "requirements.txt")


@contextmanager
def fastapi_server(upstream_url: str, key: str) -> Iterator[Server]:
    """The endpoint on a free port in front of `upstream_url` (ends in /v1).

    Raises:
        ServerError: it did not come up.
        subprocess.CalledProcessError: the environment could not be made.
    """
    python = environment("benchmarks", *REQUIREMENTS) / "bin" / "python"
    port = free_port()
    address = ["--host", HOST, "--port", str(port)]
    server = Server(
        "The FastAPI endpoint",
        [str(python), "-m", "uvicorn", "benchmarks.fastapi_endpoint:app", *address],
        clean_environment() | {"OPENAI_BASE_URL": upstream_url, "OPENAI_API_KEY": key},
    )
    server.root = server.url = f"http://{HOST}:{port}"
    try:
        server.wait_until(lambda: _answers(f"{server.root}/openapi.json"))
        yield server
    finally:
        server.stop()


def _answers(url: str) -> bool:
    try:
        return get(url)[0] == 200
    except OSError:
        return False
