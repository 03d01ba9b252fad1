"""What comes back is a real image, as asked, and the same for the same request."""

import base64
import io
import random
from typing import Any

import pytest
from PIL import Image, features

from dev.servers import sandbox_server
from sandbox.drawing.canvas import Canvas
from sandbox.drawing.caption import split_title
from sandbox.drawing.fonts import NO_GLYPH, ems, font, runs
from sandbox.drawing.lines import pieces
from sandbox.drawing.palette import base_hue, oklch
from sandbox.drawing.typography import Block, abridged, fit, printable, set_block
from tests.sandbox.conftest import Api
from tests.support.waiting import fastest


def images(answer: dict[str, Any]) -> list[Image.Image]:
    """Return an answer's pictures, decoded to the last pixel."""
    opened: list[Image.Image] = [
        Image.open(io.BytesIO(base64.b64decode(each["b64_json"]))) for each in answer["data"]
    ]
    for image in opened:
        image.load()
    return opened


@pytest.mark.parametrize("size", ["1024x1024", "1536x1024", "864x1536", "3840x2160", "2400x800"])
@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_size_and_format_are_the_asked_ones(api: Api, size: str, output_format: str) -> None:
    answer = api.generate(size=size, output_format=output_format).json()
    (image,) = images(answer)
    assert f"{image.width}x{image.height}" == size == answer["size"]
    assert (image.format or "").lower() == output_format == answer["output_format"]
    assert image.mode == "RGB"


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_transparent_has_real_alpha(api: Api, output_format: str) -> None:
    answer = api.generate(background="transparent", output_format=output_format).json()
    (image,) = images(answer)
    assert image.mode == "RGBA"
    assert image.getchannel("A").getextrema() == (0, 255)
    assert answer["background"] == "transparent"


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_compression_changes_the_weight(api: Api, output_format: str) -> None:
    def weight(compression: int) -> int:
        answer = api.generate(output_format=output_format, output_compression=compression).json()
        return len(answer["data"][0]["b64_json"])

    assert weight(5) < weight(50) < weight(100)


def test_auto_is_resolved_as_seen_live(api: Api) -> None:
    answer = api.generate(size="auto", quality="auto", background="auto").json()
    assert (answer["size"], answer["quality"], answer["background"]) == (
        "1254x1254",
        "low",
        "opaque",
    )
    assert images(answer)[0].size == (1254, 1254)
    assert api.generate(size="auto", prompt="A portrait of a cat").json()["size"] == "1024x1536"


def test_variants_of_one_request_differ_visibly(api: Api) -> None:
    pictures = images(api.generate(n=10, prompt="A red fox").json())
    small = [picture.resize((32, 32)) for picture in pictures]
    assert len(pictures) == 10
    for index, one in enumerate(small):
        for other in small[index + 1 :]:
            pairs = zip(one.tobytes(), other.tobytes(), strict=True)
            assert sum(abs(a - b) for a, b in pairs) / (32 * 32 * 3) > 8


def test_the_same_request_gives_the_same_pictures_unless_the_seed_changes(api: Api) -> None:
    request = {"n": 2, "prompt": "A quiet harbour"}
    first, second = api.generate(**request).json(), api.generate(**request).json()
    assert first["data"] == second["data"]
    with sandbox_server(SANDBOX_SEED="1") as server:
        seeded = Api(server.url)
        with seeded.http:
            assert seeded.generate(**request).json()["data"] != first["data"]


def test_what_is_said_to_the_sandbox_is_not_drawn(api: Api) -> None:
    plain = api.generate(prompt="A harbour").json()["data"]
    marked = api.generate(prompt="[sandbox:no-usage] A harbour [#12]").json()["data"]
    assert plain == marked


@pytest.mark.parametrize("prompt", ["日本語だけ", " ", "x" * 5000, "word " * 6000, "🎉", "a"])
@pytest.mark.parametrize("background", ["opaque", "transparent"])
def test_any_prompt_gives_a_picture(api: Api, prompt: str, background: str) -> None:
    assert images(api.generate(prompt=prompt, background=background).json())


def test_text_keeps_what_can_be_drawn() -> None:
    assert printable("Café \N{EN DASH} “naïve” straße") == "Cafe - “naive” strasse"
    scripts = "日本語 한국어 Привет Ελλάδα שלום مرحبا สวัสดี हिन्दी"
    emoji = "🎉 \N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET} 👍🏽 🇩🇪"
    assert printable(f"{scripts} {emoji}") == f"{scripts} {emoji}"


