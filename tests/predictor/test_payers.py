"""The four rows of "Who pays", by every header that leaves."""

from collections.abc import Iterator

import pytest

from dev.servers import Server, predictor_server, sandbox_server
from tests.support.cog_client import Cog, Prediction, data_uri, picture
from tests.support.loopback import Answer, stand_in
from tests.support.sandbox_client import Recorded, Sandbox

OPERATOR = {
    "OPENAI_API_KEY": "test-key-operator",
    "OPENAI_ORG_ID": "org-operator",
    "OPENAI_PROJECT_ID": "proj-operator",
    "OPENAI_CUSTOM_HEADERS": "X-Operator: operators-own",
    "OPENAI_ADMIN_KEY": "test-key-admin",
    "OPENAI_WEBHOOK_SECRET": "test-secret-webhook",
    "OPENAI_PROXY_KEY": "test-key-proxy",
}

# Everything that may leave besides `authorization` and what frames the body.
PLAIN_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-stainless-arch",
    "x-stainless-async",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-package-version",
    "x-stainless-raw-response",
    "x-stainless-read-timeout",
    "x-stainless-retry-count",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
}


@pytest.fixture(scope="module")
def proxy_process() -> Iterator[Server]:
    with sandbox_server(SANDBOX_RECORD="true") as server:
        yield server


@pytest.fixture(scope="module")
def with_proxy(sandbox_process: Server, proxy_process: Server) -> Iterator[Server]:
    """Every variable set at once: the sandbox is "OpenAI", a second one the proxy."""
    everything = OPERATOR | {
        "OPENAI_BASE_URL": sandbox_process.url,
        "OPENAI_PROXY_URL": proxy_process.url,
    }
    with predictor_server(**everything) as server:
        yield server


@pytest.fixture(scope="module")
def with_operators_key(sandbox_process: Server) -> Iterator[Server]:
    with predictor_server(**OPERATOR, OPENAI_BASE_URL=sandbox_process.url) as server:
        yield server


@pytest.fixture(scope="module")
def with_nothing(sandbox_process: Server) -> Iterator[Server]:
    with predictor_server(OPENAI_BASE_URL=sandbox_process.url) as server:
        yield server


@pytest.fixture
def proxy(proxy_process: Server) -> Sandbox:
    proxy = Sandbox(proxy_process.root)
    proxy.forget()
    return proxy


def credentials(request: Recorded) -> dict[str, str]:
    return {name: text for name, text in request.headers.items() if name not in PLAIN_HEADERS}


def predictions(server: Server, **inputs: object) -> list[Prediction]:
    """One generate and one edit."""
    cog = Cog(server.url)
    made = [cog.predict(**inputs), cog.predict(input_images=[data_uri(picture())], **inputs)]
    assert [prediction.status for prediction in made] == ["succeeded"] * 2, made
    return made


@pytest.mark.parametrize("key", ["test-key-caller", "  test-key-caller\n"])
def test_a_callers_key_goes_to_openai_with_nothing_of_the_operators(
    with_proxy: Server, sandbox: Sandbox, proxy: Sandbox, key: str
) -> None:
    predictions(with_proxy, openai_api_key=key)

    assert [credentials(r) for r in sandbox.requests] == [
        {"authorization": "Bearer test-key-caller"}
    ] * 2
    assert not proxy.requests


@pytest.mark.parametrize("inputs", [{}, {"openai_api_key": ""}, {"openai_api_key": " \n"}])
def test_without_a_callers_key_the_proxy_pays_with_its_own_key(
    with_proxy: Server, sandbox: Sandbox, proxy: Sandbox, inputs: dict[str, str]
) -> None:
    predictions(with_proxy, **inputs)

    assert [credentials(r) for r in proxy.requests] == [
        {"authorization": "Bearer test-key-proxy"}
    ] * 2
    assert not sandbox.requests


def test_a_proxy_without_a_key_does_not_get_the_operators(cog: Cog, sandbox: Sandbox) -> None:
    cog.predict()
    assert credentials(sandbox.request) == {"authorization": "Bearer none"}


def test_without_a_proxy_the_operators_key_pays_with_its_organization_and_project(
    with_operators_key: Server, sandbox: Sandbox
) -> None:
    predictions(with_operators_key)

    assert [credentials(r) for r in sandbox.requests] == [
        {
            "authorization": "Bearer test-key-operator",
            "openai-organization": "org-operator",
            "openai-project": "proj-operator",
        }
    ] * 2


