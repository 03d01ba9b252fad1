"""Making pictures on the page, in a real browser, before the real Cog server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from dev.cost import of_one_picture
from dev.servers.api import Api
from gpt_image.request import SIZES
from tests.api.admin import token_for
from tests.api.clients.published import javascript_clients, python_client
from tests.api.playground.conftest import Visit
from tests.api.playground.driving import (
    choose,
    drawn,
    drop,
    everything_kept,
    pictures,
    result,
    run,
)
from tests.api.replicate_caller import ReplicateCaller
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.browser

QUALITIES = ["low", "medium", "high"]
KEY = "sk-proj-made-up-key-of-a-caller"


def test_signing_in_with_a_token(visit: Visit, api: Api) -> None:
    page = visit(token="")
    page.get_by_label("Token").fill("api_of-somebody-else")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("sign in with another one"))
    page.get_by_label("Token").fill(api.token)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Prompt")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert api.token not in everything_kept(page)


def test_a_picture_with_its_size_weight_tokens_and_cost(visit: Visit, api: Api) -> None:
    page = visit()
    choose(page, "quality", "low")
    choose(page, "aspect_ratio", "3:2")
    expect(page.locator("#estimate")).to_contain_text(re.compile("1536 . 1024"))
    cost = of_one_picture("1536x1024", "low")
    expect(page.locator("#estimate")).to_contain_text(f"about ${cost:.4f}")
    run(page, "A lighthouse at dusk")
    pictures(page, 1)
    shown = result(page)
    expect(shown.locator("figcaption")).to_contain_text(re.compile(r"1536 . 1024\s*WEBP\s*\d+ KB"))
    expect(shown.locator(".figures").first).to_contain_text("Tokens out")
    expect(shown.locator(".figures").first).to_contain_text(f"${cost:.4f}"[:6])
    with page.expect_download() as download:
        shown.get_by_label("Download picture 1 of 1").click()
    assert download.value.suggested_filename.endswith(".webp")


def test_an_edit_with_a_dropped_and_a_chosen_file_in_another_order(
    visit: Visit, sandbox: Sandbox
) -> None:
    page = visit()
    drop(page, ".work", "first.png", drawn("teal"))
    expect(page.locator(".chosen canvas")).to_have_count(1)
    chosen = FilePayload(name="second.png", mimeType="image/png", buffer=drawn("tomato"))
    page.locator("#input-input_images").set_input_files([chosen])
    expect(page.locator(".chosen")).to_have_count(2)
    page.get_by_label("Move earlier: second.png").click()
    run(page, "Put one on the other", quality="low")
    pictures(page, 1)
    sent = sandbox.request
    assert sent.path.endswith("/images/edits")
    assert [file["size"] for file in sent.files] == [len(drawn("tomato")), len(drawn("teal"))]
    expect(page.locator(".inputs img")).to_have_count(2)
    page.get_by_label("Use picture 1 of 1 as input").click()
    expect(page.locator(".chosen")).to_have_count(3)
    run(page, "And once more", quality="low")
    page.get_by_role("heading", name="And once more").wait_for()
    assert len(sandbox.requests[-1].files) == 3


def test_four_pictures_are_downloaded_together(visit: Visit) -> None:
    page = visit()
    run(page, "Four herons", number_of_images=4, quality="low")
    pictures(page, 4)
    downloads: list[str] = []
    page.on("download", lambda each: downloads.append(each.suggested_filename))
    with page.expect_download(lambda _: len(downloads) == 4):
        page.get_by_role("button", name="Download all").click()
    assert len(set(downloads)) == 4


def test_what_is_transparent_shows_a_checkerboard(visit: Visit) -> None:
    page = visit()
    run(page, "A sticker", background="transparent", quality="low")
    image = pictures(page, 1).first
    assert "repeating-conic-gradient" in str(
        image.evaluate("(image) => getComputedStyle(image).backgroundImage")
    )


def test_a_failure_is_its_sentence_and_what_to_do(visit: Visit) -> None:
    page = visit()
    run(page, "A scene [sandbox:moderation]")
    failure = result(page).get_by_role("alert")
    expect(failure).to_contain_text("change the prompt")
    expect(failure).to_contain_text("ModerationBlocked")


def test_an_input_that_is_refused_is_marked(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#input-prompt-wrong")).to_have_text("Prompt is needed.")
    expect(page.get_by_label("Prompt")).to_be_focused()


def test_a_run_is_canceled(visit: Visit, api: Api) -> None:
    page = visit()
    run(page, "A slow one [sandbox:slow seconds=60]")
    expect(page.locator(".state")).to_have_text("Drawing")
    expect(page.locator(".elapsed")).to_contain_text("of usually")
    page.get_by_role("button", name="Cancel").click()
    expect(result(page)).to_contain_text("Canceled")
    expect(result(page).locator("details .logs")).to_contain_text("Generating image")


def test_a_page_that_is_loaded_again_in_mid_run_finds_it_again(visit: Visit) -> None:
    page = visit()
    page.get_by_label("User ID").evaluate("(input) => (input.closest('details').open = true)")
    page.get_by_label("User ID").fill("user-7")
    run(page, "One that takes a while [sandbox:slow seconds=60]", quality="low")
    expect(page.locator(".state")).to_be_visible()
    page.reload()
    expect(page.locator(".state")).to_be_visible()
    expect(page.get_by_label("User ID")).to_have_value("user-7")
    page.get_by_role("button", name="Cancel").click()
    expect(result(page)).to_contain_text("Canceled")


def test_the_callers_key_pays_and_is_kept_nowhere(visit: Visit, api: Api, sandbox: Sandbox) -> None:
    page = visit()
    page.locator("summary", has_text="Your own key").click()
    page.get_by_label("OpenAI API key").fill(KEY)
    run(page, "Paid by the caller", quality="low")
    pictures(page, 1)
    assert sandbox.request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in everything_kept(page)
    assert KEY not in page.locator(".result").inner_text()
    for language in ("Python", "JavaScript"):
        page.get_by_label(language, exact=True).check(force=True)
        expect(page.locator(".codes code")).to_contain_text("OPENAI_API_KEY")
    page.reload()
    pictures(page, 1)
    assert page.locator("#input-openai_api_key").input_value() == ""
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#input-openai_api_key-wrong")).to_contain_text("enter it again")
    assert len(sandbox.requests) == 1


def test_the_shells_code_runs_as_it_stands(visit: Visit, api: Api, tmp_path: Path) -> None:
    page = visit()
    run(page, 'It\'s a "quoted" $HOME', quality="low", number_of_images=2)
    pictures(page, 2)
    code = page.locator(".codes code").inner_text()
    environment = os.environ | {"REPLICATE_API_TOKEN": api.token}
    done = subprocess.run(
        ["bash", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert '"status":"succeeded"' in done.stdout
    assert 'It\'s a \\"quoted\\" $HOME' in done.stdout


def test_the_code_for_python_runs_as_it_stands(visit: Visit, api: Api, tmp_path: Path) -> None:
    page = visit()
    chosen = FilePayload(name="mug.png", mimeType="image/png", buffer=drawn())
    page.locator("#input-input_images").set_input_files([chosen])
    run(page, "The mug, in\nthe snow", quality="low")
    code = code_of(page, "Python")
    (tmp_path / "mug.png").write_bytes(drawn())
    client = python_client("replicate-1", "")
    environment = os.environ | {"REPLICATE_API_TOKEN": api.token}
    subprocess.run(client.command(code), cwd=tmp_path, env=environment, check=True, timeout=120)
    assert (tmp_path / "picture-0.webp").read_bytes().startswith(b"RIFF")


def test_the_code_for_javascript_runs_as_it_stands(visit: Visit, api: Api) -> None:
    client = javascript_clients()
    page = visit()
    run(page, "A `quoted` ${mug}", quality="low", number_of_images=2)
    code = code_of(page, "JavaScript")
    environment = os.environ | {"REPLICATE_API_TOKEN": api.token}
    made = [client.folder / f"picture-{number}.webp" for number in range(2)]
    try:
        subprocess.run(
            client.command(code), cwd=client.folder, env=environment, check=True, timeout=120
        )
        assert all(file.read_bytes().startswith(b"RIFF") for file in made)
    finally:
        for file in made:
            file.unlink(missing_ok=True)


def test_the_code_for_openais_client_runs_as_it_stands(
    visit: Visit, api: Api, tmp_path: Path
) -> None:
    page = visit()
    chosen = FilePayload(name="mug.png", mimeType="image/png", buffer=drawn())
    page.locator("#input-input_images").set_input_files([chosen])
    run(page, "The mug in the snow", quality="low", aspect_ratio="3:2")
    code = code_of(page, "OpenAI for Python")
    (tmp_path / "mug.png").write_bytes(drawn())
    environment = os.environ | {"REPLICATE_API_TOKEN": api.token}
    call = [sys.executable, "-c", code]
    subprocess.run(call, cwd=tmp_path, env=environment, check=True, timeout=120)
    with Image.open(tmp_path / "picture-0.webp") as picture:
        assert (picture.format, picture.size) == ("WEBP", (1536, 1024))


def code_of(page: Page, language: str) -> str:
    """The code that the result shows for a language."""
    result(page)
    page.get_by_label(language, exact=True).check(force=True)
    return page.locator(".codes code").inner_text()


def test_another_tenants_prediction_is_not_shown(visit: Visit, api: Api) -> None:
    theirs = ReplicateCaller(api.url, token_for(api, "another"))
    secret = theirs.ended(
        theirs.created("A secret of another tenant", input={"quality": "low"})["id"]
    )
    page = visit(f"#/p/{secret['id']}")
    expect(page.get_by_role("heading", name="There is no such prediction")).to_be_visible()
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    page.locator(".card").first.wait_for()
    assert "secret of another" not in page.locator("body").inner_text()


def test_every_size_and_quality_is_priced_as_the_predictor_does(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#estimate")).to_contain_text("$")  # the prices have come
    found = page.evaluate(
        """async ([sizes, qualities]) => {
            const main = document.querySelector("script[type=module]").src;
            const { estimate } = await import(main.replace("main.js", "estimate.js"));
            return sizes.flatMap((aspect_ratio) => qualities.map((quality) =>
                estimate("gpt-image-2", { aspect_ratio, quality }).dollars[0]));
        }""",
        [[each for each in SIZES if each != "auto"], QUALITIES],
    )
    expected = [
        of_one_picture(size, quality)
        for size in SIZES.values()
        if size != "auto"
        for quality in QUALITIES
    ]
    assert found == pytest.approx(expected)
