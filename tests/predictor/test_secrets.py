"""No key, and no prompt in an error: canaries go through every path, then everything is scanned."""

import base64
import itertools
import json
import re
import secrets
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests

from dev.servers import Server, predictor_server, sandbox_server
from sandbox.faults import FAULTS
from tests.support.cog_client import Cog, data_uri, picture
from tests.support.echo import DISGUISES, PLACES, echoing_upstream
from tests.support.loopback import Webhooks, webhook_receiver
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.long

CALLER, PROXY, OPERATOR = (
    f"canary-{who}-{secrets.token_hex(12)}" for who in ("call", "prox", "oper")
)
MALFORMED = [f"{CALLER}\n{CALLER}", f"{CALLER} {CALLER}", f"“{CALLER}”", f"{CALLER}\0"]


def leaks(text: str) -> list[str]:
    """The canaries in a text: ten characters in a row, in any spelling that a reader could undo."""
    spelled = {plain(text), plain(unquote(unquote(text))), plain(decoded(text))}
    return [
        canary
        for canary in (CALLER, PROXY, OPERATOR)
        if any(piece in one for one in spelled for piece in telltales(canary))
    ]


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def decoded(text: str) -> str:
    """With JSON's escapes undone, those of a text inside a text too, and HTML's."""
    text = re.sub(r"\\+u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text)
    return re.sub(r"(?:&#|&amp;#)(\d+);", lambda code: chr(int(code[1])), text)


@cache
def telltales(canary: str) -> set[str]:
    """Pieces of which any run of ten of it holds one, and any run of fourteen in base64 or hex."""
    encoded = []
    for one in (canary, canary.upper(), canary.swapcase()):
        once = base64.b64encode(one.encode())
        encoded += [one.encode().hex(), plain(base64.b64encode(once).decode())]
        for before in range(3):
            form = base64.b64encode(bytes(before) + one.encode()).decode()
            encoded.append(plain(form[4:-4]))
    return pieces(plain(canary), 8, every=3).union(*(pieces(form, 10, 5) for form in encoded))


def pieces(text: str, length: int, every: int) -> set[str]:
    return {text[start : start + length] for start in range(0, len(text) - length + 1, every)}


@dataclass
class Evidence:
    """Everything that came out, by where it was found."""

    texts: dict[str, str] = field(default_factory=dict)

    def add_files(self, directory: Path) -> None:
        for file in directory.rglob("*"):
            content = file.read_bytes().decode(errors="replace") if file.is_file() else ""
            self.texts[f"file {file}"] = f"{file}\n{content}"


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
        "OPENAI_DEADLINE_SECONDS": "3",
        "OPENAI_LOG": "debug",
        "COG_LOG_LEVEL": "debug",
        "RUST_LOG": "debug",
        "TMPDIR": str(tmp),
    }
    return {"operator": common, "proxy": common | {"OPENAI_PROXY_URL": upstream or sandbox.url}}


@pytest.fixture(scope="module")
def evidence(hidden: Path) -> Iterator[Evidence]:
    """Drives every fault with each of the three keys, then keeps all that was said or written."""
    evidence = Evidence()
    with (
        sandbox_server(SANDBOX_PRERENDERED="true") as sandbox,
        echoing_upstream() as echo,
        webhook_receiver() as webhooks,
    ):
        for upstream in ("", echo):
            for name, environment in servers(sandbox, upstream, hidden).items():
                with predictor_server(**environment) as server:
                    drive(Cog(server.url), webhooks, evidence, f"{name} {upstream}")
                    if upstream:
                        drive_echoes(Cog(server.url), evidence, name)
                    evidence.add_files(hidden)
                    for page in ("openapi.json", "health-check"):
                        evidence.texts[f"{name} {page}"] = requests.get(
                            f"{server.url}/{page}", timeout=5
                        ).text
                evidence.texts[f"{name} {upstream} log"] = server.log
        evidence.texts["webhooks"] = json.dumps(webhooks.bodies)
    evidence.texts["sandbox log"] = sandbox.log
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


def drive_echoes(cog: Cog, evidence: Evidence, name: str) -> None:
    """Every echo of the key in use, and of the health check what it says after each kind."""

    def one(echo: tuple[str, str, str | None]) -> None:
        place, disguise, key = echo
        inputs: dict[str, object] = {"prompt": f"A lighthouse <{place}|{disguise}|key>"}
        inputs |= {"openai_api_key": key} if key else {}
        answer = cog.post({"input": inputs}).text
        evidence.texts[f"{name} echo {place} {disguise} {bool(key)}"] = answer
        if disguise == "plain":
            evidence.texts[f"{name} health after {place} {bool(key)}"] = str(cog.health())

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(one, itertools.product(PLACES, DISGUISES, (None,))))
        list(pool.map(one, itertools.product(PLACES, ("plain", "last-ten", "base64"), (CALLER,))))


def test_no_key_comes_out_anywhere(evidence: Evidence) -> None:
    assert len(evidence.texts) > 2 * len(PLACES) * len(DISGUISES)
    found = {where: leaks(text) for where, text in evidence.texts.items() if leaks(text)}
    assert not found


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("canary", [CALLER, PROXY, OPERATOR], ids=["caller", "proxy", "operator"])
def test_the_scan_finds_a_planted_key(tmp_path: Path, canary: str, disguise: str) -> None:
    (tmp_path / "planted.txt").write_text(f"oops: {DISGUISES[disguise](canary)}")
    evidence = Evidence()
    evidence.add_files(tmp_path)

    (text,) = evidence.texts.values()
    # The three begin alike, so that in base64 and hex one is taken for the others.
    assert canary in leaks(text)
    assert canary in leaks(json.dumps({"error": text}))
    assert not leaks("the canary of a caller")


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


# Of a prompt a word or two may show; what follows are the spellings that keep more of it legible.
LEGIBLE = [
    *("plain", "upper", "swapped", "first-half", "second-half", "spaces", "dashes", "commas"),
    *("percent", "escapes", "entities", "invisible", "wide", "base64", "hex"),
]


def test_an_error_does_not_repeat_the_prompt() -> None:
    prompt = "the secret plans of the lighthouse keepers, drawn at night on the wall of the cellar"
    halves = plain(prompt)[: len(plain(prompt)) // 2], plain(prompt)[len(plain(prompt)) // 2 :]
    with echoing_upstream() as echo, predictor_server(OPENAI_PROXY_URL=echo) as server:
        cog = Cog(server.url)

        def told(place: str, disguise: str) -> str:
            return json.dumps(cog.predict(prompt=f"{prompt} <{place}|{disguise}|prompt>").body)

        with ThreadPoolExecutor(12) as pool:
            chosen = list(itertools.product(PLACES, LEGIBLE))
            texts = list(pool.map(lambda one: told(*one), chosen))
        whole = cog.predict(prompt=prompt)
        everything = [*texts, json.dumps(whole.body), server.log, str(cog.health())]

    assert whole.error.startswith("RequestRejected: ")
    assert "bad [key] for [prompt] was canceled" in whole.error
    for text in everything:
        for spelled in (plain(text), plain(unquote(text)), plain(decoded(text))):
            assert not [half[:24] for half in halves if half[:24] in spelled], text
            assert prompt.encode().hex()[:24] not in spelled
            assert plain(base64.b64encode(prompt.encode()).decode())[:18] not in spelled
