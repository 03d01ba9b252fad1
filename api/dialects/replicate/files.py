"""Replicate's Files API: `/files`."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.dialects.replicate.caller import Caller
from api.dialects.replicate.openapi import CREATE_FILE
from api.dialects.replicate.pages import PAGE, page, read_cursor
from api.dialects.replicate.times import iso
from api.dialects.replicate.upload_form import Description
from api.errors import NotFound, Unprocessable
from api.files.addresses import Address, decoded
from api.files.files import Room
from api.files.form import Form, form_of
from api.files.rows import UPLOAD, StoredFile
from api.files.serving import serve
from api.ids import now
from api.origin import origin
from api.parts import Parts, The
from api.tenants import Tenant

router = APIRouter()


@router.post("/v1/files", status_code=201, openapi_extra=CREATE_FILE)
async def create_file(request: Request, tenant: Caller, the: The) -> JSONResponse:
    """Keep the file of a form, for a day unless the operator has set another time."""
    async with form_of(request, the.settings.body_seconds) as form:
        file = await _receive(form, tenant, the)
    return JSONResponse(_shape(file, origin(request, the.settings), the), 201)


@router.get("/v1/files")
async def list_files(
    request: Request, tenant: Caller, the: The, cursor: str | None = None
) -> dict[str, Any]:
    """The caller's uploads, newest first."""
    edge = read_cursor(cursor)
    root = origin(request, the.settings)
    return page(
        await the.files.uploads(tenant, PAGE + 1, edge.before, edge.after),
        edge,
        f"{root}/v1/files",
        place=lambda file: (file.created_at, file.id),
        shape=lambda file: _shape(file, root, the),
    )


@router.get("/v1/files/{file_id}")
async def get_file(file_id: str, request: Request, tenant: Caller, the: The) -> dict[str, Any]:
    """What is known of an upload."""
    return _shape(await _upload(file_id, tenant, the), origin(request, the.settings), the)


@router.delete("/v1/files/{file_id}", status_code=204)
async def delete_file(file_id: str, tenant: Caller, the: The) -> Response:
    """Remove an upload, bytes and all."""
    file = await _upload(file_id, tenant, the)
    await the.files.remove([file.id])
    return Response(status_code=204)


@router.get("/v1/files/{file_id}/download")
async def download_file(
    file_id: str, request: Request, the: The, owner: str = "", expiry: str = "", signature: str = ""
) -> Response:
    """An upload's bytes, to whoever has the signed address; no token is needed."""
    file = await the.files.addressed(Address(file_id, expiry, decoded(signature)))
    if file is None or file.tenant_id != owner:
        raise _not_found()
    return await serve(the.files, file, request)


async def _receive(form: Form, tenant: Tenant, the: Parts) -> StoredFile:
    said, file = Description(), None
    try:
        async for part in form.parts():
            if part.name != "content":
                await said.add(part)
                continue
            if file:
                raise Unprocessable("Send one file in one form.")
            said.of_content(part)
            file = await the.files.save(
                part.pieces(),
                tenant_id=tenant.id,
                kind=UPLOAD,
                name=said.name,
                content_type=said.content_type,
                expires_at=now() + the.settings.upload_retention_seconds,
                room=Room(the.settings.max_upload_bytes, tenant.limits.stored_bytes),
            )
        if file is None:
            raise Unprocessable("The form has no part named content, with the file.")
        return await the.files.describe(file, said.name, said.content_type, said.metadata)
    except BaseException:
        if file:
            await the.files.remove([file.id])
        raise


async def _upload(file_id: str, tenant: Tenant, the: Parts) -> StoredFile:
    if file := await the.files.upload(file_id, tenant):
        return file
    raise _not_found()


def _not_found() -> NotFound:
    return NotFound("The requested file could not be found.")


def _shape(file: StoredFile, root: str, the: Parts) -> dict[str, Any]:
    expires_at = file.expires_at or 0.0  # which every upload has
    query = urlencode(the.files.download_query(file, expires_at))
    return {
        "id": file.id,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "etag": file.md5,
        "checksums": {"sha256": file.sha256, "md5": file.md5},
        "metadata": file.metadata,
        "created_at": iso(file.created_at),
        "expires_at": iso(expires_at),
        "urls": {
            "get": f"{root}/v1/files/{file.id}",
            # Ours: Replicate leaves it to its users to sign such an address.
            "download": f"{root}/v1/files/{file.id}/download?{query}",
        },
    }
