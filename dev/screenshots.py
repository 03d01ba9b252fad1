"""`make screenshots`: the page at `/` in each state, at three widths, into docs/screenshots.

And how fast it is on this machine: the figures are printed, not judged.
"""

import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from dev.page_speed import first_paint, longest_task
from dev.page_states import SHOTS, run
from dev.past_predictions import FAILED, copy
from dev.servers import PROJECT, clean_environment, free_port, sandbox_server
from dev.servers.api import Api, api_before, predictor_for_api

FOLDER = PROJECT / "docs" / "screenshots"
HEIGHTS = {360: 780, 820: 1100, 1440: 900}
QUALITY = 78
PROMPTS = (
    "A brass compass on an old sea chart, morning light",
    "Tide pool, seen from above",
    "A lighthouse at dusk, bold shapes, the words NORTH COAST",
    "Alpine hut under the first snow",
    "A night train crossing a viaduct",
    "Botanical plate of a lemon branch",
)


def main() -> int:
    """Take them all, and print the figures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("There is no chromium here; install Debian's package of that name.", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _api() as api, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        print(f"First paint: {first_paint(browser, api):.0f} ms")
        token = _token(api, "measured")
        with _page(browser, api, token, 1440, "light") as page:
            print(f"Longest task while ten 4K pictures load: {longest_task(page):.0f} ms")
        _take_all(browser, api)
        browser.close()
    kilobytes = sum(file.stat().st_size for file in FOLDER.iterdir()) / 1000
    print(f"{len(list(FOLDER.iterdir()))} screenshots, {kilobytes:.0f} KB")
    return 0


_PANEL_TO_TOP = "() => document.querySelector('.panel')?.scrollTo(0, 0)"


@contextmanager
def _api() -> Iterator[Api]:
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outputs, port = data / "outputs", free_port()
        outputs.mkdir()
        sandbox = stack.enter_context(sandbox_server())
        cog = stack.enter_context(predictor_for_api(port, outputs, OPENAI_PROXY_URL=sandbox.url))
        yield stack.enter_context(api_before(cog, port, data, outputs))


def _token(api: Api, tenant: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "api", "token", "create", tenant, *options],
        cwd=PROJECT,
        env=clean_environment() | {"API_DATA_DIRECTORY": str(api.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def _page(browser: Browser, api: Api, token: str, width: int, scheme: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(api.url)
    if token:
        page.evaluate("(token) => sessionStorage.setItem('playground.token', token)", token)
        page.reload()
        page.get_by_label("Prompt").wait_for()
    yield page
    context.close()


def _take_all(browser: Browser, api: Api) -> None:
    operator = _token(api, "keeper", "--operator")
    tenant = _token(api, "studio")
    for width in HEIGHTS:
        with _page(browser, api, "", width, "light") as page:
            _save(page, "sign-in", width)
    for shot in SHOTS:
        for width in HEIGHTS:
            token = operator if shot.of_operator else tenant
            with _page(browser, api, token, width, shot.scheme) as page:
                shot.reach(page)
                _save(page, shot.name, width)
        if shot.name == "result":
            _fill(browser, api, tenant)


def _save(page: Page, name: str, width: int) -> None:
    page.evaluate(_PANEL_TO_TOP)
    page.wait_for_timeout(600)  # decoded pictures reach the screen a moment later
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.save(FOLDER / f"{name}-{width}.webp", quality=QUALITY, method=6)
    print(f"{name}-{width}.webp", flush=True)


def _fill(browser: Browser, api: Api, tenant: str) -> None:
    """Some pictures, and two weeks of spending."""
    chance = random.Random(7)  # noqa: S311 - only looks like a past
    with _page(browser, api, tenant, 1440, "light") as page:
        for number, prompt in enumerate(PROMPTS):
            ratio = ("1:1", "3:2", "2:3")[number % 3]
            run(page, prompt, aspect_ratio=ratio, quality=("low", "medium")[number % 2])
            page.locator(".result img.loaded").first.wait_for()
            prediction_id = page.url.rpartition("/")[2]
            days = [chance.uniform(0.5, 13.5) for _ in range(chance.randint(5, 30))]
            past = [(time.time() - day * 86400, FAILED if day % 1 < 0.08 else {}) for day in days]
            copy(api, prediction_id, past)
            page.goto(f"{api.url}/#/")


if __name__ == "__main__":
    sys.exit(main())
