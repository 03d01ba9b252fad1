"""No key, and no prompt in an error: canaries go through every path, then everything is scanned."""

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from dev.servers import Server, predictor_server
from sandbox.faults import FAULTS
from tests.support.cog_client import Cog, data_uri, picture
from tests.support.loopback import Webhooks, echoing_upstream, webhook_receiver
from tests.support.sandbox_client import Sandbox

CALLER, PROXY, OPERATOR = (
    f"canary-{who}-{secrets.token_hex(12)}" for who in ("caller", "proxy", "operator")
)
MALFORMED = [f"{CALLER}\n{CALLER}", f"{CALLER} {CALLER}", f"“{CALLER}”", f"{CALLER}\0"]


def leaks(text: str) -> list[str]:
    """The canaries in a text, whole or in a tell-tale part, plain or URL-encoded."""
    return [
        canary
        for canary in (CALLER, PROXY, OPERATOR)
        if canary[-16:] in text or canary[:20] in text or quote(canary) in text
    ]


@dataclass
class Evidence:
    """Everything that came out, by where it was found."""

    texts: dict[str, str] = field(default_factory=dict)

    def add_files(self, directory: Path) -> None:
        for file in directory.rglob("*"):
            content = file.read_bytes().decode("latin-1") if file.is_file() else ""
            self.texts[f"file {file.name}"] = f"{file}\n{content}"


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The predictors' whole temporary directory."""
    return tmp_path_factory.mktemp("tmp")


def servers(sandbox: Server, upstream: str, tmp: Path) -> dict[str, dict[str, str]]:
    """The operator's environment, once with a proxy and once without."""
    common = {
        "OPENAI_API_KEY": OPERATOR,
        "OPENAI_BASE_URL": upstream or sandbox.url,
        "OPENAI_PROXY_KEY": PROXY,
        "OPENAI_DEADLINE_SECONDS": "1",
        "OPENAI_LOG": "debug",
        "COG_LOG_LEVEL": "debug",
        "RUST_LOG": "debug",
        "TMPDIR": str(tmp),
    }
    return {"operator": common, "proxy": common | {"OPENAI_PROXY_URL": upstream or sandbox.url}}


@pytest.fixture(scope="module")
def evidence(sandbox_process: Server, hidden: Path) -> Iterator[Evidence]:
    """Drives every fault with each of the three keys, then keeps all that was said or written."""
    evidence = Evidence()
    with echoing_upstream() as echo, webhook_receiver() as webhooks:
        for upstream in ("", echo):
            for name, environment in servers(sandbox_process, upstream, hidden).items():
                with predictor_server(**environment) as server:
                    drive(Cog(server.url), webhooks, evidence, f"{name} {upstream}")
                    evidence.add_files(hidden)
                    for page in ("openapi.json", "health-check"):
                        evidence.texts[f"{name} {page}"] = requests.get(
                            f"{server.url}/{page}", timeout=5
                        ).text
                evidence.texts[f"{name} {upstream} log"] = server.log
        evidence.texts["webhooks"] = json.dumps(webhooks.bodies)
    evidence.texts["sandbox log"] = sandbox_process.log
    yield evidence


