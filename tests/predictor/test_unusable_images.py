"""One bad image loses none of the others."""

import gzip
import random

import pytest

from tests.support.cog_client import Cog
from tests.support.loopback import Answer, Received, StandIn
from tests.support.signed_images import signed
from tests.support.written_answers import FORMATS, notes, serve, webp


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_file_cut_short_inside_sound_base64_is_unusable(cog: Cog, output_format: str) -> None:
    prompt = "A lighthouse [sandbox:truncated-image image=2]"
    prediction = cog.predict(prompt=prompt, number_of_images=3, output_format=output_format)

    assert len(prediction.images) == 2
    assert "1 of 3 images were unusable: image 2 is damaged" in prediction.logs


def test_each_unusable_image_is_named_by_its_place_in_the_answer(
    here: Cog, upstream: StandIn
) -> None:
    good = [webp("red"), webp("green")]
    serve(upstream, {"b64_json": "%%%"}, good[0], good[0][:500], b"<html>", good[1], {})

    prediction = here.predict(number_of_images=8)

    assert prediction.files == good
    assert notes(prediction) == [
        "6 of 8 images were unusable: image 1 has no readable data; image 3 is damaged; "
        "image 4 is damaged; image 6 has no readable data; image 7 is missing; image 8 is missing"
    ]
    assert "Generated 2 images" in prediction.logs


def test_an_image_larger_than_any_of_the_api_is_not_kept_and_costs_no_other(
    here: Cog, upstream: StandIn
) -> None:
    serve(upstream, webp("red"), bytes(65 << 20), webp("blue"))
    written = upstream.answer

    def compressed(request: Received) -> Answer:
        body = written(request).body
        assert isinstance(body, bytes)
        return Answer(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})

    upstream.answer = compressed
    prediction = here.predict(number_of_images=3)

    assert prediction.files == [webp("red"), webp("blue")]
    assert notes(prediction) == ["1 of 3 images were unusable: image 2 is larger than 64 MB"]


@pytest.mark.long
def test_no_damage_that_pillow_meets_costs_the_other_images(here: Cog, upstream: StandIn) -> None:
    """Half of the files are to be converted, so that every byte of them is decoded."""
    dice = random.Random(4)
    sound = webp(size=(64, 64))
    for _ in range(15):
        files = [mutated(signed(dice.choice(FORMATS)), dice) for _ in range(9)]
        serve(upstream, sound, *files)

        prediction = here.predict(number_of_images=10, output_format=dice.choice(["png", "webp"]))

        assert prediction.status == "succeeded", prediction.body


def mutated(file: bytes, dice: random.Random) -> bytes:
    data = bytearray(file)
    for _ in range(dice.randint(1, 8)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data[: dice.choice([len(data), len(data), dice.randrange(len(data))])])
