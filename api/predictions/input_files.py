"""Files leave the input: data: URIs are stored, our own addresses resolved without the network."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from api.data_uri import Embedded, NotBase64, embedded
from api.errors import InvalidField, InvalidInput
from api.fetching import FetchFailed, parse
from api.files.files import Files, Room
from api.files.rows import INPUT, StoredFile
from api.ids import now
from api.predictions.references import FileReference, Reference, UrlReference
from api.tenants import Tenant


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
        try:
            inside = await embedded(url)
        except NotBase64:
            raise _unusable(place, "Is not valid base64") from None
        if inside:
            return await self._stored(inside, tenant, prediction_id)
        if own := await self._files.own(url, tenant):
            return FileReference(own.id)
        if self._files.is_upload(url):
            raise _unusable(place, "Must be a file that you have uploaded and that has not expired")
        try:
            parse(url, place)
        except FetchFailed:
            raise _unusable(
                place, "Must be an http(s) URL, a data URI or the URL of an uploaded file"
            ) from None
        return UrlReference(url)

    async def store(
        self,
        content: bytes | AsyncIterator[bytes],
        name: str,
        media_type: str,
        tenant: Tenant,
        prediction_id: str,
    ) -> StoredFile:
        """Keep a file that came with the request itself.

        Raises:
            TooLarge: the tenant has no room for it.
        """
        return await self._files.save(
            content,
            tenant_id=tenant.id,
            kind=INPUT,
            name=name,
            prediction_id=prediction_id,
            content_type=media_type,
            expires_at=now() + self._keep_seconds,
            room=Room(self._file_bytes, tenant.limits.stored_bytes),
        )

    async def _stored(self, inside: Embedded, tenant: Tenant, prediction_id: str) -> FileReference:
        name = f"input{inside.suffix}"
        file = await self.store(inside.content, name, inside.media_type, tenant, prediction_id)
        return FileReference(file.id)


def _unusable(place: str, why: str) -> InvalidInput:
    return InvalidInput([InvalidField("format", place, why)])