def test_what_no_font_has_is_a_box_and_what_cannot_be_seen_is_nothing() -> None:
    assert printable("a \N{EGYPTIAN HIEROGLYPH A001} b") == f"a {NO_GLYPH} b"
    assert (
        printable("hid\N{ZERO WIDTH SPACE}den \N{RIGHT-TO-LEFT OVERRIDE}\x07 text") == "hidden text"
    )


def ink(text: str) -> bytes:
    """Return how a line of text looks."""
    canvas = Canvas(Image.new("RGB", (400, 100), "white"))
    set_block(canvas, Block((text,), 40, 1, 0.018), (10, 10), (0, 0, 0))
    return canvas.image.tobytes()


def test_each_character_of_other_scripts_has_its_own_glyph() -> None:
    characters = "日本語한Жשعสह🎉🦊❤ำ"
    looks = {ink(character) for character in (*characters, NO_GLYPH, " ")}
    assert len(looks) == len(characters) + 2


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow shapes no text")
def test_an_emoji_of_several_characters_is_one_glyph() -> None:
    for sequence in ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}", "👍🏽", "🇩🇪"):
        assert ems(sequence) == pytest.approx(ems("🎉"), rel=0.1)


def test_words_that_run_leftwards_are_drawn_as_one() -> None:
    assert [text for _, text in runs("مرحبا بالعالم")] == ["مرحبا بالعالم"]
    assert [text for _, text in runs("ab 日本 cd")] == ["ab ", "日本", " cd"]


def test_scripts_without_spaces_break_anywhere_but_before_a_closing_sign() -> None:
    assert pieces("A fox") == ["A", " fox"]
    assert pieces("夜の「海」。") == ["夜", "の", "「海」。"]
    assert pieces("세계 🎉🎉") == ["세계", " 🎉", "🎉"]


def test_a_long_title_ends_at_its_first_clause_in_every_script() -> None:
    latin = "A lighthouse at dusk, bold shapes, a calm sea with boats and gulls above it"
    assert split_title(latin)[0] == "A lighthouse at dusk"
    japanese = "宇宙飛行士が馬に乗っている写真。" + "背景には巨大な惑星と星雲が広がる" * 3
    assert split_title(japanese)[0] == "宇宙飛行士が馬に乗っている写真"


def test_prompts_in_other_scripts_give_pictures_of_their_own(api: Api) -> None:
    prompts = ("日本語だけ", "Привет, мир", "مرحبا")
    data = {api.generate(prompt=p, size="1536x1024").json()["data"][0]["b64_json"] for p in prompts}
    assert len(data) == 3


def test_one_huge_word_does_not_hold_the_sandbox_up(api: Api) -> None:
    def draw() -> float:
        return api.generate(prompt="W" * 32_000).elapsed.total_seconds()

    assert fastest(draw, enough=2) < 2


def test_what_a_poster_cannot_hold_ends_in_an_ellipsis() -> None:
    assert abridged("a short prompt") == "a short prompt"
    assert abridged("word " * 221) == "word " * 219 + "word…"
    assert abridged("x" * 32_000) == "x" * 1500 + "…"


@pytest.mark.parametrize("size", [*range(8, 60), 128, 300])
def test_the_last_letter_of_a_line_is_whole(size: int) -> None:
    line = "Bold shapes, the words NORTH COAST"
    canvas = Canvas(Image.new("RGB", (size * len(line), size * 2), "white"))
    set_block(canvas, Block((line,), size, 1.4, 0.018), (size, 0), (0, 0, 0))
    box = canvas.image.convert("L").point(lambda value: 255 * (value < 128)).getbbox()
    assert box is not None
    # A capital T is as wide as its advance, but for a little air; without it much is missing.
    assert abs(box[2] - size - font(1000).getlength(line) * size / 1000) < 0.1 * size + 1


def test_a_title_fills_its_box_without_leaving_it() -> None:
    block = fit("A title of several words", 600, 300, 500, 10)
    larger = fit("A title of several words", 900, 450, 500, 10)
    assert block.height <= 300
    assert larger.size > block.size


def test_the_palette_follows_the_words() -> None:
    assert abs(base_hue("a forest at dawn", random.Random(1)) - 145) <= 6
    red, green, blue = oklch(0.6, 0.2, 145)
    assert green > red
    assert green > blue


def test_grain_makes_files_heavy(api: Api) -> None:
    light = len(api.generate().json()["data"][0]["b64_json"])
    with sandbox_server(SANDBOX_GRAIN="true") as server:
        grainy = Api(server.url)
        with grainy.http:
            assert len(grainy.generate().json()["data"][0]["b64_json"]) > 4 * light
