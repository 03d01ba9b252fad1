"""Each model draws what it can; what it cannot is refused before anything is asked of the upstream.

What each can is written here once more, from the documents, so that the table is held against it.
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from dev.servers import EXACT, EXTENDED, predictor_server, sandbox_server
from gpt_image.models.sizes import Free, Listed, Size
from gpt_image.models.table import MODELS, OFFERED
from tests.support.cog_client import Cog, Prediction
from tests.support.sandbox_client import Sandbox

TO_HIGH = {"low", "medium", "high", "auto"}
TO_MAX = {*TO_HIGH, "xhigh", "max"}
STILL = {"png", "jpeg", "webp"}
CAN = {
    "gpt-image-2": (TO_HIGH, STILL),
    "gpt-image-2-2026-04-21": (TO_HIGH, STILL),
    "gpt-image-2.5-flare": (TO_MAX, STILL),
    "gpt-image-2.5-flare-2026-09-08": (TO_MAX, STILL),
    "gpt-image-2.5-sunburst": (TO_MAX, STILL),
    "gpt-image-2.5-sunburst-2026-09-08": (TO_MAX, STILL),
    "gpt-image-2.6-flare": (TO_MAX, {*STILL, "gif", "svg"}),
    "gpt-image-2.6-sunburst": (TO_MAX, {*STILL, "gif", "svg"}),
}
LEGAL, ILLEGAL = "1024x640", "1024x632"


class Case(NamedTuple):
    """One prediction."""

    model: str
    quality: str
    output_format: str
    size: str

    @property
    def is_legal(self) -> bool:
        qualities, formats = CAN[self.model]
        return self.quality in qualities and self.output_format in formats and self.size == LEGAL


def cases() -> Iterator[Case]:
    """All of them, but for the dated names, which share their models' rows."""
    for model in CAN:
        is_dated = model[-3] == "-"
        qualities = ["low", "max"] if is_dated else sorted(TO_MAX)
        formats = ["webp", "gif"] if is_dated else [*sorted(STILL), "gif", "svg"]
        for case in itertools.product(qualities, formats, [LEGAL, ILLEGAL]):
            yield Case(model, *case)


CASES = list(cases())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_server(SANDBOX_RECORD="true", SANDBOX_PRERENDERED="true") as server:
        yield Sandbox(server.root)


@pytest.fixture(scope="module")
def extended(sandbox: Sandbox) -> Iterator[Cog]:
    with predictor_server(contract=EXTENDED, OPENAI_PROXY_URL=f"{sandbox.root}/v1") as server:
        yield Cog(server.url)


@pytest.fixture(scope="module")
def made(extended: Cog) -> dict[Case, Prediction]:
    def predicted(case: Case) -> Prediction:
        return extended.predict(**case._asdict())

    with ThreadPoolExecutor(16) as pool:
        return dict(zip(CASES, pool.map(predicted, CASES), strict=True))


@pytest.mark.long
@pytest.mark.parametrize("model", CAN)
def test_a_model_draws_all_that_it_can_and_nothing_else(
    made: dict[Case, Prediction], model: str
) -> None:
    wrong = [
        case
        for case, prediction in made.items()
        if case.model == model and (prediction.status == "succeeded") != case.is_legal
    ]
    assert not wrong


@pytest.mark.long
def test_what_is_drawn_is_what_was_asked_for(made: dict[Case, Prediction]) -> None:
    for case in filter(lambda case: case.is_legal, CASES):
        prediction = made[case]
        (media_type,) = prediction.media_types
        assert media_type.removeprefix("image/").removesuffix("+xml") == case.output_format
        assert f"Model check completed. Model: {case.model}" in prediction.logs
        if case.output_format != "svg":
            assert prediction.image.size == (1024, 640)
        else:
            assert b'width="1024" height="640"' in prediction.files[0]
        assert prediction.metrics["cost_usd"] > 0


