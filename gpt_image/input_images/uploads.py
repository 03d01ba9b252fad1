"""All files of a request to upload parts: the input images, and what lies over the first."""

import pathlib
from dataclasses import dataclass

from gpt_image.input_images.overlay import Overlay, check_overlay, laid_over
from gpt_image.input_images.prepare import InputImage, check_paths, prepare
from gpt_image.request import ImageRequest


@dataclass(frozen=True)
class InputFiles:
    """Files that Cog downloaded; nothing of them has been opened."""

    images: tuple[pathlib.Path, ...]
    overlay: Overlay | None


async def check_files(request: ImageRequest) -> InputFiles:
    """Raises InvalidInput where an input is no file that Cog downloaded."""
    images = await check_paths(request.input_images)
    return InputFiles(images, await check_overlay(request))


async def prepare_uploads(files: InputFiles, scratch: pathlib.Path) -> list[InputImage]:
    """Make each file ready for upload; raises as `prepare` and `laid_over` do."""
    images = await prepare(files.images, scratch)
    return await laid_over(images, files.overlay, scratch) if files.overlay else images
