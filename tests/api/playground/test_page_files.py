"""The page's own files: small, cached as far as may be, and nothing from elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.playground.page import policy
from api.settings import Settings
from dev.servers import PROJECT
from tests.api.api_server import ApiServer, api_server
from tests.api.kept import Kept

STATIC = PROJECT / "api" / "playground" / "static"


@pytest.fixture(scope="module")
def server(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    data = tmp_path_factory.mktemp("data")
    settings = Settings(data_directory=data, metrics_port=0, worker_port=0, **kept.fields)
    with api_server(settings) as running:
        yield running


@pytest.fixture
def anybody(server: ApiServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.root, trust_env=False) as client:
        yield client


def addresses(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]+)"', page)


def test_all_that_the_page_loads_is_below_100_kb(anybody: httpx2.Client) -> None:
    page = anybody.get("/")
    files = [anybody.get(each) for each in addresses(page.text) if not each.startswith("data:")]
    assert all(file.status_code == 200 for file in files)
    loaded = {str(file.url).rpartition("/")[2] for file in files} | {"index.html", "prices.json"}
    assert loaded == {file.name for file in STATIC.iterdir()}
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 100_000


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_no_file_of_the_page_names_another_server(file: Path) -> None:
    named = set(re.findall(r"https?://[\w.]+", file.read_text()))
    assert named <= {"http://www.w3.org"}  # a name for SVG, which nothing loads


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda file: file.name)
def test_a_file_of_the_page_is_short_enough_to_read_at_once(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 250


def test_pictures_may_come_from_the_store_that_callers_reach() -> None:
    allowed = dict(part.split(" ", 1) for part in policy("https://store.example:443").split("; "))
    assert allowed["img-src"] == "'self' https://store.example:443 data: blob:"
    assert allowed["connect-src"] == "'self' https://store.example:443"
    assert allowed["script-src"] == allowed["style-src"] == "'self'"


def test_the_page_may_do_nothing_but_talk_to_its_own_origin(anybody: httpx2.Client) -> None:
    policy = anybody.get("/").headers["content-security-policy"]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == allowed["style-src"] == allowed["connect-src"] == "'self'"
    assert allowed["frame-ancestors"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    assert "unsafe" not in policy


def test_the_page_is_asked_for_each_time_and_its_files_once(anybody: httpx2.Client) -> None:
    page = anybody.get("/")
    assert page.headers["cache-control"] == "no-cache"
    assert anybody.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    script = next(each for each in addresses(page.text) if each.endswith("main.js"))
    assert "immutable" in anybody.get(script).headers["cache-control"]


def test_a_file_of_another_version_is_not_there(anybody: httpx2.Client) -> None:
    assert anybody.get(f"/playground/static/{'0' * 16}/main.js").status_code == 404


def test_what_the_page_asks_needs_a_token(anybody: httpx2.Client) -> None:
    for path in ("session", "predictions", "predictions/none", "overview"):
        assert anybody.get(f"/playground/{path}").status_code == 401


def test_the_overview_is_for_operators(server: ApiServer) -> None:
    with server.caller("tenant") as tenant:
        refused = tenant.get("/playground/overview")
    assert (refused.status_code, "operator's token" in refused.text) == (403, True)
    token = server.run(server.parts.tenants.create_token("boss", operator=True))
    with httpx2.Client(base_url=server.root, trust_env=False) as operator:
        headers = {"Authorization": f"Bearer {token}"}
        shown = operator.get("/playground/overview", headers=headers).json()
    assert {each["name"] for each in shown["tenants"]} >= {"tenant", "boss"}
    assert len(shown["days"]) == 14
