"""Who is measured: the API before Cog, bare Cog, and LiteLLM, all before the same sandbox."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.api_bench.api_server import api_and_cog
from benchmarks.cells import Cell, Inputs, Request, to_cog
from benchmarks.contenders import LITELLM, OURS, SLOTS, WIRE, Bench, Contender, Running, Served

MODEL = "openai/gpt-image-2"
PREDICTIONS = f"/v1/models/{MODEL}/predictions"


def to_replicate(cell: Cell, inputs: Inputs) -> Request:
    """As Replicate's clients ask: the answer comes when the prediction has ended."""
    asked = to_cog(cell, inputs)
    sign = '"status":"succeeded"'
    return Request(PREDICTIONS, asked.content_type, asked.body, sign, ("Prefer: wait",))


def to_submit(prompt: str) -> Request:
    """A prediction whose end nobody waits for."""
    body = json.dumps({"input": {"prompt": prompt}}).encode()
    return Request(PREDICTIONS, "application/json", body, '"status":"starting"')


@contextmanager
def _api(bench: Bench) -> Iterator[Running]:
    predictor = {"OPENAI_PROXY_URL": bench.sandbox.url}
    with api_and_cog(int(SLOTS), predictor=predictor) as served:
        first, *behind = served.processes
        yield Served(bench, first, to_replicate, served.api.token, tuple(behind))


API = Contender("api", "the API and Cog", _api)
COG = Contender("cog", "bare Cog", OURS.started)
ALL = (WIRE, API, COG, LITELLM)
