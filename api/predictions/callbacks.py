"""The worker's port, on loopback: where Cog fetches inputs, and brings outputs and its word.

The Cog id in each path is a secret of one attempt.
"""

import json
import logging
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from api.files.files import Files
from api.files.rows import OUTPUT
from api.predictions.attempt_inputs import AttemptInputs
from api.predictions.prediction import State
from api.predictions.references import FileReference, references
from api.predictions.store import Store
from api.predictions.words import Words

log = logging.getLogger(__name__)

_REPEAT = 500  # Cog repeats a word after 500, and never after 404 or 409
_GONE = 404


def create_callbacks(
    store: Store, files: Files, inputs: AttemptInputs, words: Words, worker_url: str
) -> Starlette:
    """The application."""

    async def word(request: Request) -> Response:
        try:
            told: dict[str, Any] = json.loads(await request.body())
            await words.hear(request.path_params["cog_id"], told)
        except Exception:
            log.exception("Cog's word could not be stored; Cog will repeat it.")
            return Response(status_code=_REPEAT)
        return Response()

    async def output(request: Request) -> Response:
        cog_id = request.headers.get("x-prediction-id", "")
        prediction = await store.by_cog_id(cog_id)
        if prediction is None or prediction.state is not State.SENT:
            return Response(status_code=_GONE)
        file = await files.save(
            request.stream(),
            tenant_id=prediction.tenant_id,
            kind=OUTPUT,
            name=request.path_params["name"],
            prediction_id=prediction.id,
            content_type=request.headers.get("content-type"),
        )
        # Cog gives this back as the output, in its last word.
        return Response(status_code=201, headers={"Location": f"{worker_url}/outputs/{file.id}"})

    async def stored(request: Request) -> Response:
        prediction = await store.by_cog_id(request.path_params["cog_id"])
        wanted = FileReference(request.path_params["file_id"])
        if prediction is None or wanted not in dict(references(prediction.input)).values():
            return Response(status_code=_GONE)
        file = await files.find(wanted.id)
        if file is None:
            return Response(status_code=_GONE)
        return StreamingResponse(
            files.read(file),
            media_type=file.content_type,
            headers={"Content-Length": str(file.size)},
        )

    async def fetched(request: Request) -> Response:
        path = inputs.fetched_file(request.path_params["cog_id"], request.path_params["name"])
        return FileResponse(path) if path.is_file() else Response(status_code=_GONE)

    return Starlette(
        routes=[
            Route("/words/{cog_id}", word, methods=["POST"]),
            Route("/outputs/{name}", output, methods=["PUT"]),
            Route("/inputs/{cog_id}/stored/{file_id}", stored),
            Route("/inputs/{cog_id}/fetched/{name}", fetched),
        ]
    )
