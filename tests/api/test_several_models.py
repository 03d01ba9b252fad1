"""The exact and the extended model behind one API: each prediction goes to its own Cog server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from dev.servers import EXACT, EXTENDED, Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api
from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres
from tests.api.cluster import TOKEN
from tests.api.conftest import BOTH
from tests.api.kept import shared
from tests.api.openai_caller import OpenAICaller
from tests.api.replicate_caller import ReplicateCaller
from tests.api.runware_caller import RunwareCaller, inference
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.long

EXTENDED_MODEL = "openai/gpt-image-2-extended"
SLOW = "[sandbox:slow seconds=2]"


@pytest.fixture(scope="module", params=BOTH)
def api(
    request: pytest.FixtureRequest,
    sandbox_process: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """One process with both Cog servers; or one that takes requests, and a worker with both."""
    port, upstream = free_port(), {"OPENAI_PROXY_URL": sandbox_process.url}
    folders = {name: tmp_path_factory.mktemp(name) for name in (EXACT, EXTENDED, "data", "api")}
    with ExitStack() as stack:
        exact, extended = (
            stack.enter_context(predictor_for_api(port, folders[name], contract=name, **upstream))
            for name in (EXACT, EXTENDED)
        )
        other = {
            "model": EXTENDED_MODEL,
            "url": extended.url,
            "slots": 2,
            "output_directory": str(folders[EXTENDED]),
        }
        settings = {"API_MORE_COGS": json.dumps([other])}
        if request.param == "sqlite":
            single = api_before(exact, port, folders["data"], folders[EXACT], **settings)
            yield stack.enter_context(single)
            return
        postgres: Postgres = request.getfixturevalue("postgres")
        store: ObjectStore = request.getfixturevalue("store")
        settings |= shared(postgres, store).settings | {"API_TOKEN": TOKEN}
        worker = Api(folders["data"], exact.url, port, folders[EXACT], settings=settings)
        worker.command = ("-m", "api", "worker")
        front = Api(folders["api"], "http://127.0.0.1:9", 0, folders["api"], settings=settings)
        front.command = ("-m", "api", "serve")
        for each in (worker, front):
            stack.callback(each.kill)
            each.start(until_ready=False)
        for each in (worker, front):
            assert each.server
            each.server.wait_until(each.is_ready)
        (front.data / "token").write_text(TOKEN)
        yield front


@pytest.fixture
def caller(api: Api) -> ReplicateCaller:
    return ReplicateCaller(api.url, api.token)


def created(caller: ReplicateCaller, model: str, **input: object) -> str:
    answer = caller.post(f"models/{model}/predictions", {"input": {"prompt": "A pier"} | input})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def schemas_of(model: dict[str, Any]) -> dict[str, Any]:
    return dict(model["latest_version"]["openapi_schema"]["components"]["schemas"])


def test_both_models_are_listed_with_their_own_inputs(caller: ReplicateCaller) -> None:
    listed = caller.get("models").json()["results"]

    inputs = {
        f"{model['owner']}/{model['name']}": schemas_of(model)["Input"]["properties"].keys()
        for model in listed
    }
    assert list(inputs) == ["openai/gpt-image-2", EXTENDED_MODEL]
    assert "size" in inputs[EXTENDED_MODEL]
    assert "size" not in inputs["openai/gpt-image-2"]


def test_each_prediction_runs_on_its_models_cog_server(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    exact = caller.ended(created(caller, "openai/gpt-image-2", aspect_ratio="3:2"))
    extended = caller.ended(created(caller, EXTENDED_MODEL, size="1536x864"))

    assert [exact["status"], extended["status"]] == ["succeeded", "succeeded"]
    assert exact["version"] != extended["version"]
    assert [each.arguments["size"] for each in sandbox.requests] == ["1536x1024", "1536x864"]


def test_a_version_names_its_model(caller: ReplicateCaller, sandbox: Sandbox) -> None:
    version = caller.get(f"models/{EXTENDED_MODEL}").json()["latest_version"]["id"]
    input = {"prompt": "A pier", "size": "1536x864"}

    answer = caller.post("predictions", {"version": version, "input": input})

    assert answer.json()["model"] == EXTENDED_MODEL
    assert caller.ended(answer.json()["id"])["status"] == "succeeded"


def test_a_model_whose_slots_are_full_is_not_in_the_others_way(
    caller: ReplicateCaller, sandbox: Sandbox
) -> None:
    slow = [
        created(caller, EXTENDED_MODEL, prompt=f"{n} {SLOW}", size="1024x1024") for n in range(4)
    ]
    quick = caller.ended(created(caller, "openai/gpt-image-2"))
    ends = [caller.ended(id, within=60) for id in slow]

    assert {each["status"] for each in [quick, *ends]} == {"succeeded"}
    assert quick["completed_at"] < max(each["completed_at"] for each in ends)


def test_openais_and_runwares_callers_get_the_sizes_of_the_extended_model(
    api: Api, sandbox: Sandbox
) -> None:
    answer = OpenAICaller(api.url, api.token).generate(size="1536x864")
    (item,) = RunwareCaller(api.url, api.token).items(inference(width=1536, height=864))

    assert answer.status_code == 200, answer.text
    assert item["imageURL"]
    assert {each.arguments["size"] for each in sandbox.requests} == {"1536x864"}
