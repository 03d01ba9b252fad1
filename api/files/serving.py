"""A file as an HTTP answer that no browser runs, to whoever has its address."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from api.errors import NotFound
from api.files.addresses import read_address
from api.files.files import Files
from api.files.kinds import OTHER, RASTER
from api.files.rows import StoredFile
from api.ids import now
from api.parts import Parts, parts

router = APIRouter()

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    # The address is the permission, so any page that has it may show the picture.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Accept-Ranges": "bytes",
}


@router.api_route("/files/{rest:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def signed(request: Request, the: Annotated[Parts, Depends(parts)]) -> Response:
    """The file of a signed address; with or without a token."""
    file = await the.files.addressed(read_address(str(request.url)))
    if file is None:
        raise NotFound("There is no such file, or its address has expired.")
    return await serve(the.files, file, request)


async def serve(files: Files, file: StoredFile, request: Request) -> Response:
    """The file, or the range of it that was asked for.

    Raises:
        NotFound: it has just been removed.
    """
    headers = _SAFE | {"ETag": _etag(file), "Cache-Control": _cache_control(file)}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    asked = _asked_range(request, file)
    start, end = asked or (0, file.size)
    if asked:
        if start >= file.size:
            headers["Content-Range"] = f"bytes */{file.size}"
            return Response(status_code=416, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    headers |= {
        "Content-Length": str(end - start),
        "Content-Disposition": _disposition(file),
    }
    media_type = file.content_type if file.content_type in RASTER else OTHER
    try:
        content = await files.open(file, start, 0 if request.method == "HEAD" else end)
    except FileNotFoundError:
        raise NotFound("The file has just been removed.") from None
    return StreamingResponse(content, 206 if asked else 200, headers, media_type)


def _etag(file: StoredFile) -> str:
    return f'"{file.id}"'  # what is under an id never changes


def _cache_control(file: StoredFile) -> str:
    if file.expires_at is None:
        return "private"
    return f"private, max-age={max(int(file.expires_at - now()), 0)}"


def _disposition(file: StoredFile) -> str:
    shown = "inline" if file.content_type in RASTER else "attachment"
    return f"{shown}; filename*=UTF-8''{quote(file.name, safe='')}"


def _asked_range(request: Request, file: StoredFile) -> tuple[int, int] | None:
    """First byte, and the one after the last; None where all of it is to be sent."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or request.headers.get("If-Range", _etag(file)) != _etag(file):
        return None
    first, last = match.groups()
    if first:
        end = min(int(last) + 1, file.size) if last else file.size
        return (int(first), end) if int(first) < end or int(first) >= file.size else None
    return (max(file.size - int(last), 0), file.size) if last else None
