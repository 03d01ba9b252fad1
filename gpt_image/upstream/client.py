"""What predict.py calls: who pays, the images for a request, and whether the credential works."""

from collections.abc import Sequence
from pathlib import Path

from gpt_image import errors
from gpt_image.deadline import Deadline
from gpt_image.input_images.prepare import InputImage
from gpt_image.request import ImageRequest
from gpt_image.settings import Settings
from gpt_image.upstream.answer import Answer
from gpt_image.upstream.call import Call
from gpt_image.upstream.payers import Payer, Payers
from gpt_image.upstream.retries import repeated_while_safe

_OPERATORS_TROUBLE = (errors.CredentialError, errors.QuotaExceeded)


class Upstream:
    """The OpenAI Images API, or what the operator put in its place."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._payers = Payers(settings)
        self._trouble: str | None = None

    def payer(self, caller_key: str | None) -> Payer:
        """Who pays for this prediction; raises as `Payers.of` does."""
        return self._payers.of(caller_key)

    async def create(
        self,
        payer: Payer,
        request: ImageRequest,
        images: Sequence[InputImage],
        directory: Path,
        deadline: Deadline,
    ) -> Answer:
        """The images for `request`, at least one; the large ones received into `directory`.

        Raises:
            GptImageError: one of explain.py or answer.py, after all allowed retries.
        """
        settings = self._settings
        streamed = settings.openai_stream_upstream and request.can_be_streamed
        call = Call(payer, request, images, directory, deadline, streamed)
        try:
            answer = await repeated_while_safe(
                call.send, deadline, also_ambiguous=settings.openai_retry_ambiguous
            )
        except errors.GptImageError as error:
            if not payer.is_caller and isinstance(error, _OPERATORS_TROUBLE):
                self._trouble = error.line
            raise
        if not payer.is_caller:
            self._trouble = None
        return answer

    def check_health(self) -> None:
        """Answer at once from what is known; no call is made.

        Raises:
            CredentialError: the operator's own credential failed when it was last used.
        """
        if self._trouble:
            raise errors.CredentialError(self._trouble)
