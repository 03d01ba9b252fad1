"""Files leave the input: data: URIs are stored, our own addresses resolved without the network."""

import asyncio
import base64
import binascii
import mimetypes
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from api.errors import InvalidField, InvalidInput
from api.fetching import FetchFailed, parse
from api.files.files import Files, Room
from api.files.rows import INPUT
from api.ids import now
from api.predictions.references import FileReference, Reference, UrlReference
from api.tenants import Tenant

_DATA = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)


class InputFiles:
    """Takes files out of the inputs of new predictions.

    Args:
        keep_seconds: how long an input is kept at most.
        room: bytes that one file may have.
    """

    def __init__(self, files: Files, keep_seconds: float, file_bytes: int) -> None:
        self._files = files
        self._keep_seconds = keep_seconds
        self._file_bytes = file_bytes

    async def taken_out(
        self, input: Mapping[str, Any], names: set[str], tenant: Tenant, prediction_id: str
    ) -> dict[str, Any]:
        """The input with a reference in place of each address among the inputs in `names`.

        Raises:
            InvalidInput: one is neither http(s), nor a data: URI, nor a file of ours.
            TooLarge: the tenant has no room for one.
        """
        taken = dict(input)
        for name in names & taken.keys():
            place, value = f"input.{name}", taken[name]
            if isinstance(value, list):
                taken[name] = [
                    (await self._reference(each, f"{place}.{n}", tenant, prediction_id)).as_json()
                    for n, each in enumerate(value)
                ]
            elif isinstance(value, str):
                reference = await self._reference(value, place, tenant, prediction_id)
                taken[name] = reference.as_json()
        return taken

    async def forget(self, prediction_id: str) -> None:
        """Remove what was stored for a prediction that was not accepted."""
        files = await self._files.of_prediction(prediction_id)
        await self._files.remove([file.id for file in files])

    async def _reference(
        self, url: str, place: str, tenant: Tenant, prediction_id: str
    ) -> Reference:
        if match := _DATA.match(url):
            return await self._stored(url, match, place, tenant, prediction_id)
        if own := await self._files.own(url, tenant):
            return FileReference(own.id)
        try:
            parse(url, place)
        except FetchFailed:
            raise _unusable(
                place, "Must be an http(s) URL, a data URI or the URL of an uploaded file"
            ) from None
        return UrlReference(url)

    async def _stored(
        self, url: str, match: re.Match[str], place: str, tenant: Tenant, prediction_id: str
    ) -> FileReference:
        is_base64 = match[2].lower().endswith(";base64")
        try:
            content = await asyncio.to_thread(_decoded, url, match.end(), is_base64)
        except (binascii.Error, ValueError):
            raise _unusable(place, "Is not valid base64") from None
        media_type = match[1].lower() or "application/octet-stream"
        file = await self._files.save(
            content,
            tenant_id=tenant.id,
            kind=INPUT,
            name=f"input{mimetypes.guess_extension(media_type) or ''}",
            prediction_id=prediction_id,
            content_type=media_type,
            expires_at=now() + self._keep_seconds,
            room=Room(self._file_bytes, tenant.limits.stored_bytes),
        )
        return FileReference(file.id)


def _decoded(url: str, start: int, is_base64: bool) -> bytes:
    data = unquote_to_bytes(url[start:])
    return base64.b64decode(data, validate=True) if is_base64 else data


def _unusable(place: str, why: str) -> InvalidInput:
    return InvalidInput([InvalidField("format", place, why)])
