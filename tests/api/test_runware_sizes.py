"""Every size that Runware's clients may ask for, and what the model is asked to draw for it."""

from typing import Any

import pytest

from api.dialects.runware.drawing import Drawing
from api.dialects.runware.problems import TaskError
from api.dialects.runware.request import Inference
from api.dialects.runware.sizes import LONGEST, STEP, is_legal, nearest_legal

EDGES = range(STEP, LONGEST + 1, STEP)
ANY_SIZE: dict[str, dict[str, Any]] = {"size": {"type": "string"}, "model": {}}
NAMED: dict[str, dict[str, Any]] = {
    "aspect_ratio": {
        "enum": ["1:1", "3:2", "16:9", "9:16", "auto", "1024x1024", "1536x1024", "2048x2048"]
    }
}


def drawing(
    size: tuple[int, int] | None, properties: dict[str, dict[str, Any]], *, scales: bool = True
) -> Drawing:
    return Drawing.of(asked(size), properties, scales=scales)


def asked(size: tuple[int, int] | None, **more: Any) -> Inference:
    sized = {"width": size[0], "height": size[1]} if size else {}
    task = {
        "taskUUID": "0d2c3c1e-6a55-4b0e-8a90-63a5b3f60f01",
        "model": "openai:gpt-image@2",
        "positivePrompt": "A fox",
    }
    return Inference.of(task | sized | more, longest_ttl=3600)


def test_every_size_leads_to_a_legal_one_of_nearly_the_same_shape() -> None:
    for width in EDGES:
        for height in EDGES:
            legal = nearest_legal((width, height))
            assert is_legal(legal), (width, height)
            assert not legal[0] % STEP
            assert not legal[1] % STEP
            assert max(legal) <= LONGEST
            if max(width, height) <= 3 * min(width, height):
                assert abs(legal[0] * height / (legal[1] * width) - 1) < 0.035, (width, height)


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ((1024, 1024), (1024, 1024)),
        ((512, 512), (816, 816)),
        ((1920, 1088), (1920, 1088)),
        ((3840, 3840), (2880, 2880)),
        ((3840, 16), (3840, 1280)),
        ((16, 16), (816, 816)),
    ],
)
def test_a_legal_size_stays_and_another_becomes_the_nearest(
    size: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert nearest_legal(size) == drawn
    found = drawing(size, ANY_SIZE)
    assert found.size == {"size": f"{drawn[0]}x{drawn[1]}"}
    assert found.scales is (size != drawn)


@pytest.mark.parametrize(
    ("size", "name", "scales"),
    [
        ((1536, 1024), "1536x1024", False),
        ((1536, 864), "16:9", False),
        ((512, 512), "1024x1024", True),
        ((1920, 1920), "2048x2048", True),
        ((1280, 720), "16:9", True),
        ((720, 1280), "9:16", True),
    ],
)
def test_without_free_sizes_the_most_alike_ratio_is_drawn(
    size: tuple[int, int], name: str, scales: bool
) -> None:
    found = drawing(size, NAMED)
    assert found.size == {"aspect_ratio": name}
    assert found.scales is scales


def test_no_size_leaves_it_to_the_model() -> None:
    assert drawing(None, ANY_SIZE).size == {"size": "auto"}
    assert drawing(None, NAMED).size == {"aspect_ratio": "auto"}


@pytest.mark.parametrize("properties", [ANY_SIZE, NAMED], ids=["any size", "named sizes"])
def test_where_scaling_is_off_the_nearest_size_is_named(
    properties: dict[str, dict[str, Any]],
) -> None:
    drawing((1024, 1024), properties, scales=False)
    with pytest.raises(TaskError, match=r"512x512.*; (816x816|1024x1024) is the nearest"):
        drawing((512, 512), properties, scales=False)


def test_what_is_scaled_is_drawn_without_loss() -> None:
    jpg = asked((512, 512), outputFormat="JPG", outputQuality=50)
    scaled = Drawing.of(jpg, ANY_SIZE, scales=True).input(jpg, ANY_SIZE, [], 3)
    assert scaled["output_format"] == "png"
    assert "output_compression" not in scaled
    assert scaled["model"] == "gpt-image-2"
    assert scaled["number_of_images"] == 3

    plain = asked((1024, 1024), outputFormat="JPG", outputQuality=50)
    drawn = Drawing.of(plain, NAMED, scales=True).input(plain, NAMED, ["https://a.example"], 1)
    assert drawn["output_format"] == "jpeg"
    assert drawn["output_compression"] == 50
    assert drawn["input_images"] == ["https://a.example"]
    assert "model" not in drawn


WRONG = {
    "no UUID": {"taskUUID": "x"},
    "a UUID of version 1": {"taskUUID": "5d8f2f70-c6f1-11f0-8de9-0242ac120002"},
    "another model": {"model": "runware:100@1"},
    "a short prompt": {"positivePrompt": "A"},
    "half a size": {"width": 1024},
    "a size that is true": {"width": True, "height": True},
    "an odd size": {"width": 17, "height": 16},
    "too many": {"numberResults": 21},
    "none": {"numberResults": 0},
    "17 references": {"inputs": {"referenceImages": ["x"] * 17}},
    "no references": {"inputs": {"referenceImages": []}},
    "a reference that is a number": {"inputs": {"referenceImages": [1]}},
    "an output type that there is not": {"outputType": "FILE"},
    "TIFF": {"outputFormat": "TIFF"},
    "too good": {"outputQuality": 100},
    "a delivery that there is not": {"deliveryMethod": "stream"},
    "an address that is none": {"webhookURL": "ftp://a.example"},
    "a place that is none": {"uploadEndpoint": "here"},
    "a short ttl": {"ttl": 59},
    "a ttl beyond what is kept": {"ttl": 3601},
    "a ttl of what has no address": {"ttl": 60, "outputType": "dataURI"},
    "a quality that there is not": {"providerSettings": {"openai": {"quality": "best"}}},
    "the same, in the newer place": {"settings": {"quality": "best"}},
    "a cost that is no flag": {"includeCost": "yes"},
    "a mask": {"maskImage": "x"},
    "a first picture": {"seedImage": "x"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_the_model_cannot_draw_is_refused_with_its_parameter(wrong: dict[str, Any]) -> None:
    with pytest.raises(TaskError) as refused:
        asked(None, **wrong)
    assert refused.value.parameter
    assert refused.value.message.endswith(".")
