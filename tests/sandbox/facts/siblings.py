"""The models beside gpt-image-2: qualities, formats, parameters, and what they cost."""

import base64
import io
from typing import Any

from PIL import Image

from tests.sandbox.conftest import Api, file_of, png, upload
from tests.sandbox.facts.fact import (
    GUIDE,
    IGU,
    IRE,
    OURS,
    REPORTS,
    SDK,
    Check,
    Fact,
    Grade,
    accepted,
    answer_has,
    edit_accepted,
    edit_refused,
    refused,
)  # fmt: skip

_FAL = "120 prices published by fal (30 sizes and qualities, 4 endpoints)"
_GIF = "docs.apiyi.com live note, 2026-11-09"
_2_5 = ("gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
_DATED = tuple(f"{name}-2026-09-08" for name in _2_5)
_2_6 = ("gpt-image-2.6-flare", "gpt-image-2.6-sunburst")
_OLD, _NEW = "gpt-image-2.5-flare", "gpt-image-2.6-sunburst"


def _costs(model: str, quality: str, count: int) -> Fact:
    check = answer_has(
        lambda answer: answer["usage"]["output_tokens"] == count,
        model=model, quality=quality, output_format="jpeg",
    )  # fmt: skip
    return Fact(f"{model} in {quality} costs {count} tokens for 1024x1024", "D", _FAL, check)


def _dearer(quality: str) -> Fact:
    def check(api: Api) -> None:
        old, new = (
            api.generate(model=model, quality=quality, output_format="jpeg").json()["usage"]
            for model in (_OLD, _NEW)
        )
        assert 3 <= new["output_tokens"] / old["output_tokens"] <= 4

    return Fact(f"2.6 in {quality} takes 3 to 4 times the tokens of 2.5", "R",
                "docs.laozhang.ai, 2026-11-05", check)  # fmt: skip


def _image(answer: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["data"][0]["b64_json"], validate=True)))


def _gif_has(frames: int, milliseconds: int, **fields: object) -> Check:
    def holds(answer: dict[str, Any]) -> bool:
        image = _image(answer)
        return (image.format, getattr(image, "n_frames", 1), image.info["duration"]) == (
            "GIF", frames, milliseconds)  # fmt: skip

    return answer_has(holds, model=_NEW, output_format="gif", size="960x960", **fields)


def _gif_size(size: str, frames: int, grade: Grade = "M") -> tuple[Fact, Fact]:
    edge = int(size)
    fields: dict[str, object] = {"model": _NEW, "output_format": "gif", "frame_count": frames}
    return (
        Fact(f"a gif of {frames} frames can have {edge}x{edge}", grade, _GIF,
             accepted(size=f"{edge}x{edge}", **fields)),
        Fact(f"a gif of {frames} frames cannot have {edge + 16}x{edge + 16}", grade, _GIF, refused(
            {"size": f"{edge + 16}x{edge + 16}", **fields},
            IGU, "invalid_value", "size", "Invalid size...")),
    )  # fmt: skip


def _not_with(output_format: str, name: str, value: object) -> Fact:
    fields = {"model": _NEW, "output_format": output_format, "size": "960x960", name: value}
    message = f"'{name}' is not supported for {output_format.upper()} output format"
    return Fact(f"{name} does not go with {output_format}", "D", SDK,
                refused(fields, IGU, "invalid_value", name, message))  # fmt: skip


def _unknown_to(model: str, name: str, value: object) -> Fact:
    return Fact(f"{name} is unknown to {model}", "D", SDK, refused(
        {"model": model, name: value}, IRE, "unknown_parameter", name,
        f"Unknown parameter: '{name}'."))  # fmt: skip


def _svg_usage(answer: dict[str, Any]) -> bool:
    usage = answer["svg_usage"]
    names = {"input_tokens", "model", "output_tokens", "reasoning_tokens", "total_tokens"}
    return set(usage) == names and usage["total_tokens"] == (
        usage["input_tokens"] + usage["output_tokens"]
    )


def _is_svg(answer: dict[str, Any]) -> bool:
    text = base64.b64decode(answer["data"][0]["b64_json"], validate=True).decode()
    return text.startswith("<svg ") and text.endswith("</svg>")


def _marks(size: tuple[int, int] = (64, 48), ground: int = 0) -> bytes:
    image = Image.new("RGBA", size, (0, 0, 0, ground))
    image.paste((255, 0, 0, 255), (4, 4, 20, 20))
    return file_of(image)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(Image.new("RGB", (64, 48)), "JPEG", exif=exif)


def _mask(alpha_left: int) -> bytes:
    image = Image.new("RGBA", (1024, 1024), (0, 0, 0, 255))
    image.paste((0, 0, 0, alpha_left), (0, 0, 512, 1024))
    return file_of(image)


def _changes_where_transparent(api: Api) -> None:
    before = Image.new("RGB", (1024, 1024), "teal")
    files = [upload(file_of(before)), upload(_mask(0), name="mask")]
    after = _image(api.edit(files).json()).convert("RGB")
    left, right = ((0, 0, 512, 1024), (512, 0, 1024, 1024))
    assert after.crop(right).getcolors() == before.crop(right).getcolors()
    assert after.crop(left).getcolors(1 << 20) != before.crop(left).getcolors()


_MARKUP = upload(_marks(), name="markup")
_IMAGE = upload(png())

