"""Replicate's openai/gpt-image-2 as a Cog predictor: the contract, and the story of a prediction."""

import gc
import logging
import time
from collections.abc import Mapping
from typing import Optional

from cog import BaseRunner, Input, Path, Secret, concurrent

from gpt_image import logs, threads, usage
from gpt_image.container.in_flight import InFlight
from gpt_image.deadline import Deadline
from gpt_image.errors import GptImageError, told_in_one_sentence
from gpt_image.input_images.uploads import check_files, prepare_uploads
from gpt_image.inputs import Inputs
from gpt_image.models.check import check as check_against_model
from gpt_image.output_images.directories import OutputDirectories
from gpt_image.output_images.fetch import Fetcher
from gpt_image.output_images.save import save
from gpt_image.request import ImageRequest
from gpt_image.settings import take_settings
from gpt_image.threads import FreezeProbe
from gpt_image.upstream.client import Upstream

log = logging.getLogger("gpt_image.predict")

# Cog reads this file without running it: choices must be names bound here, and a description one
# string, because Cog 0.22's generator keeps the quotes of strings in several parts.
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


class Predictor(BaseRunner):
    async def setup(self) -> None:  # type: ignore[override] # weights are for models that have some
        """Read the settings and make the clients; no network call."""
        logs.configure()
        threads.serve_event_loop()
        self.settings = take_settings()
        self.upstream = Upstream(self.settings)
        self.outputs = OutputDirectories(self.settings)
        self.fetcher = Fetcher(self.settings.openai_fetch_networks)
        self.freeze = FreezeProbe()
        self.in_flight = InFlight()
        operators_model = self.settings.openai_image_model
        if usage.Prices.of(operators_model) is None:
            log.warning(usage.no_price(operators_model))
        # All that is imported by now stays, so the collector need not look at it again.
        gc.freeze()
        log.info("Callers without a key are served by %s.", self.settings.payer_without_key)

    async def healthcheck(self) -> bool:
        """Answer from what is already known; Cog shows the text of what it raises."""
        await self.freeze.check_health()  # first, because only a restart mends it
        await self.outputs.check_health()
        self.upstream.check_health()
        return True

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
            description="The quality of the generated image",
            choices=["low", "medium", "high", "auto"],
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
            description="Output format", choices=["png", "jpeg", "webp"], default="webp"
        ),
        moderation: str = Input(
            description="Content moderation level", choices=["auto", "low"], default="auto"
        ),
        user_id: Optional[str] = Input(
            description="An optional unique identifier representing your end-user. This helps OpenAI monitor and detect abuse.",
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
            ),
            openai_api_key,
        )

    async def _make(self, inputs: Inputs, key: Secret | None) -> list[Path]:
        """Make one prediction; Replicate's log lines fix the order of the steps."""
        with told_in_one_sentence(self._record_error), self.in_flight.one():
            request = ImageRequest.from_inputs(inputs, self.settings.openai_image_model)
            check_against_model(request)
            files = await check_files(request)
            payer = self.upstream.payer(key.get_secret_value() if key else None)
            log.info("Model check completed. Model: %s", request.model)

            prediction_id = logs.shown_id(self.scope.context.get("prediction_id"))
            async with self.outputs.directory(prediction_id) as directory:
                uploads = await prepare_uploads(files, directory)
                await self.outputs.make_room(directory, request)
                log.info("Generating image...")
                if prediction_id:
                    log.info("Sid %s", prediction_id)
                started = time.monotonic()
                deadline = Deadline.after(self.settings.openai_deadline_seconds)
                answer = await self.upstream.create(payer, request, uploads, directory, deadline)
                saved = await save(answer, request, directory, deadline, self.fetcher, payer.origin)
                seconds = time.monotonic() - started
                used = usage.Usage.from_answer(answer.usage, answer.svg_usage)
                self._report(seconds, len(saved), used, request.model)
                await self.outputs.sweep()
                return [Path(file) for file in saved]

    def _report(self, seconds: float, images: int, used: usage.Usage, model: str) -> None:
        """Log lines and metrics; the images are paid for, so nothing here may fail."""
        lines = [f"Generated image in {seconds:.1f}sec", f"Generated {images} images"]
        try:
            # Written at once, because each write goes to Cog's other process by itself.
            log.info("%s", "\n".join([*lines, *used.log_lines(), *used.unpriced(model)]))
            metrics = used.metrics(usage.Prices.of(model))
            self._record(metrics | {"generate_time": seconds, "image_output_count": images})
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("Some counts could not be reported (%s).", type(error).__name__)

    def _record(self, metrics: Mapping[str, str | int | float | bool]) -> None:
        for name, value in metrics.items():
            self.record_metric(name, value)

    def _record_error(self, error: GptImageError) -> None:
        try:
            self._record(error.metrics())
        except Exception as failure:  # noqa: BLE001 - the error itself must get out
            log.warning("The error's metrics could not be recorded (%s).", type(failure).__name__)
