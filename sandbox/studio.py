"""Renders jobs in threads, and keeps ready-made answers for benchmarks."""

import asyncio
from typing import TypeVar

from sandbox import answer
from sandbox.answer import Draft
from sandbox.drawing import draw, encode
from sandbox.job import Job, Usage
from sandbox.settings import Settings
from sandbox.uploads import load

_MOST_KEPT = 24
Kept = TypeVar("Kept")


class Studio:
    """Turns jobs into images, and images into answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._images: dict[tuple[object, ...], tuple[list[bytes], list[bytes]]] = {}
        self._drawing = asyncio.Lock()
        self._bodies: dict[tuple[object, ...], bytes] = {}

    async def draft(self, job: Job, usage: Usage) -> Draft:
        """Return the job's answer, freshly drawn or, where pre-rendered, drawn once."""
        if not self._settings.prerendered:
            images, encoded = await asyncio.to_thread(self._render, job)
            return answer.draft(job, usage, images, encoded)
        look = _look(job)
        # A lock, so that many requests at once wait for one drawing instead of repeating it.
        async with self._drawing:
            if look not in self._images:
                _keep(self._images, look, await asyncio.to_thread(self._render, job))
            images, encoded = self._images[look]
        return answer.draft(job, usage, images, encoded)

    async def body(self, job: Job, usage: Usage, draft: Draft, *, untouched: bool) -> bytes:
        """Return an answer's JSON; ``untouched`` by fault or gateway it may be a ready one."""
        if not (self._settings.prerendered and untouched):
            return await asyncio.to_thread(answer.encode, draft)
        key = (*_look(job), usage, job.safety_identifier)
        if key not in self._bodies:
            _keep(self._bodies, key, await asyncio.to_thread(answer.encode, draft))
        return self._bodies[key]

    def _render(self, job: Job) -> tuple[list[bytes], list[bytes]]:
        for position, image in enumerate(job.inputs, start=1):
            load(image, position)
        images = [self._image(job, variant) for variant in range(job.n)]
        return images, answer.to_base64(images)

    def _image(self, job: Job, variant: int) -> bytes:
        picture = draw(job, variant, self._settings.seed, grain=self._settings.grain)
        return encode(picture, job.output_format, job.compression)


def _look(job: Job) -> tuple[object, ...]:
    return (
        job.endpoint,
        job.n,
        job.size,
        job.quality,
        job.background,
        job.output_format,
        job.compression,
    )


def _keep(kept: dict[tuple[object, ...], Kept], key: tuple[object, ...], value: Kept) -> None:
    """Add to a cache; a full one starts again, since benchmarks use few kinds of request."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