@pytest.mark.long
def test_what_is_refused_names_what_would_do_and_never_reaches_the_upstream(
    made: dict[Case, Prediction], sandbox: Sandbox
) -> None:
    for case in itertools.filterfalse(lambda case: case.is_legal, CASES):
        assert made[case].error.startswith("InvalidInput: ")
        qualities, formats = CAN[case.model]
        if case.quality not in qualities:
            assert "high or lower" in made[case].error
            assert "gpt-image-2.5-flare" in made[case].error
        elif case.output_format not in formats:
            assert "set output_format to png, jpeg or webp" in made[case].error
        else:
            assert "1024x632 is not divisible by 16; 1024x640 is the nearest" in made[case].error
    legal = sum(case.is_legal for case in CASES)
    # One more may have gone out where Cog was asked again.
    asked = [entry for entry in sandbox.ledger if entry["size"]]
    assert [entry["status"] for entry in asked] == [200] * len(asked)
    assert {entry["size"] for entry in asked} == {LEGAL}
    assert len(asked) >= legal


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"complexity": "low"}, "gpt-image-2 takes no complexity; leave it out, or choose"),
        (
            {"model": "gpt-image-2.5-flare", "complexity": "low"},
            "or choose the model gpt-image-2.6-flare or gpt-image-2.6-sunburst.",
        ),
        (
            {"model": "gpt-image-2.6-flare", "output_format": "gif", "size": "1024x1024"},
            "1024x1024 has more than 921,600 pixels; 960x960 is the nearest size that "
            "gpt-image-2.6-flare draws as gif.",
        ),
        (
            {"model": "gpt-image-2.6-flare", "output_format": "svg", "number_of_images": 2},
            "Only one svg is drawn at a time; set number_of_images to 1.",
        ),
        ({"size": "large"}, "The size cannot be read; write it as WIDTHxHEIGHT"),
        ({"size": "3840x3840"}, "3840x3840 has more than 8,294,400 pixels; 2880x2880 is"),
        ({"size": "512x512"}, "512x512 has fewer than 655,360 pixels; 816x816 is the nearest"),
        ({"size": "4096x2048"}, "4096x2048 has an edge over 3840; 3840x1920 is the nearest"),
        ({"size": "3200x800"}, "3200x800 is longer than 3:1; 2768x928 is the nearest"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_a_combination_that_cannot_be_drawn_is_refused_with_what_can(
    extended: Cog, inputs: dict[str, object], says: str
) -> None:
    assert says in extended.predict(**inputs).error


def test_a_size_wins_over_the_aspect_ratio(extended: Cog) -> None:
    assert extended.predict(size=" 1280X720 ", aspect_ratio="1:1").image.size == (1280, 720)
    assert extended.predict(size="auto", aspect_ratio="1:1").image.size == (1254, 1254)
    assert extended.predict(size="", aspect_ratio="3:2").image.size == (1536, 1024)


@pytest.mark.parametrize("ratio", ["1:1", "3:2", "2:3", "16:9", "9:16", "auto"])
def test_a_named_ratio_has_a_size_of_its_own_as_gif(extended: Cog, ratio: str) -> None:
    prediction = extended.predict(
        model="gpt-image-2.6-flare", output_format="gif", aspect_ratio=ratio
    )
    image = prediction.image
    assert getattr(image, "n_frames", 1) == 9
    if ratio != "auto":
        width, height = map(int, ratio.split(":"))
        assert image.width * height == image.height * width


def test_a_model_that_the_table_lacks_gets_everything_and_the_log_says_so(
    sandbox: Sandbox,
) -> None:
    environment = {"OPENAI_IMAGE_MODEL": "my-model", "OPENAI_PROXY_URL": f"{sandbox.root}/v1"}
    inputs = {"quality": "max", "size": "100x100", "complexity": "low", "output_format": "gif"}
    with (
        sandbox_server(SANDBOX_MODELS="my-model", SANDBOX_RECORD="true") as other,
        predictor_server(
            contract=EXTENDED, **environment | {"OPENAI_PROXY_URL": other.url}
        ) as server,
    ):
        refused = Cog(server.url).predict(**inputs)
        drawn = Cog(server.url).predict()
        (first, _) = Sandbox(other.root).requests

    assert refused.error.startswith("RequestRejected: ")
    assert inputs.items() <= first.arguments.items()
    line = "The model my-model is not in the table of models, so nothing was checked against it."
    assert line in drawn.logs
    assert "No price is known for my-model; the metric cost_usd is left out." in drawn.logs
    assert "cost_usd" not in drawn.metrics


def test_the_exact_contract_is_held_against_the_operators_model_too(sandbox: Sandbox) -> None:
    environment = {"OPENAI_IMAGE_MODEL": "gpt-image-1.5"}
    with predictor_server(
        contract=EXACT, OPENAI_PROXY_URL=f"{sandbox.root}/v1", **environment
    ) as server:
        prediction = Cog(server.url).predict(aspect_ratio="16:9")

    assert prediction.error == (
        "InvalidInput: 1536x864 is not one of 1024x1024, 1536x1024, 1024x1536; 1536x1024 is the "
        "nearest size that gpt-image-1.5 draws."
    )


def test_the_table_has_the_models_that_are_written_here() -> None:
    assert set(OFFERED) == set(CAN)
    for name, (qualities, formats) in CAN.items():
        assert {*MODELS[name].qualities, "auto"} == qualities
        assert set(MODELS[name].formats) == formats


@pytest.mark.parametrize("asked", ["1x1", "1x99999", "99999x1", "99999x99999", "1920x1080", "0x0"])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("output_format", ["png", "gif"])
def test_the_nearest_size_is_one_that_is_drawn(name: str, output_format: str, asked: str) -> None:
    rule = MODELS[name].sizes_of(output_format)
    size = Size.parse(asked)
    assert size
    assert isinstance(rule, Free | Listed)
    assert rule.broken_by(rule.nearest(size)) is None
