"""Pure: from Replicate's inputs to the body of an OpenAI Images API call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from gpt_image.errors import InvalidInput

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

# The Images API's own limit (its reference: 32000 characters for GPT image models).
PROMPT_LIMIT = 32_000

# Of `safety_identifier` (OpenAI's image guide, section on safety identifiers).
USER_ID_LIMIT = 128


@dataclass(frozen=True)
class ImageRequest:
    """A request that has passed every check that needs no file."""

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
    user_id: str | None
    input_images: tuple[object, ...]
    """What Cog handed over, unchecked: input_images/ looks at each before it is opened."""

    @classmethod
    def from_inputs(
        cls,
        *,
        prompt: str,
        aspect_ratio: str,
        input_images: Sequence[object] | None,
        number_of_images: float,
        quality: str,
        background: str,
        output_compression: float,
        output_format: str,
        moderation: str,
        user_id: str | None,
    ) -> Self:
        """Check the inputs across fields.

        Raises:
            InvalidInput: the request could only fail, or would spend money on nothing.
        """
        if not prompt.strip():
            raise InvalidInput("The prompt is empty; describe the image that you want.")
        if len(prompt) > PROMPT_LIMIT:
            raise InvalidInput(
                f"The prompt has {len(prompt):,} characters; shorten it to {PROMPT_LIMIT:,}."
            )
        if user_id and len(user_id) > USER_ID_LIMIT:
            raise InvalidInput(
                f"The user_id has {len(user_id):,} characters and OpenAI takes {USER_ID_LIMIT}; "
                "send a shorter one, such as a hash of it."
            )
        if aspect_ratio not in SIZES:
            raise InvalidInput(f"The aspect_ratio is unknown; use one of {', '.join(SIZES)}.")
        if background == "transparent" and output_format == "jpeg":
            raise InvalidInput(
                "A jpeg cannot be transparent; set output_format to png or webp, "
                "or background to auto or opaque."
            )
        return cls(
            prompt=prompt,
            size=SIZES[aspect_ratio],
            n=_whole(number_of_images, "number_of_images"),
            quality=quality,
            background=background,
            output_compression=_whole(output_compression, "output_compression"),
            output_format=output_format,
            moderation=moderation,
            user_id=user_id or None,
            input_images=tuple(input_images or ()),
        )

    @property
    def is_edit(self) -> bool:
        return bool(self.input_images)

    def body(self, model: str) -> dict[str, Any]:
        """What is sent to /images/generations as JSON or to /images/edits as a form, files apart.

        `input_fidelity` and `response_format` are left out because gpt-image-2 answers 400 to
        them; nothing is None because the SDK would send it as null on generate.
        """
        body: dict[str, Any] = {
            "model": model,
            "prompt": self.prompt,
            "n": self.n,
            "size": self.size,
            "quality": self.quality,
            "background": self.background,
            "output_format": self.output_format,
        }
        # The API refuses any compression but 100 for png.
        if self.output_format != "png":
            body["output_compression"] = self.output_compression
        if self.user_id is not None:
            body["safety_identifier"] = self.user_id
        # The form takes it too, though the API's reference names it only for generations.
        if not self.is_edit or self.moderation != "auto":
            body["moderation"] = self.moderation
        return body


def _whole(number: float, name: str) -> int:
    # Cog lets 3.0 through to an int input as a float (measured on Cog 0.23.1).
    if not float(number).is_integer():
        raise InvalidInput(f"{name} must be a whole number.")
    return int(number)
