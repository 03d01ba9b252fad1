"""The states of the page at `/` of which there are screenshots, and how one gets there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from dev.servers import PROJECT

INPUTS = PROJECT / "samples" / "inputs"


@dataclass(frozen=True)
class Shot:
    """A state of the page: how it looks, and how one gets there."""

    name: str
    scheme: str
    reach: Callable[[Page], None]
    of_operator: bool = False


def run(page: Page, prompt: str, **choices: str) -> None:
    """Fill in the form, and run it; it has begun when this returns."""
    page.get_by_label("Prompt").fill(prompt)
    for name, value in choices.items():
        radio = page.locator(f'input[name="input-{name}"][value="{value}"]')
        if radio.count():
            radio.check(force=True)
        else:
            page.locator(f"#input-{name}").fill(value)
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/#/p/*")


def _create(page: Page) -> None:
    page.get_by_label("Prompt").fill("Put the mug on the rug, beside the armchair")
    files = [INPUTS / name for name in ("mug.png", "rug.jpg", "armchair.png")]
    page.locator("#input-input_images").set_input_files(files)
    page.locator('input[name="input-aspect_ratio"][value="3:2"]').check(force=True)
    page.locator(".chosen canvas").nth(2).wait_for()
    page.locator('input[name="input-quality"][value="medium"]').check(force=True)
    page.evaluate("() => scrollTo(0, 0)")


def _running(page: Page) -> None:
    run(
        page, "A greenhouse in winter [sandbox:slow seconds=9]", number_of_images="2", quality="low"
    )
    page.locator(".state", has_text="Drawing").wait_for()
    page.wait_for_timeout(2500)


def _result(page: Page) -> None:
    run(page, "A vintage travel poster of a lighthouse at dusk, bold shapes", aspect_ratio="3:2")
    page.locator(".result img.loaded").wait_for()


def _four(page: Page) -> None:
    run(
        page, "Four studies of a heron in reeds, ink wash", number_of_images="4", aspect_ratio="3:2"
    )
    page.locator(".result img.loaded").nth(3).wait_for()


def _transparent(page: Page) -> None:
    run(page, "A paper crane, die-cut sticker", background="transparent", quality="low")
    page.locator(".result img.loaded").wait_for()


def _edit(page: Page) -> None:
    _create(page)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".result img.loaded").wait_for()
    page.locator(".inputs img").last.scroll_into_view_if_needed()
    for image in page.locator(".inputs img").all():
        image.evaluate("(image) => image.decode()")


def _code(page: Page) -> None:
    run(page, "A harbour at night", quality="low")
    page.locator(".result img.loaded").wait_for()
    page.get_by_label("Python", exact=True).check(force=True)
    page.locator(".codes").scroll_into_view_if_needed()


def _failed(page: Page) -> None:
    run(page, "A crowded battle scene [sandbox:moderation]")
    page.locator(".failure").wait_for()


def _canceled(page: Page) -> None:
    run(page, "A slow train [sandbox:slow seconds=30]")
    page.locator(".state", has_text="Drawing").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.locator(".notice").wait_for()


def _gallery(page: Page) -> None:
    page.get_by_role("link", name="Gallery").click()
    page.locator(".card img.loaded").first.wait_for()
    for image in page.locator(".card:nth-child(-n+9) img").all():
        image.evaluate("(image) => image.decode()")


def _large(page: Page) -> None:
    _four(page)
    page.get_by_label("Picture 1 of 4, larger").click()


def _overview(page: Page) -> None:
    page.get_by_role("link", name="Overview").click()
    page.locator(".chart").wait_for()


SHOTS = (
    Shot("result", "light", _result),  # first, since some more pictures are made after it
    Shot("gallery", "light", _gallery),
    Shot("gallery-dark", "dark", _gallery),
    Shot("create", "light", _create),
    Shot("four", "dark", _four),
    Shot("large", "dark", _large),
    Shot("transparent", "light", _transparent),
    Shot("edit", "light", _edit),
    Shot("code", "dark", _code),
    Shot("running", "light", _running),
    Shot("failed", "light", _failed),
    Shot("canceled", "dark", _canceled),
    Shot("overview", "light", _overview, of_operator=True),
)
