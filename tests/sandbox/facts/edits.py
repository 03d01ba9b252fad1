"""Edits: the parts of a form, references in JSON, masks, and what input images cost."""

import base64

from PIL import Image

from tests.sandbox.conftest import MODEL, Api, FormFile, file_of, png, upload
from tests.sandbox.facts.fact import (
    GUIDE,
    IGU,
    IRE,
    LIVE,
    OURS,
    P2,
    SPEC,
    Fact,
    Grade,
    edit_accepted,
    edit_refused,
    is_error,
    json_edit_accepted,
    json_edit_refused,
    post_edit,
)  # fmt: skip
from tests.support.loopback import file_server

_RUBY = "live contract check in openai-ruby PR 311, July 2026"
_TABLE = "live table in the API documents of Sociafy"
_VISION = "OpenAI's vision guide"
_BAD_MASK = "invalid_mask_image_format"
_MASK = "Invalid mask image format - mask"

_IMAGE = upload(png())
_BARE = upload(png(), name="image")
_GOOD_MASK = upload(png(mode="RGBA"), name="mask")
_DATA_URL = {"image_url": "data:image/png;base64," + base64.b64encode(png()).decode()}
_MASK_URL = {"image_url": "data:image/png;base64," + base64.b64encode(png(mode="RGBA")).decode()}


def _twice(name: str, grade: Grade, source: str) -> Fact:
    parts = [upload(png(mode="RGBA"), name=name)] * 2
    message = (
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas "
        "only one is allowed. If you are trying to provide a list of values, use the array syntax "
        f"instead e.g. '{name}[]=<value>'."
    )
    files = parts if name == "image" else [_IMAGE, *parts]
    check = edit_refused(files, IRE, "duplicate_parameter", name, message)
    return Fact(f"two form parts called {name} are refused", grade, source, check)


def _mimetype(data: bytes, kind: str, grade: Grade, source: str) -> Fact:
    check = edit_refused(
        [upload(data, kind)], IRE, "unsupported_file_mimetype", "image",
        f"Invalid file 'image[0]': unsupported mimetype ('{kind}'). "
        "Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.",
    )  # fmt: skip
    return Fact(f"an image sent as {kind} is refused", grade, source, check)


def _undecodable(what: str, data: bytes, kind: str, grade: Grade, source: str) -> Fact:
    check = edit_refused(
        [upload(data, kind)], IRE, "invalid_image_file", "image",
        "Invalid image file or mode for image 1, please check your image file.",
    )  # fmt: skip
    return Fact(f"{what} is refused", grade, source, check)


def _format(kind: str) -> Fact:
    data = file_of(Image.new("RGB", (64, 64)), kind)
    check = edit_accepted(upload(data, f"image/{kind.lower()}"))
    return Fact(f"a {kind.lower()} is an input image", "D", SPEC, check)


def _image_tokens(width: int, height: int, count: int, grade: Grade, source: str) -> Fact:
    def check(api: Api) -> None:
        usage = api.edit([upload(png(width, height))]).json()["usage"]
        assert usage["input_tokens_details"]["image_tokens"] == count

    return Fact(f"an input of {width}x{height} costs {count} tokens", grade, source, check)


def _fetches(api: Api) -> None:
    with file_server({"/picture": png()}) as url:
        assert post_edit(api, [{"image_url": f"{url}/picture"}]).ok


def _cannot_fetch(api: Api) -> None:
    with file_server({}) as url:
        address = f"{url}/missing"
        answer = post_edit(api, [{"image_url": address}])
    message = f"Error while downloading {address}."
    is_error(answer, 400, IRE, "invalid_image_url", None, message)


def _images_before_n(api: Api) -> None:
    bad: FormFile = upload(b"no image", "application/octet-stream")
    assert api.edit([bad], prompt="", n="11").json()["error"]["param"] == "prompt"
    assert api.edit([bad], n="11").json()["error"]["param"] == "image"
    assert api.edit([_IMAGE], n="11").json()["error"]["param"] == "n"


def _variations_are_gone(api: Api) -> None:
    form = {"model": MODEL}
    assert api.http.post(f"{api.url}/images/variations", json=form, timeout=60).status_code == 404