FACTS = (
    *(Fact(f"{model} exists", "D", SDK, accepted(model=model))
      for model in (*_2_5, *_DATED, *_2_6)),
    *(Fact(f"there is no {name}", "D", SDK, refused(
        {"model": name}, IGU, "invalid_value", "model", f"The model '{name}' does not exist."))
      for name in ("gpt-image-2.5", "gpt-image-2.6", "gpt-image-2.6-flare-2026-11-05")),
    *(Fact(f"{model} has the quality {quality}", "D", SDK, accepted(model=model, quality=quality))
      for model in (_OLD, _NEW) for quality in ("xhigh", "max", "auto")),
    *(_costs(_OLD, quality, count) for quality, count in (
        ("low", 196), ("medium", 439), ("high", 1756), ("xhigh", 3122), ("max", 7024))),
    *(_costs(_NEW, quality, count) for quality, count in (
        ("high", 1756), ("xhigh", 3122), ("max", 7024))),
    _dearer("low"),
    _dearer("medium"),
    Fact("2.5 refuses input_fidelity on edits", "R", REPORTS, edit_refused(
        [_IMAGE], IGU, "invalid_input_fidelity_model", "input_fidelity",
        f"The model '{_OLD}' does not support the 'input_fidelity' parameter.",
        model=_OLD, input_fidelity="high")),
    *(Fact(f"2.6 takes complexity {level}", "D", SDK, accepted(model=_NEW, complexity=level))
      for level in ("low", "medium", "high")),
    Fact("complexity costs nothing", "R", REPORTS, answer_has(
        lambda answer: answer["usage"]["output_tokens"] == 1756,
        model=_NEW, quality="high", complexity="high")),
    *(_unknown_to(_OLD, name, value) for name, value in (
        ("complexity", "low"), ("frame_count", 4), ("svg", {}))),
    *(Fact(f"2.5 does not draw {kind}", "D", SDK, refused(
        {"model": _OLD, "output_format": kind}, IRE, "invalid_value", "output_format",
        f"Invalid value: '{kind}'. Supported values are: 'png', 'webp', and 'jpeg'."))
      for kind in ("gif", "svg")),
    Fact("a gif has 9 frames of 200 ms", "D", SDK, _gif_has(9, 200)),
    Fact("frame_count and frame_duration_ms change that", "D", SDK, _gif_has(
        4, 120, frame_count=4, frame_duration_ms=120)),
    Fact("frame_duration_ms is rounded to 10", "D", SDK, _gif_has(
        2, 130, frame_count=2, frame_duration_ms=126)),
    *_gif_size("960", 9),
    *_gif_size("816", 12),
    *_gif_size("720", 16),
    *(Fact(f"frame_count {count} is out of bounds", "D", SDK, refused(
        {"model": _NEW, "output_format": "gif", "frame_count": count}, IRE,
        f"integer_{what}_value", "frame_count", "Invalid 'frame_count': integer..."))
      for count, what in ((1, "below_min"), (17, "above_max"))),
    Fact("frame_count is for gif alone", "D", SDK, refused(
        {"model": _NEW, "frame_count": 4}, IGU, "invalid_value", "frame_count",
        "'frame_count' is only supported with output_format 'gif'.")),
    *(_not_with(kind, "stream", True) for kind in ("gif", "svg")),
    *(_not_with(kind, "output_compression", 50) for kind in ("gif", "svg")),
    _not_with("svg", "n", 2),
    Fact("a gif takes no mask", "D", SDK, edit_refused(
        [_IMAGE, upload(png(mode="RGBA"), name="mask")], IGU, "invalid_value", "mask",
        "'mask' is not supported for GIF output format", model=_NEW, output_format="gif",
        size="960x960")),
    Fact("an svg comes as base64 of its text", "A", OURS, answer_has(
        _is_svg, model=_NEW, output_format="svg")),
    Fact("an answer with an svg has svg_usage", "D", SDK, answer_has(
        _svg_usage, model=_NEW, output_format="svg")),
    *(Fact(f"{model} takes a markup", "D", SDK, edit_accepted(_IMAGE, _MARKUP, model=model))
      for model in (_OLD, _NEW)),
    Fact("gpt-image-2 knows no markup", "D", SDK, edit_refused(
        [_IMAGE, _MARKUP], IRE, "unknown_parameter", "markup", "Unknown parameter: 'markup'.")),
    Fact("a markup is as large as the first image turned upright", "D", SDK, edit_accepted(
        upload(_turned(), "image/jpeg"), upload(_marks((48, 64)), name="markup"), model=_OLD)),
    Fact("a markup of another size is refused", "D", SDK, edit_refused(
        [_IMAGE, upload(_marks((48, 64)), name="markup")], IGU, "invalid_markup_image", "markup",
        "Invalid markup image...", model=_OLD)),
    Fact("a markup without transparent pixels is refused", "D", SDK, edit_refused(
        [_IMAGE, upload(_marks(ground=255), name="markup")], IGU, "invalid_markup_image",
        "markup", "Invalid markup image...", model=_OLD)),
    Fact("a markup does not go with a mask", "D", SDK, edit_refused(
        [_IMAGE, _MARKUP, upload(png(mode="RGBA"), name="mask")], IGU, "invalid_value", "markup",
        "'markup' cannot be combined with 'mask'.", model=_OLD)),
    Fact("a transparent part of a mask is where the picture changes", "D", GUIDE,
         _changes_where_transparent),
)  # fmt: skip
