"""Where an edit may change the picture: masks that fit, that are made fit, and that are refused."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from dev.servers import EXTENDED, Server, predictor_server
from gpt_image.conversion.overlays import lay_over
from gpt_image.conversion.reports import OverlayKind
from tests.support.cog_client import Cog, Prediction, data_uri
from tests.support.sandbox_client import Sandbox
from tests.support.written_answers import notes

SIDE = 1024
HOLE = 200, 300, 700, 800


@pytest.fixture(scope="module")
def extended(sandbox_process: Server) -> Iterator[Cog]:
    with predictor_server(contract=EXTENDED, OPENAI_PROXY_URL=sandbox_process.url) as server:
        yield Cog(server.url)


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    return Image.radial_gradient("L").resize(size).convert("RGB").filter(ImageFilter.EMBOSS)


def alpha_mask(size: tuple[int, int] = (SIDE, SIDE), ground: int = 255) -> Image.Image:
    mask = Image.new("RGBA", size, (9, 9, 9, ground))
    mask.paste((9, 9, 9, 0), HOLE)
    return mask


def black_and_white(mode: str = "L") -> Image.Image:
    mask = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(mask).rectangle((HOLE[0], HOLE[1], HOLE[2] - 1, HOLE[3] - 1), fill=0)
    return mask.convert(mode)


def edited(cog: Cog, mask: bytes, **inputs: object) -> Prediction:
    return cog.predict(
        input_images=[data_uri(file_of(photo()))],
        mask=data_uri(mask),
        size=f"{SIDE}x{SIDE}",
        output_format="png",
        **inputs,
    )


def changed_box(prediction: Prediction) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(prediction.image.convert("RGB"), photo()).getbbox()


def test_the_picture_differs_only_where_the_mask_lets_it(extended: Cog) -> None:
    box = changed_box(edited(extended, file_of(alpha_mask())))

    assert box
    assert box[0] >= HOLE[0]
    assert box[1] >= HOLE[1]
    assert box[2] <= HOLE[2]
    assert box[3] <= HOLE[3]
    assert (box[2] - box[0]) * (box[3] - box[1]) > 0.9 * 500 * 500


def test_a_mask_that_fits_is_sent_byte_for_byte(extended: Cog, sandbox: Sandbox) -> None:
    mask = file_of(alpha_mask())
    prediction = edited(extended, mask)

    image, part = sandbox.request.files
    assert (image["name"], part["name"]) == ("image[]", "mask")
    assert (part["filename"], part["content_type"]) == ("mask.png", "image/png")
    assert part["sha256"] == hashlib.sha256(mask).hexdigest()
    assert notes(prediction)[0].startswith("Input text token count")


BLACK_AND_WHITE = {
    "grey": file_of(black_and_white()),
    "one bit": file_of(black_and_white("1")),
    "RGB": file_of(black_and_white("RGB")),
    "opaque RGBA": file_of(black_and_white("RGBA")),
    "JPEG": file_of(black_and_white("RGB"), "JPEG", quality=90),
}


@pytest.mark.parametrize("kind", BLACK_AND_WHITE)
def test_black_and_white_becomes_alpha_and_the_log_says_so(extended: Cog, kind: str) -> None:
    prediction = edited(extended, BLACK_AND_WHITE[kind])

    assert (
        "The mask was black and white without alpha: black became transparent, which is where the "
        "picture changes, and white is kept."
    ) in prediction.logs
    box = changed_box(prediction)
    assert box
    # JPEG blurs an edge by some pixels.
    assert all(abs(edge - wanted) <= 8 for edge, wanted in zip(box, HOLE, strict=True))


def test_a_mask_of_another_format_is_sent_as_png(extended: Cog, sandbox: Sandbox) -> None:
    prediction = edited(extended, file_of(alpha_mask(), "WEBP", lossless=True))

    assert sandbox.request.files[1]["content_type"] == "image/png"
    assert any(line.startswith("The mask was WEBP of ") for line in prediction.logs)
    assert changed_box(prediction)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(photo((1536, SIDE)), "JPEG", exif=exif)


@pytest.mark.parametrize("kind", ["mask", "markup"])
def test_a_photo_that_exif_turns_is_sent_upright_with_its_overlay(
    extended: Cog, sandbox: Sandbox, kind: str
) -> None:
    overlay = alpha_mask((SIDE, 1536))
    prediction = extended.predict(
        model="gpt-image-2.5-flare",
        input_images=[data_uri(turned(), "image/jpeg")],
        **{kind: data_uri(file_of(overlay))},
    )

    assert prediction.status == "succeeded", prediction.body
    assert [part["name"] for part in sandbox.request.files] == ["image[]", kind]
    line = f"Input image 1 was turned upright, so that the {kind} lies as it shows."
    assert line in prediction.logs


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "another size": (
        lambda: file_of(alpha_mask((512, 512))),
        "The mask has 512x512 pixels and the first input image 1024x1024; make it as large",
    ),
    "nothing transparent": (
        lambda: file_of(Image.new("RGB", (SIDE, SIDE), "white")),
        "The mask has no alpha and is not black and white; make it transparent where",
    ),
    "half transparent": (
        lambda: file_of(Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 128))),
        "The mask is nowhere fully transparent, so nothing could change; make it transparent",
    ),
    "a photo": (
        lambda: file_of(photo()),
        "The mask has no alpha and is not black and white; make it transparent where",
    ),
    "no image": (lambda: b"<html>", "The mask is no image that can be read here; send it as PNG."),
    "cut short": (
        lambda: file_of(alpha_mask())[:-300],
        "The mask is no image that can be read here; send it as PNG.",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_mask_that_cannot_be_made_fit_is_refused_for_nothing(
    extended: Cog, sandbox: Sandbox, kind: str
) -> None:
    make, says = REFUSED[kind]
    prediction = edited(extended, make())

    assert prediction.error.startswith(f"InvalidInput: {says}")
    assert sandbox.ledger == []


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"mask": "/etc/hostname"}, "The mask is not a file that Cog downloaded; give it as a URL"),
        ({"markup": "/etc/hostname"}, "gpt-image-2 takes no markup; leave it out, or choose"),
        (
            {"markup": "/etc/hostname", "mask": "/etc/hostname"},
            "A mask and a markup do not go together; leave one of them out.",
        ),
        (
            {"mask": "/etc/hostname", "input_images": []},
            "A mask lies over the first input image and there is none; give the image",
        ),
        (
            {"mask": "/etc/hostname", "model": "gpt-image-2.6-flare", "output_format": "gif"},
            "gpt-image-2.6-flare takes no mask for a gif; leave mask out, or set output_format",
        ),
    ],
)
def test_an_overlay_that_has_no_place_is_refused_for_nothing(
    extended: Cog, sandbox: Sandbox, inputs: dict[str, object], says: str
) -> None:
    image = data_uri(file_of(photo((64, 64))))
    prediction = extended.predict(**{"input_images": [image], **inputs})

    assert says in prediction.error
    assert "hostname" not in prediction.error
    assert sandbox.ledger == []


def marks(ground: int = 0, ink: int = 255) -> bytes:
    image = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, ground))
    ImageDraw.Draw(image).ellipse(HOLE, outline=(255, 0, 0, ink), width=9)
    return file_of(image)


def test_a_markup_is_sent_byte_for_byte(extended: Cog, sandbox: Sandbox) -> None:
    prediction = extended.predict(
        model="gpt-image-2.6-sunburst",
        input_images=[data_uri(file_of(photo()))],
        markup=data_uri(marks()),
    )

    assert prediction.status == "succeeded", prediction.body
    part = sandbox.request.files[1]
    assert (part["name"], part["sha256"]) == ("markup", hashlib.sha256(marks()).hexdigest())


@pytest.mark.parametrize(
    ("markup", "says"),
    [
        (marks(ground=255), "The markup is nowhere transparent, so it would hide the image"),
        (marks(ink=0), "The markup is empty; draw marks on it, or leave it out."),
    ],
    ids=["opaque", "empty"],
)
def test_a_markup_that_says_nothing_is_refused(extended: Cog, markup: bytes, says: str) -> None:
    prediction = extended.predict(
        model="gpt-image-2.5-flare",
        input_images=[data_uri(file_of(photo()))],
        markup=data_uri(markup),
    )
    assert says in prediction.error


# --- what one conversion does, without a server


def test_a_mask_over_the_older_limit_is_sent_without_its_colours(tmp_path: Path) -> None:
    noise = Image.effect_noise((SIDE, SIDE), 200)
    mask = Image.merge("RGBA", (noise, noise, noise, alpha_mask().getchannel("A")))
    source, first = tmp_path / "mask", tmp_path / "first"
    source.write_bytes(file_of(mask))
    first.write_bytes(file_of(photo()))

    fitted = lay_over(OverlayKind.MASK, source, first, tmp_path, most_bytes=500_000)

    assert Path(fitted.path).stat().st_size < 500_000 < source.stat().st_size
    with Image.open(fitted.path) as image:
        assert image.getchannel("A").tobytes() == mask.getchannel("A").tobytes()
    assert fitted.note.startswith("The mask was PNG of ")


def test_a_mask_with_sixteen_bits_keeps_its_shape(tmp_path: Path) -> None:
    grey = black_and_white().convert("I").point(lambda value: value * 257).convert("I;16")
    source, first = tmp_path / "mask", tmp_path / "first"
    source.write_bytes(file_of(grey))
    first.write_bytes(file_of(photo()))

    fitted = lay_over(OverlayKind.MASK, source, first, tmp_path, most_bytes=4_000_000)

    with Image.open(fitted.path) as image:
        assert image.getchannel("A").tobytes() == black_and_white().tobytes()
