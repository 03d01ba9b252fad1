"""What the image does when it runs as docs/deploy.md says: locked down, without egress."""

import base64
import io
import json
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image as Picture

from dev.servers import PROJECT, Server

from .commands import docker, gateway
from .conftest import Start
from .container import Container
from .sink import sink

pytestmark = pytest.mark.container

MEBIBYTES_IDLE = 100  # seen on 2026-11-21: 88, of which the openai package is the larger part


def data_uri(colour: str, kind: str) -> str:
    """A small picture of one colour, as a file of this kind."""
    buffer = io.BytesIO()
    Picture.new("RGB", (256, 256), colour).save(buffer, kind)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


def picture(uri: str) -> Picture.Image:
    """The picture in a data URI, decoded."""
    _, _, encoded = uri.partition(";base64,")
    opened = Picture.open(io.BytesIO(base64.b64decode(encoded)))
    opened.load()
    return opened


def test_is_light_while_idle(container: Container, figure: Callable[[str], None]) -> None:
    mebibytes = _mebibytes(container)
    figure(f"idle memory: {mebibytes:.0f} MiB")
    assert mebibytes < MEBIBYTES_IDLE


def test_serves_the_committed_schema(container: Container) -> None:
    answer = container.request("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.json == json.loads((PROJECT / "openapi.json").read_text())


def test_refuses_what_the_contract_does_not_allow(container: Container) -> None:
    body = {"input": {"prompt": "x", "quality": "best"}}
    assert container.request("POST", "/predictions", body).status == 422


def test_generates_images_of_the_asked_size_and_format(container: Container) -> None:
    answer = container.predict(
        prompt="a lighthouse", aspect_ratio="3:2", quality="low", number_of_images=2
    )
    assert answer["status"] == "succeeded", answer
    pictures = [picture(uri) for uri in answer["output"]]
    assert [(each.format, each.size) for each in pictures] == [("WEBP", (1536, 1024))] * 2


def test_edits_two_files_given_as_data_uris(container: Container) -> None:
    # The second is not taken upstream as it is, and converted by a process of its own.
    files = [data_uri("red", "png"), data_uri("blue", "bmp")]
    answer = container.predict(
        prompt="both together", input_images=files, quality="low", output_format="png"
    )
    assert answer["status"] == "succeeded", answer
    assert [picture(uri).format for uri in answer["output"]] == ["PNG"]
    assert answer["metrics"]["input_image_token_count"] > 0


def test_reaches_nothing_but_its_network(container: Container) -> None:
    reached = container.run("python", "-c", _PROBE, "192.0.2.1")
    assert reached == "unreachable"
    assert container.run("python", "-c", _PROBE, container.address) == "reached"


def test_puts_files_where_upload_url_says(start: Start, sandbox: Server, network: str) -> None:
    with sink(gateway(network)) as (url, received):
        command = ["python", "-m", "cog.server.http", "--upload-url", url]
        with start((), command, OPENAI_BASE_URL=sandbox.url) as container:
            answer = container.predict(
                prompt="x", quality="low", openai_api_key="test-key-of-the-operator"
            )
    assert answer["status"] == "succeeded", answer
    assert answer["output"] == [url + received[0].path.removeprefix("/")]
    assert received[0].content_type == "image/webp"
    assert Picture.open(io.BytesIO(received[0].body)).format == "WEBP"


def test_cancel_ends_a_prediction_at_once(start: Start, slow_sandbox: Server) -> None:
    with start(OPENAI_PROXY_URL=slow_sandbox.url) as container, ThreadPoolExecutor() as pool:
        slowly = {"prompt": "x [sandbox:slow seconds=60]", "quality": "low"}
        body = {"id": "to-cancel", "input": slowly}
        prediction = pool.submit(container.request, "POST", "/predictions", body)
        time.sleep(0.5)
        cancelled_at = time.monotonic()
        assert container.request("POST", "/predictions/to-cancel/cancel").status == 200
        assert prediction.result().json["status"] == "canceled"
        assert time.monotonic() - cancelled_at < 20


def test_sigterm_lets_a_prediction_in_flight_finish(start: Start, slow_sandbox: Server) -> None:
    with start(OPENAI_PROXY_URL=slow_sandbox.url) as container, ThreadPoolExecutor() as pool:
        prediction = pool.submit(container.predict, prompt="x", quality="low")
        time.sleep(0.5)
        assert container.stop() == 0
        answer = prediction.result()
    assert answer["status"] == "succeeded", answer
    assert picture(answer["output"][0]).size == (1024, 1024)


def test_warns_of_nothing_deprecated(start: Start, slow_sandbox: Server) -> None:
    variables = {"OPENAI_PROXY_URL": slow_sandbox.url, "PYTHONWARNINGS": "always"}
    with start(**variables) as container:
        assert "deprecat" not in container.log().lower()


def test_one_prediction_costs_little_beside_its_upstream(
    container: Container, figure: Callable[[str], None]
) -> None:
    seconds = []
    for _ in range(10):
        started = time.monotonic()
        answer = container.predict(prompt="x", quality="low")
        seconds.append(time.monotonic() - started)
        assert answer["status"] == "succeeded", answer
    typical = statistics.median(seconds) * 1000
    figure(f"one prediction, 1024x1024 webp, drawn by the sandbox: median {typical:.0f} ms of 10")


_PROBE = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 5000), timeout=2).close()
    print("reached")
except OSError:
    print("unreachable")
"""


def _mebibytes(container: Container) -> float:
    """Memory of everything inside, as Docker counts it: without the page cache."""
    used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.name)
    found = re.match(r"([\d.]+)MiB", used)
    assert found, used
    return float(found[1])
