"""What a person does on the page, in its own words."""

import base64
import io
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect


def choose(page: Page, name: str, value: str | int) -> None:
    """Choose one of the choices of an input, or set its slider."""
    radio = page.locator(f'input[name="input-{name}"][value="{value}"]')
    if radio.count():
        radio.check(force=True)
    else:
        page.locator(f"#input-{name}").fill(str(value))


def run(page: Page, prompt: str, **choices: str | int) -> None:
    """Fill in the form and run it; returns once it has begun."""
    page.get_by_label("Prompt").fill(prompt)
    for name, value in choices.items():
        choose(page, name, value)
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/#/p/*")


def result(page: Page) -> Locator:
    """The result, once the prediction has ended."""
    shown = page.locator(".result")
    shown.wait_for()
    return shown


def pictures(page: Page, number: int) -> Locator:
    """So many pictures of a result, each of them loaded."""
    loaded = result(page).locator("figure img.loaded")
    expect(loaded).to_have_count(number)
    return loaded


def drop(page: Page, where: str, name: str, content: bytes, kind: str = "image/png") -> None:
    """Drop a file on what the selector finds, as from a file manager."""
    transfer = page.evaluate_handle(
        """([name, kind, content]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type: kind }));
            return transfer;
        }""",
        [name, kind, base64.b64encode(content).decode()],
    )
    page.dispatch_event(where, "drop", {"dataTransfer": transfer})


def drawn(colour: str = "teal", size: tuple[int, int] = (320, 240)) -> bytes:
    """A PNG."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def everything_kept(page: Page) -> str:
    """All that the browser keeps for this page, and what its history shows."""
    kept: Any = page.evaluate(
        """async () => JSON.stringify([
            { ...sessionStorage }, { ...localStorage }, document.cookie, location.href,
            history.state, await indexedDB.databases(), await caches.keys(),
        ])"""
    )
    return str(kept)
