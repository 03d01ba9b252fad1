"""The edits endpoint is as strict about forms and files as the API."""

import base64
import io

import pytest
from PIL import Image

from tests.sandbox.conftest import MODEL, Api, FormFile, file_of, png, upload


def message(api: Api, *files: bytes, kind: str = "image/png") -> tuple[str, str]:
    """Return code and message of the refusal of some uploads."""
    answer = api.edit([upload(data, kind) for data in files])
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == "image"
    return error["code"], error["message"]


def test_the_sdk_edits_with_one_bare_file_a_list_and_a_mask(api: Api) -> None:
    sdk = api.sdk()
    first, mask = ("a.png", png(), "image/png"), ("m.png", png(mode="RGBA"), "image/png")
    sdk.images.edit(model=MODEL, prompt="x", image=first)
    sdk.images.edit(model=MODEL, prompt="x", image=[first, first], mask=mask)
    one, several = api.requests()
    assert [part["name"] for part in one["parts"] if part["filename"]] == ["image"]
    names = [part["name"] for part in several["parts"] if part["filename"]]
    assert names == ["image[]", "image[]", "mask"]


def test_numbers_of_a_form_are_text(api: Api) -> None:
    answer = api.edit([upload(png())], n="2", output_compression="100")
    assert len(answer.json()["data"]) == 2
    assert api.edit([upload(png())], n="two").json()["error"]["code"] == "invalid_type"


def _sixteen_bit_png() -> bytes:
    return file_of(Image.new("I;16", (64, 64)))


UNDECODABLE = {
    "no image": (b"hello", "image/png"),
    "empty": (b"", "image/png"),
    "truncated": (png(900, 900)[:-400], "image/png"),
    "gif behind a png's type": (file_of(Image.new("RGB", (64, 64)), "GIF"), "image/png"),
    "cmyk": (file_of(Image.new("CMYK", (64, 64)), "JPEG"), "image/jpeg"),
    "16 bits": (_sixteen_bit_png(), "image/png"),
}


@pytest.mark.parametrize("case", UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_what_does_not_decode_or_has_an_odd_mode_is_refused(
    api: Api, case: tuple[bytes, str]
) -> None:
    data, kind = case
    code, text = message(api, data, kind=kind)
    assert code == "invalid_image_file"
    assert text == "Invalid image file or mode for image 1, please check your image file."


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
def test_the_usual_modes_are_accepted(api: Api, mode: str) -> None:
    assert api.edit([upload(png(mode=mode))]).status_code == 200


def mask_refusal(api: Api, mask: bytes, kind: str = "image/png") -> tuple[str, str]:
    """Return param and message of the refusal of a mask for a small image."""
    answer = api.edit([upload(png()), upload(mask, kind, "mask")])
    assert answer.status_code == 400
    error = answer.json()["error"]
    return error["param"], error["message"]


def test_a_mask_needs_alpha_and_the_first_images_size(api: Api) -> None:
    image = upload(png())
    assert api.edit([image, upload(png(mode="RGBA"), name="mask")]).status_code == 200
    wanted = "Invalid mask image format - mask image"
    assert mask_refusal(api, png()) == ("mask", f"{wanted} missing alpha channel")
    assert mask_refusal(api, b"hello") == ("mask", f"{wanted} could not be read")
    param, text = mask_refusal(api, png(32, 32, "RGBA"))
    assert (param, text.endswith("mask size does not match image size")) == ("mask", True)


def test_a_masks_type_and_weight_are_refused_by_its_own_name(api: Api) -> None:
    param, text = mask_refusal(api, png(mode="RGBA"), "image/gif")
    assert (param, "unsupported mimetype" in text) == ("mask", True)
    param, text = mask_refusal(api, png(mode="RGBA") + bytes(50 * 1024 * 1024))
    assert (param, "too large" in text) == ("mask", True)


@pytest.mark.parametrize("name", ["n", "size"])
def test_a_plain_name_stands_once_in_a_form(api: Api, name: str) -> None:
    twice: list[FormFile] = [(name, ("a", png(mode="RGBA"), "image/png"))] * 2
    error = api.edit([upload(png()), *twice]).json()["error"]
    assert (error["code"], error["param"]) == ("duplicate_parameter", name)
    assert f"e.g. '{name}[]=<value>'" in error["message"]


def test_a_form_that_breaks_off_is_refused(api: Api) -> None:
    def post(end: bytes) -> str:
        part = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\ngpt-image-2\r\n--x'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = api.http.post(f"{api.url}/images/edits", data=part + end, headers=headers)
        text: str = answer.json()["error"]["message"]
        return text

    assert post(b"--\r\n") == "Missing required parameter: 'prompt'."
    assert post(b"\r\n") == "Could not parse multipart form."


def test_an_edit_shows_what_it_was_given(api: Api) -> None:
    red = file_of(Image.new("RGB", (600, 600), (250, 0, 0)))
    data = api.edit([upload(red)], prompt="Frame it").json()["data"][0]["b64_json"]
    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    plain = Image.open(
        io.BytesIO(base64.b64decode(api.generate(prompt="Frame it").json()["data"][0]["b64_json"]))
    )
    assert _reds(picture) > 100_000
    assert _reds(plain.convert("RGB")) < 1_000


def _reds(image: Image.Image) -> int:
    colors = image.getcolors(maxcolors=2_000_000) or []
    return sum(count for count, color in colors if color == (250, 0, 0))