def test_a_callers_key_beats_the_operators(with_operators_key: Server, sandbox: Sandbox) -> None:
    predictions(with_operators_key, openai_api_key="test-key-caller")

    assert [credentials(r) for r in sandbox.requests] == [
        {"authorization": "Bearer test-key-caller"}
    ] * 2


def test_where_nobody_pays_the_error_names_the_three_ways_out(
    with_nothing: Server, sandbox: Sandbox
) -> None:
    prediction = Cog(with_nothing.url).predict()

    assert prediction.error.startswith("NoCredentials: ")
    for way in ("openai_api_key", "OPENAI_PROXY_URL", "OPENAI_API_KEY"):
        assert way in prediction.error
    assert not sandbox.requests


def test_where_nobody_pays_a_caller_with_a_key_is_served(
    with_nothing: Server, sandbox: Sandbox
) -> None:
    predictions(with_nothing, openai_api_key="test-key-caller")
    assert sandbox.requests[0].headers["authorization"] == "Bearer test-key-caller"


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "“curly”", "tab\tbed", "null\0"])
def test_a_malformed_key_is_refused_without_being_repeated(
    with_proxy: Server, sandbox: Sandbox, proxy: Sandbox, key: str
) -> None:
    prediction = Cog(with_proxy.url).predict(openai_api_key=key)

    assert prediction.error.startswith("InvalidInput: openai_api_key is malformed: ")
    assert key not in prediction.error
    assert not sandbox.requests
    assert not proxy.requests


@pytest.mark.parametrize(
    ("server", "line"),
    [
        ("with_proxy", "the proxy at 127.0.0.1:{port}, with OPENAI_PROXY_KEY"),
        ("with_operators_key", "OPENAI_API_KEY at 127.0.0.1:{port}"),
        ("with_nothing", "nobody; each request must bring its own openai_api_key"),
    ],
)
def test_the_log_says_at_start_who_serves_callers_without_a_key(
    request: pytest.FixtureRequest, server: str, line: str
) -> None:
    log = request.getfixturevalue(server).log
    upstream = "proxy_process" if server == "with_proxy" else "sandbox_process"
    port = request.getfixturevalue(upstream).root.rpartition(":")[2]
    assert f"Callers without a key are served by {line.format(port=port)}." in log


def test_the_model_is_the_operators_choice(sandbox_process: Server, sandbox: Sandbox) -> None:
    snapshot = "gpt-image-2-2026-04-21"
    environment = {"OPENAI_PROXY_URL": sandbox_process.url, "OPENAI_IMAGE_MODEL": snapshot}
    with predictor_server(**environment) as server:
        prediction = Cog(server.url).predict()

    assert sandbox.request.arguments["model"] == snapshot
    assert prediction.logs[0] == f"Model check completed. Model: {snapshot}"
    assert prediction.metrics["cost_usd"] > 0


def test_what_the_upstream_remembers_of_one_caller_is_not_told_with_anothers_key() -> None:
    with stand_in() as upstream, predictor_server(OPENAI_BASE_URL=f"{upstream.root}/v1") as server:
        upstream.answer = lambda _: Answer(status=400, headers={"Set-Cookie": "who=first; Path=/"})
        for key in ("test-key-first", "test-key-second"):
            Cog(server.url).predict(openai_api_key=key)

    first, second = upstream.requests
    assert second.headers["authorization"] == "Bearer test-key-second"
    assert "cookie" not in {*first.headers, *second.headers}


@pytest.mark.parametrize("exception", ["", "upstream.invalid"])
def test_the_operators_egress_proxy_is_used_unless_the_host_is_excepted(exception: str) -> None:
    with stand_in() as egress:
        environment = {
            "OPENAI_PROXY_URL": "http://upstream.invalid/v1",
            "HTTP_PROXY": egress.root,
            "NO_PROXY": exception,
            "OPENAI_DEADLINE_SECONDS": "3",
        }
        with predictor_server(**environment) as server:
            Cog(server.url).predict()

    asked = [] if exception else ["http://upstream.invalid/v1/images/generations"]
    assert egress.paths() == asked


def test_a_redirect_is_not_followed(sandbox: Sandbox) -> None:
    with stand_in() as upstream, predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server:
        target = f"{sandbox.root}/v1/images/generations"
        upstream.answer = lambda _: Answer(status=307, headers={"Location": target})
        prediction = Cog(server.url).predict()

    assert prediction.error.startswith("RequestRejected: The upstream has no Images API at this")
    assert not sandbox.requests
