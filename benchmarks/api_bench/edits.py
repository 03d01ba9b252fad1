"""An edit with three input pictures of 5 MB, as each kind of client sends it."""

import http.client
import json
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.api_bench.api_server import Served, api_and_cog
from benchmarks.api_bench.contenders import PREDICTIONS
from benchmarks.cells import BOUNDARY, Cell, Inputs, Request, to_cog, to_images_api
from benchmarks.contenders import Bench
from dev.servers import Server, predictor_server
from dev.servers.litellm import litellm_proxy

TIMES = 7
_PUBLIC = "https://api.example.com"
"""So that answers hold addresses, as behind TLS; they are then fetched from the API itself."""
EDITS = (
    Cell("to a 1024 WebP", "edit-webp", 1, 1),
    Cell("to a 4K PNG", "edit", 1, 1),
)

Edit = Callable[[Cell], int]
"""Makes one; the bytes that came back."""


@dataclass(frozen=True)
class Client:
    """One connection to a server."""

    connection: http.client.HTTPConnection
    key: str

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named | {"Authorization": f"Bearer {self.key}"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text

    def send(self, request: Request) -> int:
        """The bytes that came back."""
        answer = self.ask("POST", request.path, request.body, Content_Type=request.content_type)
        if request.sign_of_success.encode() not in answer[:4096] + answer[-4096:]:
            raise RuntimeError(f"an edit failed: {answer[:300]!r}")
        return len(answer)


def measure(bench: Bench, times: int = TIMES) -> dict[str, dict[str, float]]:
    """Median seconds, by cell and by contender, which take turns."""
    with ExitStack() as stack:
        predictor = {"OPENAI_PROXY_URL": bench.sandbox.url}
        served = stack.enter_context(api_and_cog(8, predictor=predictor, API_PUBLIC_URL=_PUBLIC))
        cog = stack.enter_context(predictor_server(**predictor))
        litellm = stack.enter_context(litellm_proxy(bench.sandbox.url))
        contenders: dict[str, Edit] = {
            "api": _through_api(served, bench.inputs),
            "cog": _through_cog(cog, bench.inputs),
            "litellm": _through_litellm(litellm, litellm.key, bench.inputs),
        }
        return {cell.name: _medians(contenders, cell, times) for cell in EDITS}


def _medians(contenders: dict[str, Edit], cell: Cell, times: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(times + 1):
        for name, edit in contenders.items():
            started = time.perf_counter()
            edit(cell)
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(each[1:]) for name, each in seconds.items()}  # warm-up aside


def _through_api(served: Served, inputs: Inputs) -> Edit:
    """Uploads, the prediction, and the picture from its address, as replicate-python does."""
    client = _client(served.processes[0], served.api.token)
    forms = [_upload_form(file.read_bytes(), file.name) for file in inputs.files]

    def edit(cell: Cell) -> int:
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
        uploads = [
            json.loads(client.ask("POST", "/v1/files", form, Content_Type=content_type))
            for form in forms
        ]
        addresses = [file["urls"]["get"] for file in uploads]
        fields = _fields(cell) | {"input_images": addresses}
        body = json.dumps({"input": fields}).encode()
        prediction = json.loads(client.ask("POST", PREDICTIONS, body, Prefer="wait"))
        if prediction["status"] != "succeeded":
            raise RuntimeError(f"an edit failed: {prediction['error']}")
        return sum(len(client.ask("GET", _path(url))) for url in prediction["output"])

    return edit


def _through_cog(cog: Server, inputs: Inputs) -> Edit:
    client = _client(cog, "")
    requests = {cell.name: to_cog(cell, inputs) for cell in EDITS}

    def edit(cell: Cell) -> int:
        return client.send(requests[cell.name])

    return edit


def _through_litellm(proxy: Server, key: str, inputs: Inputs) -> Edit:
    client = _client(proxy, key)
    requests = {cell.name: to_images_api(cell, inputs) for cell in EDITS}

    def edit(cell: Cell) -> int:
        return client.send(requests[cell.name])

    return edit


def _fields(cell: Cell) -> dict[str, object]:
    asked = cell.arguments
    fields = {"prompt": asked["prompt"], "output_format": asked["output_format"]}
    return fields if cell.is_webp else fields | {"aspect_ratio": asked["size"]}


def _upload_form(content: bytes, name: str) -> bytes:
    head = f'Content-Disposition: form-data; name="content"; filename="{name}"'
    part = f"--{BOUNDARY}\r\n{head}\r\nContent-Type: image/png\r\n\r\n".encode()
    return part + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _client(server: Server, key: str) -> Client:
    address = urlsplit(server.root).netloc
    return Client(http.client.HTTPConnection(address, timeout=120), key)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
