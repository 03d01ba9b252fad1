"""The gallery and the operator's overview, in a real browser."""

import re
import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.ids import now
from dev.past_predictions import FAILED, copy
from dev.servers.api import Api
from tests.api.admin import token_for
from tests.api.playground.conftest import Visit
from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.browser

MANY = 500


@pytest.fixture(scope="module")
def collector(api: Api) -> ReplicateCaller:
    """A tenant with 500 predictions: one that was made, and copies of its row."""
    caller = ReplicateCaller(api.url, token_for(api, "collector"))
    made = caller.ended(
        caller.created("A shell from the beach", input={"quality": "low"})["id"], within=90
    )
    assert made["status"] == "succeeded"
    numbers = range(1, MANY)
    copies = [(now() - 60 - each, FAILED if each % 50 == 0 else {}) for each in numbers]
    copy(api, made["id"], copies)
    return caller


@pytest.fixture
def gallery(visit: Visit, collector: ReplicateCaller) -> Iterator[Page]:
    page = visit("#/gallery", token=collector.token)
    page.locator(".card img.loaded").first.wait_for()
    yield page


def test_five_hundred_predictions_come_as_one_scrolls(gallery: Page) -> None:
    cards = gallery.locator(".card")
    assert cards.count() < MANY
    for _ in range(100):
        if cards.count() == MANY and gallery.get_by_role("button", name="Show more").is_hidden():
            break
        gallery.mouse.wheel(0, 20_000)
        gallery.wait_for_timeout(100)
    expect(cards).to_have_count(MANY)
    links = gallery.locator(".card a").evaluate_all("(links) => links.map((each) => each.hash)")
    assert len(set(links)) == MANY
    expect(cards.first).to_contain_text("$0.0")


def test_only_those_in_a_state_are_shown(gallery: Page) -> None:
    gallery.get_by_role("link", name="failed", exact=True).click()
    expect(gallery.locator(".card")).to_have_count(MANY // 50 - 1)
    expect(gallery.locator(".is-failed")).to_have_count(MANY // 50 - 1)
    gallery.get_by_role("link", name="canceled", exact=True).click()
    expect(gallery.locator(".gallery > .empty")).to_have_text("Nothing here is canceled.")


def test_what_another_client_of_the_tenant_runs_appears_by_itself(
    gallery: Page, collector: ReplicateCaller
) -> None:
    made = collector.created("From a shell, meanwhile [sandbox:slow seconds=60]")
    card = gallery.locator(f'.card:has(a[href="#/p/{made["id"]}"])')
    expect(card.locator(".running")).to_be_visible()
    expect(gallery.locator(".card").first).to_contain_text("From a shell, meanwhile")
    collector.cancel(made["id"])
    expect(card).to_contain_text("Canceled")


def test_a_prediction_whose_data_is_gone_says_so(gallery: Page, api: Api) -> None:
    shown = gallery.locator(".card:has(img.loaded) a").first.get_attribute("href")
    card = gallery.locator(f'.card:has(a[href="{shown}"])')
    prediction_id = str(shown).rpartition("/")[2]
    with sqlite3.connect(api.data / "api.db", timeout=30) as database:
        database.execute(
            "UPDATE predictions SET input = '{}', output = NULL, removed_at = ? WHERE id = ?",
            (now(), prediction_id),
        )
    database.close()
    expect(card).to_contain_text("Removed")
    card.locator("a").click()
    expect(gallery.locator(".result")).to_contain_text("kept for 60 min after the end")
    expect(gallery.get_by_role("button", name="Run again")).to_have_count(0)


def test_a_tenant_has_no_overview(gallery: Page) -> None:
    expect(gallery.get_by_role("link", name="Overview")).to_have_count(0)
    gallery.goto(gallery.url.partition("#")[0] + "#/overview")
    expect(gallery.get_by_label("Prompt")).to_be_visible()


def test_an_operator_sees_spend_tenants_queue_and_failures(
    visit: Visit, api: Api, collector: ReplicateCaller, sandbox: Sandbox
) -> None:
    page = visit("#/overview", token=token_for(api, "keeper", "--operator"))
    tenants = page.get_by_role("region", name="Tenants")
    expect(tenants.get_by_role("row", name="collector")).to_contain_text("50")
    failures = page.get_by_role("region", name="Failures")
    expect(failures.get_by_role("row", name="ModerationBlocked")).to_contain_text(re.compile(r"\d"))
    expect(page.locator(".chart rect")).to_have_count(14)
    expect(page.locator(".tiles")).to_contain_text("Waiting")
    page.get_by_role("link", name="Gallery").click()
    expect(page.locator(".card").first).to_contain_text("collector")
