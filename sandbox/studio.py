"""Renders jobs in threads, and keeps ready-made answers for benchmarks."""

import asyncio
from typing import TypeVar

from sandbox import answer
from sandbox.answer import Draft, Slot, to_base64
from sandbox.drawing import draw, draw_svg, encode, encode_gif, unfinished
from sandbox.job import Job, Usage
from sandbox.settings import Settings
from sandbox.uploads import load
from sandbox.writing import body_of

_MOST_KEPT = 24
Kept = TypeVar("Kept")


class Studio:
    """Turns jobs into images, and images into answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._images: dict[tuple[object, ...], tuple[list[bytes], list[Slot]]] = {}
        self._drawing = asyncio.Lock()
        self._bodies: dict[tuple[object, ...], bytes] = {}

    async def draft(self, job: Job, usage: Usage) -> Draft:
        """Return the job's answer, freshly drawn or, where pre-rendered, drawn once."""
        if not self._repeats(job):
            images, slots = await asyncio.to_thread(self._render, job)
            return answer.draft(job, usage, images, slots)
        look = _look(job)
        # A lock, so that many requests at once wait for one drawing instead of repeating it.
        async with self._drawing:
            if look not in self._images:
                _keep(self._images, look, await asyncio.to_thread(self._render, job))
            images, slots = self._images[look]
        return answer.draft(job, usage, images, slots)

    async def body(self, job: Job, usage: Usage, draft: Draft, *, untouched: bool) -> bytes:
        """Return an answer's JSON; ``untouched`` by fault or gateway it may be a ready one."""
        if not (self._repeats(job) and untouched):
            return await asyncio.to_thread(body_of, draft)
        key = (*_look(job), usage, job.safety_identifier, job.stream)
        if key not in self._bodies:
            _keep(self._bodies, key, await asyncio.to_thread(body_of, draft))
        return self._bodies[key]

    def _repeats(self, job: Job) -> bool:
        """Whether another job's picture will do; behind a mask lies the caller's own."""
        return self._settings.prerendered and job.mask is None

    def _render(self, job: Job) -> tuple[list[bytes], list[Slot]]:
        for position, image in enumerate(job.inputs, start=1):
            load(image, position)
        made = [self._image(job, variant) for variant in range(job.n)]
        return [image for image, _ in made], [
            Slot(b64=to_base64([image])[0], partials=to_base64(partials))
            for image, partials in made
        ]

    def _image(self, job: Job, variant: int) -> tuple[bytes, list[bytes]]:
        """Return one image's file, and those of its partial images."""
        if job.output_format == "svg":
            return draw_svg(job, self._settings.seed), []
        picture = draw(job, variant, self._settings.seed, grain=self._settings.grain)
        if job.frames > 1:
            return encode_gif(picture, job.frames, job.frame_ms), []
        stages = unfinished(picture, job.partial_images)
        partials = [encode(each, job.output_format, job.compression) for each in stages]
        return encode(picture, job.output_format, job.compression), partials


def _look(job: Job) -> tuple[object, ...]:
    return (
        job.endpoint,
        job.n,
        job.size,
        job.quality,
        job.background,
        job.output_format,
        job.compression,
        job.frames,
        job.partial_images,
    )


def _keep(kept: dict[tuple[object, ...], Kept], key: tuple[object, ...], value: Kept) -> None:
    """Add to a cache; a full one starts again, since benchmarks use few kinds of request."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
