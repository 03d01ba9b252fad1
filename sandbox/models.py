"""The models that exist here, and what each draws and takes.

From the image reference of openai-python 3.52 and reports of autumn 2026; the docstrings say what
is assumed. gpt-image-1.5 and gpt-image-1-mini, which end on 2026-12-01, are not among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Model:
    """One model; its dated snapshots are models of their own."""

    name: str
    created: int
    """Seconds since the epoch; the day in the dated name, since the real moment is not known."""
    quality_steps: Mapping[str, int]
    """What the token formula counts with, by quality; those that it lacks are refused."""
    formats: tuple[str, ...]
    keys: frozenset[str] = frozenset()
    """Parameters that not every model knows."""


_DAY_OF_2: Final = 1_776_729_600  # 2026-04-21
_DAY_OF_2_5: Final = 1_788_825_600  # 2026-09-08
_DAY_OF_2_6: Final = 1_793_836_800  # 2026-11-05, when relays had it

# 2.5's fit every published price of it: 196, 439, 1756, 3122 and 7024 tokens for 1024x1024.
_STEPS_OF_2: Final = {"low": 16, "medium": 48, "high": 96}
_STEPS_OF_2_5: Final = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}
# Reported: low and medium take three to four times 2.5's tokens. That it is 3.5 is assumed.
_STEPS_OF_2_6: Final = {**_STEPS_OF_2_5, "low": 30, "medium": 45}

_STILL: Final = ("png", "webp", "jpeg")
_OF_2_5: Final = frozenset({"markup"})
_OF_2_6: Final = frozenset(
    (
        *("markup", "complexity", "frame_count", "frame_duration_ms"),
        *("svg", "svg[model]", "svg[reasoning][effort]"),
    )
)

_ALL: Final = (
    *(
        Model(name, _DAY_OF_2, _STEPS_OF_2, _STILL)
        for name in ("gpt-image-2", "gpt-image-2-2026-04-21")
    ),
    *(
        Model(f"gpt-image-2.5-{kind}{day}", _DAY_OF_2_5, _STEPS_OF_2_5, _STILL, _OF_2_5)
        for kind in ("flare", "sunburst")
        for day in ("", "-2026-09-08")
    ),
    *(
        Model(f"gpt-image-2.6-{kind}", _DAY_OF_2_6, _STEPS_OF_2_6, (*_STILL, "gif", "svg"), _OF_2_6)
        for kind in ("flare", "sunburst")
    ),
)
MODELS: Final = {model.name: model for model in _ALL}


def model_of(name: str) -> Model:
    """What a name of SANDBOX_MODELS does; one that nobody knows does what gpt-image-2 does."""
    return MODELS.get(name) or Model(name, _DAY_OF_2, _STEPS_OF_2, _STILL)