def drive(cog: Cog, webhooks: Webhooks, evidence: Evidence, name: str) -> None:
    faults = ["none", *FAULTS] if name.endswith(" ") else ["none"]

    def one(fault: str, key: str | None) -> None:
        inputs = {"prompt": f"A lighthouse [sandbox:{fault}]"}
        inputs |= {"openai_api_key": key} if key else {}
        evidence.texts[f"{name} {fault} {bool(key)}"] = cog.post({"input": inputs}).text

    with ThreadPoolExecutor(12) as pool:
        pairs = [(fault, key) for fault in faults for key in (None, CALLER)]
        list(pool.map(lambda pair: one(*pair), pairs))
    bad: list[dict[str, object]] = [{"openai_api_key": key} for key in MALFORMED]
    bad += [{"openai_api_key": CALLER, "prompt": " "}]
    bad += [{"openai_api_key": CALLER, "input_images": ["/etc/hostname"]}]
    bad += [{"openai_api_key": CALLER, "input_images": [data_uri(b"no image")]}]
    bad += [{"openai_api_key": CALLER, "input_images": [data_uri(picture("TIFF"))]}]
    for number, inputs in enumerate(bad):
        text = cog.post({"input": {"prompt": "A lighthouse"} | inputs}).text
        evidence.texts[f"{name} bad {number}"] = text
    for id, key in {f"{name.split()[0]}-a": CALLER, f"{name.split()[0]}-b": ""}.items():
        for fault in ("none", "key-rejected", "html"):
            body: dict[str, object] = {
                "input": {"prompt": f"[sandbox:{fault}] hello", "openai_api_key": key},
                "webhook": webhooks.url,
            }
            done = len([b for b in webhooks.bodies if b["status"] in {"succeeded", "failed"}])
            cog.post(body, id=f"{id}-{fault}-{secrets.token_hex(3)}", Prefer="respond-async")
            webhooks.wait_for_count(done + 1)


def test_no_key_comes_out_anywhere(evidence: Evidence) -> None:
    assert len(evidence.texts) > 200
    found = {where: leaks(text) for where, text in evidence.texts.items() if leaks(text)}
    assert not found


@pytest.mark.parametrize("canary", [CALLER, PROXY, OPERATOR], ids=["caller", "proxy", "operator"])
def test_the_scan_finds_a_planted_key(hidden: Path, canary: str) -> None:
    planted = hidden / "planted.txt"
    planted.write_text(f"oops: {canary}")
    evidence = Evidence()
    try:
        evidence.add_files(hidden)
    finally:
        planted.unlink()
    assert leaks(evidence.texts["file planted.txt"]) == [canary]


def test_every_path_was_really_driven(evidence: Evidence) -> None:
    answers = [json.loads(t) for t in evidence.texts.values() if t.startswith('{"error"')]
    names = {answer["error"].split(": ")[2] for answer in answers if ": " in answer["error"]}
    assert names >= {
        "InvalidInput",
        "KeyRejected",
        "OrganizationNotVerified",
        "NoModelAccess",
        "QuotaExceeded",
        "RateLimited",
        "ModerationBlocked",
        "UnsupportedByModel",
        "RequestRejected",
        "UpstreamDown",
        "UpstreamTimedOut",
        "ConnectionLost",
        "AnswerNotUsable",
    }
    assert not [text for text in evidence.texts.values() if "UnexpectedFailure" in text]


def test_the_key_reaches_its_upstream_and_only_in_one_header(
    sandbox_process: Server, sandbox: Sandbox, hidden: Path
) -> None:
    for name, environment in servers(sandbox_process, "", hidden).items():
        with predictor_server(**environment) as server:
            for inputs, key in (({}, name), ({"openai_api_key": CALLER}, "caller")):
                sandbox.forget()
                prediction = Cog(server.url).predict(**inputs)
                assert prediction.status == "succeeded", prediction
                headers = sandbox.request.headers
                expected = {"operator": OPERATOR, "proxy": PROXY, "caller": CALLER}[key]
                assert headers.pop("authorization") == f"Bearer {expected}"
                assert not leaks(json.dumps([headers, sandbox.request.arguments]))


def test_an_error_does_not_repeat_the_prompt(sandbox_process: Server) -> None:
    prompt = "the secret plans of the lighthouse keepers"
    with echoing_upstream() as echo, predictor_server(OPENAI_PROXY_URL=echo) as server:
        prediction = Cog(server.url).predict(prompt=prompt)

    assert prediction.error.startswith("RequestRejected: ")
    assert "[prompt]" in prediction.error
    assert prompt not in str(prediction.body) + server.log
