"""Images behind URLs, for the faults that answer with links."""

import uuid
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from sandbox.answer import Draft

_KEPT = 200


class Files:
    """The last 200 linked images, each with the number of times it was asked for."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._fetched: dict[str, int] = {}

    def add(self, data: bytes) -> str:
        """Keep an image and return its name."""
        name = uuid.uuid4().hex
        self._files[name] = data
        if len(self._files) > _KEPT:
            oldest, _ = self._files.popitem(last=False)
            self._fetched.pop(oldest, None)
        return name

    def link(self, draft: Draft, request: Request) -> None:
        """Turn the slots of an answer that hold a link's query into links to kept images."""
        for slot, image in zip(draft.data or [], draft.images, strict=False):
            if slot.url is not None:
                slot.url = f"{request.base_url}sandbox/files/{self.add(image)}{slot.url}"

    async def serve(self, request: Request) -> Response:
        """Answer with an image, or as its link's query asks: ``fail=STATUS``, ``redirect=1``."""
        name, query = request.path_params["name"], request.query_params
        data = self._files.get(name)
        if data is None:
            return PlainTextResponse("No such file.", 404)
        self._fetched[name] = self._fetched.get(name, 0) + 1
        if "fail" in query and self._fetched[name] <= int(query.get("times", 1_000_000)):
            return PlainTextResponse("This link fails on purpose.", int(query["fail"]))
        if "redirect" in query:
            return RedirectResponse(request.url.path)
        return Response(data, media_type="application/octet-stream")
