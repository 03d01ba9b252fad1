"""Small pictures, for whoever has the signed address of the original."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.errors import NotFound
from api.files.addresses import read_address
from api.files.serving import serve
from api.files.thumbnail_ids import Edge
from api.parts import Parts, parts

router = APIRouter(include_in_schema=False)

_EDGES = {edge.name.lower(): edge for edge in Edge}


def small_address(address: str, edge: Edge) -> str:
    """The path of a file's small picture, from the path of the file itself."""
    return f"/playground/{edge.name.lower()}{address}"


@router.get("/playground/{edge}/files/{rest:path}")
async def small(
    edge: str, rest: str, request: Request, the: Annotated[Parts, Depends(parts)]
) -> Response:
    """A small picture; the original's signature is permission enough."""
    address = read_address(f"/files/{rest}")
    original = await the.files.addressed(address)
    if address is None or original is None or edge not in _EDGES:
        raise NotFound("There is no such picture, or its address has expired.")
    found = await the.thumbnails.of(original, _EDGES[edge], float(address.expiry))
    if found is None:
        raise NotFound("There is no small picture of this file.")
    return await serve(the.files, found, request)
