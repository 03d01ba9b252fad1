"""Pictures that callers bring: uploads, and references by UUID, URL, data URI or base64."""

import asyncio
import base64
import binascii
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from api.data_uri import NotBase64, embedded
from api.dialects.runware.caller import Caller
from api.dialects.runware.image_ids import new_uuid
from api.dialects.runware.members import Members, invalid, missing
from api.dialects.runware.problems import Item, TaskError
from api.errors import TooLarge
from api.fetching import Bounds, FetchFailed
from api.files.files import Room
from api.files.rows import UPLOAD, StoredFile
from api.ids import now
from api.parts import Parts

_FETCH_SECONDS = 60.0
_PIECE = 1 << 20  # bytes


async def upload_image(task: Mapping[str, Any], caller: Caller, the: Parts) -> Item:
    """Answer `imageUpload`."""
    file = await _uploaded(task, "image", caller, the)
    return {"imageUUID": file.caller_id, "imageURL": _address(file, caller, the)}


async def store_media(task: Mapping[str, Any], caller: Caller, the: Parts) -> Item:
    """Answer `mediaStorage`."""
    operation = Members(task).choice(["operation"], ["upload", "delete"], "")
    if not operation:
        raise missing("operation")
    if operation == "upload":
        file = await _uploaded(task, "media", caller, the)
        url = _address(file, caller, the)
        return {"operation": operation, "mediaUUID": file.caller_id, "mediaURL": url}
    wanted = Members(task).at("mediaUUID", "media")
    id = _uuid(wanted) if isinstance(wanted, str) else None
    found = await the.files.by_caller_id(caller.tenant, id) if id else None
    if found is None or found.kind != UPLOAD:
        raise TaskError(
            "mediaNotFound",
            "You have uploaded no such file, or it has expired.",
            "media",
            status=404,
        )
    await the.files.remove([found.id])
    return {"operation": operation, "mediaUUID": found.caller_id}


async def as_address(reference: str, place: str, caller: Caller, the: Parts) -> str:
    """The reference as an address or a data: URI, which is what the heart takes.

    Raises:
        TaskError: it is none of what it may be.
    """
    if id := _uuid(reference):
        file = await the.files.by_caller_id(caller.tenant, id)
        if file is None:
            raise invalid(place, "is not the UUID of a picture of yours that is still kept")
        return the.files.address(file, caller.origin, now() + _FETCH_SECONDS)
    if reference.lower().startswith(("http://", "https://", "data:")):
        return reference
    try:
        await asyncio.to_thread(base64.b64decode, reference, validate=True)
    except (binascii.Error, ValueError):
        raise invalid(place, "must be a UUID, a URL, a data URI or base64") from None
    return f"data:application/octet-stream;base64,{reference}"


async def _uploaded(task: Mapping[str, Any], name: str, caller: Caller, the: Parts) -> StoredFile:
    given = Members(task).text(name, most=the.settings.max_body_bytes)
    reference = await as_address(given, name, caller, the)
    try:
        inside = await embedded(reference)
    except NotBase64:
        raise invalid(name, "is not valid base64") from None
    if inside:
        return await _saved(inside.content, inside.media_type, caller, the)
    if own := await the.files.own(reference, caller.tenant):
        return await _saved(the.files.read(own), own.content_type, caller, the)
    return await _fetched(reference, name, caller, the)


async def _fetched(url: str, name: str, caller: Caller, the: Parts) -> StoredFile:
    bounds = Bounds(the.settings.max_upload_bytes, _FETCH_SECONDS)
    parent = the.settings.data_directory / "scratch"
    await asyncio.to_thread(parent.mkdir, parents=True, exist_ok=True)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=parent))
    try:
        await the.fetcher.download(url, folder / "file", bounds, entry=name)
        return await _saved(_content(folder / "file"), None, caller, the)
    except FetchFailed as failure:
        raise TaskError("downloadFailed", str(failure), name) from None
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _saved(
    content: bytes | AsyncIterator[bytes], media_type: str | None, caller: Caller, the: Parts
) -> StoredFile:
    id = new_uuid()
    try:
        return await the.files.save(
            content,
            tenant_id=caller.tenant.id,
            kind=UPLOAD,
            name=id,
            content_type=media_type,
            expires_at=now() + the.settings.upload_retention_seconds,
            caller_id=id,
            room=Room(the.settings.max_upload_bytes, caller.tenant.limits.stored_bytes),
        )
    except TooLarge as error:
        raise TaskError("maxSizeExceeded", error.detail) from None


def _address(file: StoredFile, caller: Caller, the: Parts) -> str:
    expires_at = file.expires_at or now() + the.settings.upload_retention_seconds
    return the.files.address(file, caller.origin, expires_at)


async def _content(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) <= 50 else None
    except ValueError:
        return None
