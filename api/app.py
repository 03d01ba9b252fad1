"""Routes and lifespan."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from api.database import Database
from api.dialects.replicate import files as replicate_files
from api.dialects.replicate.problems import problem
from api.errors import ApiError
from api.fetching import open_fetcher
from api.files import serving
from api.files.addresses import Signer
from api.files.files import Files
from api.files.store import Store
from api.files.sweeping import keep_sweeping
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
    app.include_router(serving.router)
    # REPLICATE_BASE_URL holds /v1 for one client and not for another, which then add it or not.
    for prefix in ("/v1", "/v1/v1"):
        app.include_router(replicate_files.router, prefix=prefix)
    return app


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Parts]:
    """The parts, ready for requests.

    Raises:
        BadSettings: a key is wrong.
    """
    settings.data_directory.mkdir(parents=True, exist_ok=True)
    keyring = read_keyring(settings)
    async with AsyncExitStack() as ending:
        database = Database(settings.database_file)
        ending.push_async_callback(database.close)
        await database.migrate()
        store, signer = Store(settings.files_directory), Signer(keyring.signing_keys("files"))
        files = Files(database, store, signer)
        fetcher = await ending.enter_async_context(open_fetcher(settings.private_networks))
        background = await ending.enter_async_context(asyncio.TaskGroup())
        sweeping = background.create_task(keep_sweeping(files))
        ending.callback(sweeping.cancel)
        yield Parts(settings, database, keyring, Tenants(database, keyring), files, fetcher)
