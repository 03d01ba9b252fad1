"""The page by keyboard alone, on a phone, in light and dark, without motion, and before axe."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.page_speed import first_paint, longest_task
from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.playground.conftest import Visit
from tests.api.playground.driving import pictures, result, run
from tests.api.replicate_caller import ReplicateCaller

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}}
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def made(api: Api) -> dict[str, str]:
    """The id of a prediction by how it ended."""
    caller = ReplicateCaller(api.url, api.token)
    inputs = {"quality": "low", "number_of_images": 2}
    succeeded = caller.ended(caller.created("Two harbours", input=inputs)["id"], within=90)
    failed = caller.ended(caller.created("Refused [sandbox:moderation]")["id"], within=90)
    return {each["status"]: each["id"] for each in (succeeded, failed)}


@pytest.fixture(scope="module")
def operator(api: Api) -> str:
    return token_for(api, "keeper", "--operator")


def views(made: dict[str, str]) -> dict[str, str]:
    """The address of each view, and what is there once it is all there."""
    return {
        "#/": ".welcome",
        f"#/p/{made['succeeded']}": "figure img.loaded",
        f"#/p/{made['failed']}": ".failure",
        "#/gallery": ".card img.loaded",
        "#/overview": ".chart",
    }


def turn_to(page: Page, view: str, sign: str) -> None:
    page.goto(page.url.partition("#")[0] + view)
    page.locator(sign).first.wait_for()


def faults(page: Page) -> list[str]:
    """What axe finds serious, each with where it is."""
    found: Any = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    scheme: str, visit: Visit, made: dict[str, str], operator: str, axe: str
) -> None:
    outside = visit(token="", color_scheme=scheme)
    page = visit(token=operator, color_scheme=scheme, reduced_motion="reduce")
    for each in (outside, page):
        each.evaluate(f"() => {{ {axe} }}")
    assert faults(outside) == []
    for view, sign in views(made).items():
        turn_to(page, view, sign)
        for group in page.locator("details").all():
            group.evaluate("(group) => (group.open = true)")
        assert faults(page) == [], view


def test_nothing_is_wider_than_a_phone(visit: Visit, made: dict[str, str], operator: str) -> None:
    page = visit(token=operator, **PHONE)
    for view, sign in views(made).items():
        turn_to(page, view, sign)
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 360, view


def test_from_the_token_to_the_picture_by_keyboard_alone(visit: Visit, api: Api) -> None:
    page = visit(token="")
    page.keyboard.type(api.token)
    page.keyboard.press("Enter")
    page.get_by_label("Prompt").wait_for()
    tab_to(page, "#input-prompt")
    page.keyboard.type("A lantern in the snow")
    tab_to(page, 'input[name="input-quality"]:checked')
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+Enter")
    pictures(page, 1)
    tab_to(page, "button.picture")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("button.picture")).to_be_focused()
    tab_to(page, 'input[name="language"]:checked')
    page.keyboard.press("ArrowRight")
    expect(page.locator(".codes code")).to_contain_text("import replicate")


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what the selector finds has the focus, which is to be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            box = page.evaluate("() => document.activeElement.getBoundingClientRect().toJSON()")
            assert 0 <= box["y"] < 900
            return
    raise AssertionError(f"{wanted} cannot be reached")


def test_it_is_there_at_once_and_large_pictures_do_not_hold_it_up(
    browser: Browser, visit: Visit, api: Api
) -> None:
    # Far above what it takes, which docs/playground.md tells: this machine may be busy.
    assert first_paint(browser, api) < 10_000
    assert longest_task(visit(), pictures=2) < 5_000


def test_nothing_moves_where_motion_is_unwanted(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    run(page, "A quiet one [sandbox:slow seconds=60]", quality="low")
    page.locator(".place").wait_for()
    assert page.evaluate("() => document.getAnimations().length") == 0
    page.get_by_role("button", name="Cancel").click()
    result(page)
    assert page.evaluate("() => document.getAnimations().length") == 0
