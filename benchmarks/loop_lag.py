"""How long predictions keep the worker's event loop from other predictions."""

import random
import statistics
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import requests
from PIL import Image

from benchmarks.contenders import SLOTS, Bench
from benchmarks.report import markdown
from dev.servers import HOST, predictor_server

SIXTEEN = "edit with sixteen 20 MB inputs"
KINDS: Mapping[str, tuple[dict[str, Any], float]] = {
    "1024 WebP": ({}, 20),
    "2048 WebP": ({"aspect_ratio": "2048x2048"}, 20),
    SIXTEEN: ({}, 20),
    "ten 4K PNGs": (
        {"aspect_ratio": "3840x2160", "output_format": "png", "number_of_images": 10},
        300,
    ),
}
"""Each kind's inputs, and how many milliseconds it may stall the loop."""
REPEATS = 5
INPUT_SIDE = 2640  # pixels; noise of this size is a PNG of 21 MB


def measure(bench: Bench) -> dict[str, float]:
    """The longest stall in milliseconds, by kind: the median of 5 predictions, one at a time."""
    print("event-loop lag", flush=True)
    with (
        _served(_noise()) as url,
        predictor_server(
            COG_PREDICT_TYPE_STUB="benchmarks/predictors/probed.py:Predictor",
            COG_MAX_CONCURRENCY=SLOTS,
            OPENAI_PROXY_URL=bench.sandbox.url,
        ) as server,
    ):
        images = {SIXTEEN: {"input_images": [f"{url}/{number}.png" for number in range(16)]}}
        return {
            kind: _lag(server.url, fields | images.get(kind, {}))
            for kind, (fields, _) in KINDS.items()
        }


def as_markdown(lags: Mapping[str, float]) -> str:
    rows = [
        [kind, f"{lags[kind]:.1f} ms", f"{bound:g} ms", "yes" if lags[kind] <= bound else "no"]
        for kind, (_, bound) in KINDS.items()
    ]
    return "\n".join(markdown(["one prediction of", "longest stall", "bound", "holds"], rows))


def _lag(url: str, fields: dict[str, Any]) -> float:
    body = {"input": {"prompt": "A lighthouse at dusk"} | fields}
    lags = []
    for _ in range(REPEATS + 1):
        answer = requests.post(f"{url}/predictions", json=body, timeout=120).json()
        if answer["status"] != "succeeded":
            raise RuntimeError(f"the prediction failed: {answer.get('error')}")
        lags.append(float(answer["metrics"]["loop_lag_ms"]))
    return statistics.median(lags[1:])  # the first one imports and draws


def _noise() -> bytes:
    file = BytesIO()
    pixels = random.Random(2).randbytes(3 * INPUT_SIDE * INPUT_SIDE)
    Image.frombytes("RGB", (INPUT_SIDE, INPUT_SIDE), pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


@contextmanager
def _served(content: bytes) -> Iterator[str]:
    """An address under which every path is the PNG `content`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
