"""The application that speaks OpenAI's dialect."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.dialects.openai import images, models
from api.dialects.openai.problems import hung_up, problem, unforeseen, unknown_path
from api.errors import ApiError


def create_app() -> FastAPI:
    """Its routes and its errors; the parts come with each request."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(ApiError, problem)
    app.add_exception_handler(HTTPException, unknown_path)
    app.add_exception_handler(ClientDisconnect, hung_up)
    app.add_exception_handler(Exception, unforeseen)
    app.include_router(images.router)
    app.include_router(models.router)
    return app
