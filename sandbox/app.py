"""The sandbox's routes."""

import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import catalogue
from sandbox.access import check_key
from sandbox.errors import ApiError, method_not_allowed, not_found
from sandbox.headers import api_headers, new_request_id
from sandbox.service import ImagesEndpoint, Service
from sandbox.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Return the application: the API under ``/v1``, its own pages under ``/sandbox``."""
    service = Service(settings)

    async def models(request: Request) -> Response:
        check_key(request.headers.get("authorization"), settings)
        return _answer(catalogue.cards(settings.models))

    async def model(request: Request) -> Response:
        check_key(request.headers.get("authorization"), settings)
        return _answer(catalogue.card(request.path_params["name"], settings.models))

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            service.recorder.clear()
        return JSONResponse(service.recorder.body())

    async def ledger(request: Request) -> Response:
        if request.method == "DELETE":
            service.ledger.clear()
        return JSONResponse(service.ledger.body())

    return Starlette(
        routes=[
            Route(
                "/v1/images/generations", ImagesEndpoint(service, "generations"), methods=["POST"]
            ),
            Route("/v1/images/edits", ImagesEndpoint(service, "edits"), methods=["POST"]),
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/sandbox/requests", requests, methods=["GET", "DELETE"]),
            Route("/sandbox/ledger", ledger, methods=["GET", "DELETE"]),
            Route("/sandbox/files/{name}", service.files.serve),
        ],
        exception_handlers={HTTPException: _unknown_url, ApiError: _refused},
    )


def _answer(body: dict[str, object], status: int = 200) -> Response:
    """Return what the API says outside of the images endpoints, under its usual headers."""
    return JSONResponse(body, status, api_headers(new_request_id(), time.monotonic()))


async def _unknown_url(request: Request, error: Exception) -> Response:
    wrong_method = isinstance(error, HTTPException) and error.status_code == 405
    refusal = (method_not_allowed if wrong_method else not_found)(request.method, request.url.path)
    return _answer(refusal.body(), refusal.status)


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return _answer(error.body(), error.status)