FACTS = (
    Fact("one part called image is accepted", "M", _RUBY, edit_accepted(_BARE)),
    Fact("one part called image[] is accepted", "M", _RUBY, edit_accepted(_IMAGE)),
    Fact("sixteen parts called image[] are accepted", "D", SPEC, edit_accepted(*[_IMAGE] * 16)),
    Fact("seventeen images are refused", "D", SPEC, edit_refused(
        [_IMAGE] * 17, IRE, "array_above_max_length", "image", "Invalid 'image'...")),
    Fact("the sentence about seventeen images", "A", OURS, edit_refused(
        [_IMAGE] * 17, IRE, "array_above_max_length", "image",
        "Invalid 'image': array too long. Expected an array with maximum length 16, but got an "
        "array with length 17 instead.")),
    _twice("image", "M", _RUBY),
    _twice("mask", "A", "as for image"),
    _twice("prompt", "A", "as for image"),
    Fact("a part called images gets a hint", "M", P2, edit_refused(
        [upload(png(), name="images")], IRE, "invalid_value", "images",
        "Unknown parameter: 'images'. For multipart/form-data use 'image' or 'image[]'.")),
    Fact("an edit needs an image", "D", SPEC, edit_refused(
        [], IRE, "missing_required_parameter", "image", "Missing required parameter: 'image'.")),
    Fact("images are checked after the prompt and before n", "M", P2, _images_before_n),
    Fact("numbers are text in a form", "M", "the openai SDK 3.52, run against a server",
         edit_accepted(n="2", output_compression="100")),
    Fact("n 11 is refused in a form too", "A", "as for generations", edit_refused(
        [_IMAGE], IRE, "integer_above_max_value", "n",
        "Invalid 'n': integer above maximum value. Expected a value <= 10, but got 11 instead.",
        n="11")),
    Fact("moderation is accepted in a form", "R", "openclaw PR 94156, vercel/ai PR 20745",
         edit_accepted(moderation="low")),
    Fact("stream=false is accepted in a form", "D", SPEC, edit_accepted(stream="false")),
    Fact("a transparent edit is accepted", "M", "live, 2026-08-22",
         edit_accepted(background="transparent", size="1024x1536")),
    Fact("input_fidelity is refused on edits", "M", LIVE, edit_refused(
        [_IMAGE], IGU, "invalid_input_fidelity_model", "input_fidelity",
        "The model 'gpt-image-2' does not support the 'input_fidelity' parameter.",
        input_fidelity="high")),
    Fact("response_format is unknown to edits", "M", P2, edit_refused(
        [_IMAGE], IRE, "unknown_parameter", "response_format",
        "Unknown parameter: 'response_format'.", response_format="url")),
    *map(_format, ("PNG", "JPEG", "WEBP")),
    _mimetype(png(), "application/octet-stream", "M", LIVE),
    _mimetype(file_of(Image.new("RGB", (64, 64)), "GIF"), "image/gif", "D", SPEC),
    _undecodable("a file that is no image", b"hello", "image/png", "M", LIVE),
    _undecodable("a CMYK image", file_of(Image.new("CMYK", (64, 64)), "JPEG"), "image/jpeg",
                 "R", "reports of 2026"),
    _undecodable("a 16-bit image", file_of(Image.new("I;16", (64, 64))), "image/png",
                 "R", "reports of 2026"),
    Fact("an image of 50 MB is refused", "D", SPEC, edit_refused(
        [upload(png() + bytes(50 * 1024 * 1024))], IRE, "invalid_value", "image",
        "Invalid file 'image[0]': ...")),
    Fact("a mask is a PNG with alpha", "D", SPEC, edit_accepted(_IMAGE, _GOOD_MASK)),
    Fact("a mask is as large as the first image, whatever the others are", "D", GUIDE,
         edit_accepted(_IMAGE, upload(png(32, 32)), _GOOD_MASK)),
    Fact("a mask of another size is refused", "R", LIVE, edit_refused(
        [_IMAGE, upload(png(32, 32, "RGBA"), name="mask")], IGU, _BAD_MASK, "mask",
        f"{_MASK} size does not match image size")),
    Fact("a mask without alpha is refused", "R", LIVE, edit_refused(
        [_IMAGE, upload(png(), name="mask")], IGU, _BAD_MASK, "mask",
        f"{_MASK} image missing alpha channel")),
    Fact("JSON edits take data URLs", "D", SPEC, json_edit_accepted([_DATA_URL])),
    Fact("JSON edits take a mask", "D", SPEC, json_edit_accepted([_DATA_URL], mask=_MASK_URL)),
    Fact("JSON edits take moderation", "D", SPEC,
         json_edit_accepted([_DATA_URL], moderation="low")),
    Fact("JSON edits fetch an address", "D", SPEC, _fetches),
    Fact("an address that cannot be fetched is refused", "R", "other endpoints", _cannot_fetch),
    Fact("a reference has image_url or file_id, not both", "D", SPEC, json_edit_refused(
        [{**_DATA_URL, "file_id": "file-1"}], "invalid_value", "images[0]",
        "Invalid 'images[0]': ...")),
    Fact("a reference has one of them", "D", SPEC, json_edit_refused(
        [{}], "missing_required_parameter", "images[0].image_url",
        "Missing required parameter: ...")),
    Fact("a reference has no other key", "D", SPEC, json_edit_refused(
        [{**_DATA_URL, "detail": "low"}], "unknown_parameter", "images[0].detail",
        "Unknown parameter: 'images[0].detail'.")),
    Fact("a file that was never uploaded is refused", "R", "the Files API", json_edit_refused(
        [{"file_id": "file-1"}], None, "images[0].file_id", "No such File object: file-1")),
    Fact("JSON edits take sixteen images", "D", SPEC, json_edit_accepted([_DATA_URL] * 16)),
    Fact("JSON edits refuse seventeen images", "D", SPEC, json_edit_refused(
        [_DATA_URL] * 17, "array_above_max_length", "images", "Invalid 'images'...")),
    Fact("JSON edits need one image", "D", SPEC, json_edit_refused(
        [], "empty_array", "images", "Invalid 'images': empty array...")),
    Fact("an image_url has at most 20,971,520 characters", "D", SPEC, json_edit_refused(
        [{"image_url": "data:," + "x" * 20_971_520}], "string_above_max_length",
        "images[0].image_url", "Invalid 'images[0].image_url': string too long...")),
    Fact("variations are gone", "M", P2, _variations_are_gone),
    _image_tokens(512, 512, 1024, "M", _TABLE),
    _image_tokens(1024, 1024, 1024, "M", _TABLE),
    _image_tokens(2048, 2048, 1521, "M", _TABLE),
    _image_tokens(4000, 4000, 1521, "M", _TABLE),
    _image_tokens(1800, 2400, 1452, "D", _VISION),
    _image_tokens(1024, 768, 1024, "A", "the least count of the live table"),
    _image_tokens(1024, 1536, 1521, "A", "the largest count of the live table"),
)  # fmt: skip
