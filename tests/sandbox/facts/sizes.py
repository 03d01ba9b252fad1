"""Sizes of pictures, and the output tokens that each costs."""

from tests.sandbox.conftest import Api
from tests.sandbox.facts.fact import (
    GUIDE,
    IGU,
    OURS,
    P1,
    P2,
    SIZES,
    Fact,
    Grade,
    answer_has,
    refused,
)  # fmt: skip

_GRID = "Width and height must both be divisible by 16."
_EDGE = "The longest edge must be less than or equal to 3840."
_SMALL = "Requested resolution is below the current minimum pixel budget."
_SHAPE = "Expected WIDTHxHEIGHT, for example '1824x1024'."
_LARGE = "Requested resolution exceeds the current pixel budget."


def _accepted(size: str, grade: Grade, source: str) -> Fact:
    check = answer_has(lambda answer: answer["size"] == size, size=size, output_format="jpeg")
    return Fact(f"size {size} is accepted", grade, source, check)


def _refused(size: str, grade: Grade, source: str, reason: str) -> Fact:
    message = f"Invalid size '{size}'. {reason}"
    check = refused({"size": size}, IGU, "invalid_value", "size", message)
    return Fact(f"size {size} is refused: {reason}", grade, source, check)


def _tokens(size: str, quality: str, count: int, grade: Grade, source: str) -> Fact:
    def check(api: Api) -> None:
        usage = api.generate(size=size, quality=quality, output_format="jpeg").json()["usage"]
        assert usage["output_tokens"] == count

    return Fact(f"{size} in {quality} costs {count} output tokens", grade, source, check)


FACTS = (
    *(_accepted(size, "D", GUIDE) for size in (
        "1024x1024", "1536x1024", "1024x1536", "2048x2048", "2048x1152", "2160x3840")),
    _accepted("3840x2160", "M", P1),
    _accepted("816x816", "M", P1),
    *(_accepted(size, "M", SIZES) for size in ("1152x640", "896x896", "1280x720", "1920x1088")),
    _accepted("1024x640", "D", f"{GUIDE}: 655,360 pixels are the fewest"),
    _accepted("1728x576", "D", f"{GUIDE}: 3:1 is the longest ratio"),
    _accepted("2560x1440", "D", f"{GUIDE}: above this, sizes are experimental"),
    *(_refused(size, "M", SIZES, _SMALL) for size in ("768x768", "1024x576", "832x480")),
    _refused("800x800", "M", P1, _SMALL),
    _refused("3008x3008", "M", P1, _LARGE),
    _refused("1500x1500", "M", P1, _GRID),
    _refused("1792x936", "M", P1, _GRID),
    _refused("2488x3320", "R", "a bug report; the rule of 16 explains it", _GRID),
    _refused("3856x1600", "M", P1, _EDGE),
    Fact("a ratio over 3:1 is refused", "D", GUIDE, refused(
        {"size": "3200x1056"}, IGU, "invalid_value", "size", "Invalid size '3200x1056'...")),
    Fact("the sentence about 3:1", "A", OURS, refused(
        {"size": "3200x1056"}, IGU, "invalid_value", "size", "Invalid size '3200x1056'. "
        "The ratio of the longest to the shortest edge must not exceed 3:1.")),
    _refused("bogus", "M", P2, _SHAPE),
    *(_refused(size, "A", "as for 'bogus'", _SHAPE) for size in ("1024", "1024 x 1024")),
    _tokens("1024x1024", "low", 196, "M", P1),
    _tokens("1024x1024", "medium", 1756, "M", P1),
    _tokens("1024x1024", "high", 7024, "M", P1),
    _tokens("1536x1024", "low", 158, "D", f"{GUIDE}, price table"),
    _tokens("1536x1024", "medium", 1372, "D", f"{GUIDE}, price table"),
    _tokens("1536x1024", "high", 5488, "D", f"{GUIDE}, price table"),
    _tokens("1024x1536", "medium", 1372, "D", f"{GUIDE}, price table"),
    _tokens("768x1024", "low", 134, "M", P1),
    _tokens("896x896", "low", 180, "M", P1),
    _tokens("960x960", "low", 187, "M", P1),
    _tokens("2048x2048", "low", 397, "M", P1),
    _tokens("3840x2160", "low", 371, "M", P1),
    _tokens("2160x3840", "low", 371, "M", P1),
    _tokens("3072x2160", "low", 380, "M", P1),
)  # fmt: skip
