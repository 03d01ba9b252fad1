"""Outputs put where their caller wants them: the raw bytes, in one PUT each."""

import logging

from api.fetching import Fetcher, FetchFailed, FetchRefused
from api.files.files import Files
from api.metrics import FETCHES_REFUSED
from api.predictions.prediction import Prediction
from api.predictions.references import FileReference, reference

log = logging.getLogger(__name__)

_SECONDS = 120.0  # for a large picture over a slow line


class Uploading:
    """Puts outputs."""

    def __init__(self, files: Files, fetcher: Fetcher) -> None:
        self._files = files
        self._fetcher = fetcher

    async def put(self, prediction: Prediction, place: int) -> bool:
        """Send the output at `place`; whether it arrived, or there is none to send any more."""
        found = reference(prediction.output[place])
        file = await self._files.find(found.id) if isinstance(found, FileReference) else None
        if file is None or prediction.upload_url is None:
            return True
        headers = {"Content-Type": file.content_type, "Content-Length": str(file.size)}
        try:
            content = self._files.read(file)
            status = await self._fetcher.put(
                prediction.upload_url, content, headers, seconds=_SECONDS, entry="The upload"
            )
        except FetchFailed as failure:
            log.info("An upload failed: %s", failure, extra={"prediction": prediction.id})
            if isinstance(failure, FetchRefused):
                FETCHES_REFUSED.inc()
            return False
        return 200 <= status < 300
