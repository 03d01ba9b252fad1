"""The extended model: the contract of predict.py and what that lacks, with the same story."""

from typing import Optional

from cog import Input, Path, Secret, concurrent

import predict
from gpt_image.inputs import Inputs

# Cog reads this file without running it, so choices stand here once more, and each description is
# one string. Tests hold them against predict.py and against the table of models.
ASPECT_RATIOS: list[str | int] = [
    "1:1",
    "3:2",
    "2:3",
    "16:9",
    "9:16",
    "auto",
    "1024x1024",
    "1536x1024",
    "1024x1536",
    "2048x2048",
    "2048x1152",
    "1152x2048",
    "3840x2160",
    "2160x3840",
]
MODELS: list[str | int] = [
    "gpt-image-2",
    "gpt-image-2-2026-04-21",
    "gpt-image-2.5-flare",
    "gpt-image-2.5-flare-2026-09-08",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.5-sunburst-2026-09-08",
    "gpt-image-2.6-flare",
    "gpt-image-2.6-sunburst",
]


class Predictor(predict.Predictor):
    @concurrent(max=32)
    async def run(
        self,
        prompt: str = Input(description="A text description of the desired image"),
        openai_api_key: Optional[Secret] = Input(
            description="Your OpenAI API key (optional - uses proxy if not provided)", default=None
        ),
        aspect_ratio: str = Input(
            description="The size of the generated image. Use 'auto' to let the model pick. Sizes above 2560x1440 are experimental and may give more variable results.",
            choices=ASPECT_RATIOS,
            default="1:1",
        ),
        input_images: Optional[list[Path]] = Input(
            description="A list of images to use as input for the generation", default=None
        ),
        number_of_images: int = Input(
            description="Number of images to generate (1-10)", ge=1, le=10, default=1
        ),
        quality: str = Input(
            description="The quality of the generated image. The 2.5 and 2.6 models have xhigh and max.",
            choices=["low", "medium", "high", "xhigh", "max", "auto"],
            default="auto",
        ),
        background: str = Input(
            description="Set whether the background is transparent or opaque or choose automatically",
            choices=["auto", "transparent", "opaque"],
            default="auto",
        ),
        output_compression: int = Input(
            description="Compression level (0-100%)", ge=0, le=100, default=90
        ),
        output_format: str = Input(
            description="Output format. The 2.6 models draw gif and svg.",
            choices=["png", "jpeg", "webp", "gif", "svg"],
            default="webp",
        ),
        moderation: str = Input(
            description="Content moderation level", choices=["auto", "low"], default="auto"
        ),
        user_id: Optional[str] = Input(
            description="An optional unique identifier representing your end-user. This helps OpenAI monitor and detect abuse.",
            default=None,
        ),
        model: Optional[str] = Input(
            description="The model that draws; without one the operator's choice, which is gpt-image-2 unless it was changed.",
            choices=MODELS,
            default=None,
        ),
        size: Optional[str] = Input(
            description="WIDTHxHEIGHT in pixels, such as 1536x864, or auto; wins over aspect_ratio. Edges divisible by 16 and at most 3840, no longer than 3:1, 655,360 to 8,294,400 pixels.",
            default=None,
        ),
        mask: Optional[Path] = Input(
            description="Where the first input image may change: a PNG of its size, changed where it is transparent. A black and white picture will do, and is changed where it is black.",
            default=None,
        ),
        markup: Optional[Path] = Input(
            description="A transparent PNG of the first input image's size with marks that guide the edit; models from 2.5 on, not together with a mask.",
            default=None,
        ),
        complexity: Optional[str] = Input(
            description="How much planning goes into the image, apart from its quality; the 2.6 models alone. Left out, the model's own, which is high.",
            choices=["low", "medium", "high"],
            default=None,
        ),
    ) -> list[Path]:
        return await self._make(
            Inputs(
                prompt=prompt,
                aspect_ratio=aspect_ratio,
                input_images=input_images,
                number_of_images=number_of_images,
                quality=quality,
                background=background,
                output_compression=output_compression,
                output_format=output_format,
                moderation=moderation,
                user_id=user_id,
                model=model,
                size=size,
                mask=mask,
                markup=markup,
                complexity=complexity,
            ),
            openai_api_key,
        )
