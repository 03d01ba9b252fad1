"""Models and their versions."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from api.dialects.openai.models import listing
from api.dialects.openai.names import served_by
from api.dialects.replicate.caller import Caller
from api.dialects.replicate.times import iso
from api.errors import NotFound
from api.models import Model, Version
from api.origin import origin
from api.parts import Parts, The

router = APIRouter()


@router.get("/v1/models")
async def models(request: Request, _tenant: Caller, the: The) -> dict[str, Any]:
    """List the models; OpenAI's clients ask at the same path, and read `data`."""
    shown = [_model(each, the, request) for each in the.models.all if each.is_described]
    return _page(shown) | listing(served_by(the.models))


@router.api_route("/v1/models", methods=["QUERY"], include_in_schema=False)
async def search(request: Request, _tenant: Caller, the: The) -> dict[str, Any]:
    """Search the models for the body's text."""
    async with the.bodies.read(request) as body:
        wanted = body.decode(errors="replace").strip().lower()
    described = [each for each in the.models.all if each.is_described]
    found = [each for each in described if wanted in each.full_name.lower()]
    return _page([_model(each, the, request) for each in found])


@router.get("/v1/models/{owner}/{name}")
async def model(
    owner: str, name: str, request: Request, _tenant: Caller, the: The
) -> dict[str, Any]:
    """Get a model."""
    return _model(the.models.named(owner, name), the, request)


@router.get("/v1/models/{owner}/{name}/versions")
async def versions(owner: str, name: str, _tenant: Caller, the: The) -> dict[str, Any]:
    """List a model's versions."""
    return _page([_version(the.models.named(owner, name).version)])


@router.get("/v1/models/{owner}/{name}/versions/{version_id}")
async def version(
    owner: str, name: str, version_id: str, _tenant: Caller, the: The
) -> dict[str, Any]:
    """Get a version."""
    version = the.models.named(owner, name).version
    if version_id != version.id:
        raise NotFound("Version not found")
    return _version(version)


@router.get("/v1/models/{owner}/{name}/readme", response_class=PlainTextResponse)
async def readme(owner: str, name: str, _tenant: Caller, the: The) -> str:
    """Get a model's README."""
    model = the.models.named(owner, name)
    inputs = "\n".join(
        f"- `{input_name}`: {about.get('description', '')}"
        for input_name, about in model.version.schema.properties.items()
    )
    return f"# {model.full_name}\n\n{inputs}\n"


@router.get("/v1/models/{owner}/{name}/examples")
async def examples(owner: str, name: str, _tenant: Caller, the: The) -> dict[str, Any]:
    """List a model's examples: there are none."""
    the.models.named(owner, name)
    return _page([])


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"previous": None, "next": None, "results": results}


def _model(served: Model, the: Parts, request: Request) -> dict[str, Any]:
    return {
        "url": f"{origin(request, the.settings)}/v1/models/{served.full_name}",
        "owner": served.owner,
        "name": served.name,
        "description": None,
        "visibility": "private",
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": _version(served.version),
        "is_official": False,
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "created_at": iso(version.created_at),
        "cog_version": version.cog_version,
        "openapi_schema": version.document,
    }
