"""A real Chromium, the page in it, and what no page may do, checked after every test."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dev.servers.api import Api, api_before
from dev.servers.environments import CACHE
from tests.api.conftest import CogBehind
from tests.support.sandbox_client import Sandbox

HERE = Path(__file__).parent
PATIENCE = 60_000  # milliseconds, on a machine that has other things to do
TOKEN = "playground.token"

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on the PATH; install Debian's package of that name")
    expect.set_options(timeout=PATIENCE)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def api(cog_behind: CogBehind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all that is tested in the browser: each start takes seconds."""
    data = tmp_path_factory.mktemp("api")
    behind = cog_behind
    with api_before(behind.server, behind.worker_port, data, behind.outputs) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, api: Api, sandbox: Sandbox) -> Iterator[Visit]:
    """Opens the page, signed in with `token` or with the API's first one; `""` signs nobody in.

    At the end no page has asked another origin for anything, or broken a rule of its own.
    """
    assert sandbox
    contexts, asked, complaints = [], [], []

    def open_page(path: str = "", token: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_fault(said) else None)
        page.goto(f"{api.url}/")
        token = api.token if token is None else token
        if token:
            page.evaluate("([name, token]) => sessionStorage.setItem(name, token)", [TOKEN, token])
            page.goto(f"{api.url}/{path}")
            page.reload()  # another hash alone loads nothing
        return page

    yield open_page
    for context in contexts:
        context.close()
    foreign = {url for url in asked if urlsplit(url).scheme in {"http", "https", "ws", "wss"}}
    assert {url for url in foreign if not url.startswith(f"{api.url}/")} == set()
    assert complaints == []


def is_fault(said: Any) -> bool:
    # The browser itself writes a line for each refusal of the API, which the page shows.
    return said.type == "error" and "Failed to load resource" not in said.text


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, from npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on the PATH")
    folder = CACHE / "axe"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may start at the same moment
        lock_file = "package-lock.json"
        wanted = (HERE / "axe" / lock_file).read_text()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.copytree(HERE / "axe", folder, dirs_exist_ok=True)
            install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(install, cwd=folder, check=True, stdout=sys.stderr)
            stamp.write_text(wanted)
    return script.read_text()
