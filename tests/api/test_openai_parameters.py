"""OpenAI's parameters by the schema that the Cog server shows: the exact one or an extended one."""

from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from api.database.sqlite import Sqlite
from api.dialects.openai.caller import own_key
from api.dialects.openai.names import names
from api.dialects.openai.parameters import understood
from api.dialects.openai.refusals import BadParameter
from api.input_check import InputSchema
from api.models import Model, Version

SIZES = ["1:1", "3:2", "auto", "1024x1024", "1536x1024"]
EXACT: dict[str, Any] = {
    "prompt": {"type": "string"},
    "aspect_ratio": {"type": "string", "enum": SIZES},
}
CHOICES = ["gpt-image-2", "gpt-image-2.5-flare"]
EXTENDED = EXACT | {
    "model": {"type": "string", "nullable": True, "enum": CHOICES},
    "size": {"type": "string", "nullable": True},
    "mask": {"type": "string", "format": "uri", "nullable": True},
    "complexity": {"type": "string", "nullable": True},
}
ASKED = {"model": "gpt-image-2", "prompt": "A fox"}


class Served(Model):
    """A model whose Cog server has described it so."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        super().__init__("openai/gpt-image-2", Sqlite(Path("unused")))
        document = {"components": {"schemas": {"Input": {"properties": inputs}}}}
        self._version = Version("0" * 64, 0.0, "0.23.1", document, InputSchema(document))


def inputs(served: Model, *, is_edit: bool = False, **asked: object) -> dict[str, Any]:
    return understood(ASKED | asked, served, is_edit=is_edit)[0]


def test_the_exact_model_gets_its_sizes_as_aspect_ratio() -> None:
    exact = Served(EXACT)

    assert inputs(exact)["aspect_ratio"] == "auto"
    assert inputs(exact, size="1536x1024")["aspect_ratio"] == "1536x1024"
    with pytest.raises(BadParameter, match=r"auto, 1024x1024, 1536x1024.* extended model"):
        inputs(exact, size="1920x1088")
    with pytest.raises(BadParameter):
        inputs(exact, size="1:1")


def test_the_extended_model_gets_any_size_a_mask_and_its_choice() -> None:
    extended = Served(EXTENDED)
    asked: dict[str, Any] = {"size": "1920x1088", "complexity": "low"}

    drawn = inputs(extended, model="openai/gpt-image-2.5-flare", **asked)
    edited = inputs(extended, is_edit=True, image=["https://a/b"], mask="https://a/m")

    assert {name: drawn[name] for name in asked} == asked
    assert drawn["model"] == "gpt-image-2.5-flare"
    assert drawn["quality"] == "medium"  # AI/ML API's default
    assert edited["mask"] == "https://a/m"
    assert edited["size"] == "auto"
    assert "aspect_ratio" not in drawn | edited
    assert names(extended) == CHOICES


@pytest.mark.parametrize("name", ["mask", "markup", "complexity", "svg"])
def test_the_exact_model_refuses_what_would_change_the_picture(name: str) -> None:
    with pytest.raises(BadParameter) as refused:
        inputs(Served(EXACT), is_edit=True, image=["https://a/b"], **{name: "x"})
    assert refused.value.param == name


@pytest.mark.parametrize(
    ("model", "asked", "is_edit", "told"),
    [
        ("gpt-image-2", None, False, (True, True)),
        ("gpt-image-2", None, True, (True, True)),
        ("openai/gpt-image-2", None, False, (True, False)),
        ("openai/gpt-image-2", None, True, (True, True)),
        ("openai/gpt-image-2", "b64_json", False, (False, True)),
        ("gpt-image-2", "url", True, (True, False)),
    ],
)
def test_an_answer_has_addresses_base64_or_both(
    model: str, asked: str | None, is_edit: bool, told: tuple[bool, bool]
) -> None:
    given = ASKED | {"model": model, "response_format": asked, "image": ["x"] if is_edit else None}
    _, reply = understood(given, Served(EXACT), is_edit=is_edit)
    assert (reply.url, reply.base64) == told


def test_compression_of_a_png_is_refused_for_openai_and_nothing_for_aiml() -> None:
    with pytest.raises(BadParameter):
        inputs(Served(EXACT), output_compression=50)
    aimls = inputs(Served(EXACT), model="openai/gpt-image-2", output_compression=50)
    assert aimls["output_compression"] == 100
    assert (
        inputs(Served(EXACT), output_format="jpeg", output_compression=50)["output_compression"]
        == 50
    )


def test_a_callers_key_is_refused_where_somebody_else_would_pay() -> None:
    headers = Headers({"X-OpenAI-Api-Key": "sk-of-the-caller"})
    taking = Served(EXACT | {"openai_api_key": {"type": "string"}})

    assert own_key(headers, taking) == {"openai_api_key": "sk-of-the-caller"}
    assert own_key(Headers({}), Served(EXACT)) == {}
    with pytest.raises(BadParameter):
        own_key(headers, Served(EXACT))
