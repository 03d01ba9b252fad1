"""Runware's application."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.dialects.runware import rest, socket
from api.dialects.runware.problems import TaskError, error_item, task_error


def create_app() -> FastAPI:
    """Its routes, and its errors where no route tells them."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(ClientDisconnect, _hung_up)
    app.add_exception_handler(Exception, _unforeseen)
    app.include_router(rest.router)
    app.include_router(socket.router)
    return app


async def _unknown(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _told(TaskError("invalidRequest", str(error.detail), status=error.status_code))


async def _hung_up(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


async def _unforeseen(_request: Request, error: Exception) -> Response:
    return _told(task_error(error))


def _told(error: TaskError) -> Response:
    item = error_item(error)
    return JSONResponse({"errors": [item], "error": item}, error.status)
