"""How fast the page at `/` is on this machine."""

from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from dev.servers.api import Api

_PATIENCE = 120_000  # milliseconds
_PAINT = "() => performance.getEntriesByName('first-paint')[0]?.startTime ?? 0"
_WATCH = """() => {
    window.tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)))
        .observe({ type: "longtask" });
}"""


def first_paint(browser: Browser, api: Api) -> float:
    """Milliseconds until a browser that is new here shows something; the middle of seven."""
    return median(_first_paint(browser, api) for _ in range(7))


def _first_paint(browser: Browser, api: Api) -> float:
    context = browser.new_context()
    page = context.new_page()
    page.goto(api.url)
    page.get_by_label("Token").wait_for()
    shown: Any = page.evaluate(_PAINT)
    context.close()
    return float(shown)


def longest_task(page: Page, pictures: int = 10) -> float:
    """Milliseconds of the longest task while a result of so many 4K pictures loads; 0 below 50.

    Two rounds: in the first the previews are made, in the second they are only loaded.
    """
    page.get_by_label("Prompt").fill("Ten large ones")
    page.locator("#input-aspect_ratio-exact").select_option("3840x2160")
    page.locator("#input-number_of_images").fill(str(pictures))
    page.locator("summary", has_text="More options").click()
    page.locator('input[name="input-output_format"][value="png"]').check(force=True)
    page.evaluate(_WATCH)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("figure img.loaded").nth(pictures - 1).wait_for(timeout=_PATIENCE)
    longest = _longest(page)
    page.reload()
    page.evaluate(_WATCH)
    page.locator("figure img.loaded").nth(pictures - 1).wait_for(timeout=_PATIENCE)
    page.get_by_role("link", name="Gallery").click()
    page.locator(".card img.loaded").first.wait_for(timeout=_PATIENCE)
    return max(longest, _longest(page))


def _longest(page: Page) -> float:
    page.wait_for_timeout(1000)  # what has been seen is told a moment later
    found: Any = page.evaluate("() => Math.max(0, ...window.tasks)")
    return float(found)
