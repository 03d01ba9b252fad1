"""The table of models: what each can do, and where that is written. State: 2026-11-21.

The extended contract offers those in `OFFERED`; the others are for OPENAI_IMAGE_MODEL.
"""

from collections.abc import Iterable

from gpt_image.models.model import ListPrices, Model
from gpt_image.models.sizes import Free, Listed, Size

# OpenAI's image guide, and live probes of 2026-04-28, 2026-08-27 and 2026-09-02.
_ANY = Free(step=16, longest_edge=3840, least_pixels=655_360, most_pixels=8_294_400, steepest=3)
# The image reference of openai-python 3.52 (the default of 9 frames is taken), and a relay's live
# notes of 2026-11-09: the frames lie on one sheet of the bounds above, here three by three.
_OF_GIF_FRAMES = Free(
    step=16, longest_edge=1280, least_pixels=655_360, most_pixels=921_600, steepest=3
)
_THREE = Listed((Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)))

_TO_HIGH = ("low", "medium", "high")
_TO_MAX = (*_TO_HIGH, "xhigh", "max")
_STILL = ("png", "jpeg", "webp")

# "Less than 4MB" in the API reference, "under 50MB" in the image guide since gpt-image-2. The
# smaller reading of MB is safe.
_OLD_MASK, _NEW_MASK = 4_000_000, 50_000_000

# Model page of gpt-image-2.6-sunburst; genai-prices 0.2.3 does not have these models.
_PRICES_OF_2_6 = ListPrices(text_in=5, image_in=8, text_out=30, image_out=30)


def _of_2(name: str) -> Model:
    return Model(
        name,
        source="image guide and image reference (openai-python 3.52); live probes of 2026",
        sizes=_ANY,
        qualities=_TO_HIGH,
        formats=_STILL,
        parameters=frozenset({"mask"}),
        mask_bytes=_NEW_MASK,
    )


def _of_2_5(name: str) -> Model:
    return Model(
        name,
        source="image guide and image reference (openai-python 3.52)",
        sizes=_ANY,
        qualities=_TO_MAX,
        formats=_STILL,
        parameters=frozenset({"mask", "markup"}),
        mask_bytes=_NEW_MASK,
    )


def _of_2_6(name: str) -> Model:
    return Model(
        name,
        source="image reference (openai-python 3.52), model pages; sizes as relays take them",
        sizes=_ANY,
        sizes_by_format={"gif": _OF_GIF_FRAMES},
        qualities=_TO_MAX,
        formats=(*_STILL, "gif", "svg"),
        parameters=frozenset({"mask", "markup", "complexity"}),
        mask_bytes=_NEW_MASK,
        prices=_PRICES_OF_2_6,
    )


def _of_1(name: str) -> Model:
    return Model(
        name,
        source="image reference (openai-python 3.52); shut down on 2026-12-01",
        sizes=_THREE,
        qualities=_TO_HIGH,
        formats=_STILL,
        parameters=frozenset({"mask"}),
        mask_bytes=_OLD_MASK,
    )


def _by_name(models: Iterable[Model]) -> dict[str, Model]:
    return {model.name: model for model in models}


OFFERED = _by_name(
    [
        _of_2("gpt-image-2"),
        _of_2("gpt-image-2-2026-04-21"),
        _of_2_5("gpt-image-2.5-flare"),
        _of_2_5("gpt-image-2.5-flare-2026-09-08"),
        _of_2_5("gpt-image-2.5-sunburst"),
        _of_2_5("gpt-image-2.5-sunburst-2026-09-08"),
        _of_2_6("gpt-image-2.6-flare"),
        _of_2_6("gpt-image-2.6-sunburst"),
    ]
)
MODELS = OFFERED | _by_name(
    [
        _of_1("gpt-image-1.5"),
        _of_1("gpt-image-1.5-2025-12-16"),
        _of_1("chatgpt-image-latest"),
        _of_1("gpt-image-1-mini"),
    ]
)
