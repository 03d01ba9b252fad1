"""Pure: from the inputs to the body of an OpenAI Images API call."""

from dataclasses import dataclass
from typing import Any, Self

from gpt_image.errors import InvalidInput
from gpt_image.inputs import Inputs
from gpt_image.models.sizes import Size

# 16:9 and 9:16 get the tier of the other named ratios; every size obeys the API's rules (edges
# divisible by 16, 655,360 to 8,294,400 pixels, at most 3:1; OpenAI's image generation guide).
SIZES = {
    "1:1": "1024x1024",
    "3:2": "1536x1024",
    "2:3": "1024x1536",
    "16:9": "1536x864",
    "9:16": "864x1536",
    "auto": "auto",
    "1024x1024": "1024x1024",
    "1536x1024": "1536x1024",
    "1024x1536": "1024x1536",
    "2048x2048": "2048x2048",
    "2048x1152": "2048x1152",
    "1152x2048": "1152x2048",
    "3840x2160": "3840x2160",
    "2160x3840": "2160x3840",
}

# A gif's frames are smaller (models/table.py): the largest of each ratio.
GIF_SIZES = {
    "1:1": "960x960",
    "3:2": "1152x768",
    "2:3": "768x1152",
    "16:9": "1280x720",
    "9:16": "720x1280",
}

# The Images API's own limit (its reference: 32000 characters for GPT image models).
PROMPT_LIMIT = 32_000

# Of `safety_identifier` (OpenAI's image guide, section on safety identifiers).
USER_ID_LIMIT = 128


@dataclass(frozen=True)
class ImageRequest:
    """A request that has passed every check that needs neither a file nor the model's row."""

    model: str
    """Its name as sent upstream."""
    model_from: str
    """What chose it, an input or a variable, for errors."""
    prompt: str
    size: str
    """`WIDTHxHEIGHT` in pixels, or `auto`."""
    n: int
    quality: str
    background: str
    output_compression: int
    """0 to 100, as the API takes it: higher is better and larger."""
    output_format: str
    moderation: str
    complexity: str | None
    user_id: str | None
    input_images: tuple[object, ...]
    """What Cog handed over, unchecked: input_images/ looks at each before it is opened."""
    mask: object | None
    markup: object | None
    """Both as Cog handed them over, like the input images; never both of them."""

    @classmethod
    def from_inputs(cls, inputs: Inputs, operators_model: str) -> Self:
        """Check the inputs across fields.

        Args:
            operators_model: for callers that name none.

        Raises:
            InvalidInput: the request could only fail, or would spend money on nothing.
        """
        _check_texts(inputs)
        _check_combinations(inputs)
        return cls(
            model=inputs.model or operators_model,
            model_from="model" if inputs.model else "OPENAI_IMAGE_MODEL",
            prompt=inputs.prompt,
            size=_size(inputs),
            n=_whole(inputs.number_of_images, "number_of_images"),
            quality=inputs.quality,
            background=inputs.background,
            output_compression=_whole(inputs.output_compression, "output_compression"),
            output_format=inputs.output_format,
            moderation=inputs.moderation,
            complexity=inputs.complexity,
            user_id=inputs.user_id or None,
            input_images=tuple(inputs.input_images or ()),
            mask=inputs.mask,
            markup=inputs.markup,
        )

    @property
    def is_edit(self) -> bool:
        return bool(self.input_images)

    @property
    def can_be_streamed(self) -> bool:
        """gif and svg do not stream (image reference of openai-python 3.52)."""
        return self.output_format in {"png", "jpeg", "webp"}

    def body(self) -> dict[str, Any]:
        """What is sent to /images/generations as JSON or to /images/edits as a form, files apart.

        `input_fidelity` and `response_format` are left out because gpt-image-2 answers 400 to
        them; nothing is None because the SDK would send it as null on generate.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "prompt": self.prompt,
            "n": self.n,
            "size": self.size,
            "quality": self.quality,
            "background": self.background,
            "output_format": self.output_format,
        }
        # The API refuses any compression but 100 for png, and any at all for gif and svg.
        if self.output_format in {"jpeg", "webp"}:
            body["output_compression"] = self.output_compression
        if self.complexity is not None:
            body["complexity"] = self.complexity
        if self.user_id is not None:
            body["safety_identifier"] = self.user_id
        # The form takes it too, though the API's reference names it only for generations.
        if not self.is_edit or self.moderation != "auto":
            body["moderation"] = self.moderation
        return body


def _check_texts(inputs: Inputs) -> None:
    if not inputs.prompt.strip():
        raise InvalidInput("The prompt is empty; describe the image that you want.")
    if len(inputs.prompt) > PROMPT_LIMIT:
        raise InvalidInput(
            f"The prompt has {len(inputs.prompt):,} characters; shorten it to {PROMPT_LIMIT:,}."
        )
    if inputs.user_id and len(inputs.user_id) > USER_ID_LIMIT:
        raise InvalidInput(
            f"The user_id has {len(inputs.user_id):,} characters and OpenAI takes {USER_ID_LIMIT}; "
            "send a shorter one, such as a hash of it."
        )


def _check_combinations(inputs: Inputs) -> None:
    if inputs.background == "transparent" and inputs.output_format == "jpeg":
        raise InvalidInput(
            "A jpeg cannot be transparent; set output_format to png or webp, "
            "or background to auto or opaque."
        )
    for name in ("mask", "markup"):
        if getattr(inputs, name) is not None and not inputs.input_images:
            raise InvalidInput(
                f"A {name} lies over the first input image and there is none; give the image to "
                f"change as input_images, or leave {name} out."
            )
    if inputs.mask is not None and inputs.markup is not None:
        raise InvalidInput("A mask and a markup do not go together; leave one of them out.")


def _size(inputs: Inputs) -> str:
    wanted = (inputs.size or "").strip().lower()
    if not wanted:
        sizes = SIZES | GIF_SIZES if inputs.output_format == "gif" else SIZES
        if inputs.aspect_ratio not in sizes:
            raise InvalidInput(f"The aspect_ratio is unknown; use one of {', '.join(sizes)}.")
        return sizes[inputs.aspect_ratio]
    size = Size.parse(wanted)
    if size is None and wanted != "auto":
        raise InvalidInput(
            "The size cannot be read; write it as WIDTHxHEIGHT, for example 1536x864, or as auto."
        )
    return str(size or wanted)


def _whole(number: float, name: str) -> int:
    if not float(number).is_integer():
        raise InvalidInput(f"{name} must be a whole number.")
    return int(number)
