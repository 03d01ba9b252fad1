"""Routes and lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.database import Database
from api.dialects.replicate.problems import problem
from api.errors import ApiError
from api.parts import Parts
from api.sealing import read_keyring
from api.settings import Settings
from api.tenants import Tenants


def create_app(settings: Settings) -> FastAPI:
    """The application; its parts come to life with it, and end with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings) as app.state.parts:
            yield

    app = FastAPI(title="Replicate's API before Cog servers", lifespan=lifespan)
    app.add_exception_handler(ApiError, problem)
    return app


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Parts]:
    """The parts, ready for requests.

    Raises:
        BadSettings: a key is wrong.
    """
    settings.data_directory.mkdir(parents=True, exist_ok=True)
    keyring = read_keyring(settings)
    database = Database(settings.database_file)
    try:
        await database.migrate()
        yield Parts(settings, database, keyring, Tenants(database, keyring))
    finally:
        await database.close()
