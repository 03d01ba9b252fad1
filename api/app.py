"""Routes and lifespan."""

import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api import health
from api.body import Bodies
from api.cogs import cogs_of
from api.database.opening import open_database
from api.dialects.coretoday import application as coretoday
from api.dialects.openai import application as openai
from api.dialects.replicate import account, create, files, predictions
from api.dialects.replicate import models as replicate_models
from api.dialects.replicate.problems import hung_up, problem, unforeseen, unknown_path
from api.dialects.replicate.shapes import Shapes
from api.dialects.routing import ByDialect, Dialect
from api.dialects.runware import application as runware
from api.dialects.runware.finish import Finish
from api.dialects.runware.results import Results
from api.errors import ApiError
from api.fetching import open_fetcher
from api.files import serving
from api.files.addresses import Signer
from api.files.files import Files
from api.files.opening import open_store
from api.files.sweeping import keep_sweeping
from api.files.thumbnails import Thumbnails
from api.limits import Rates
from api.metrics import create_metrics
from api.models import Models
from api.parts import Parts
from api.paths import MendedPaths
from api.playground.routes import router as playground
from api.predictions.cog import open_cog
from api.predictions.heart import open_heart
from api.predictions.input_files import InputFiles
from api.predictions.prediction import End, Prediction
from api.predictions.retention import Retention
from api.predictions.work import CogBeside
from api.predictions.worker import Background
from api.refused_start import RefusedStart
from api.roles import Role
from api.sealing import read_keyring
from api.servers import listening, serving_on
from api.settings import Settings
from api.single import owning
from api.tenants import Tenants
from api.uploading import Uploading
from api.webhooks import Webhooks


def create_app(settings: Settings, role: Role = Role.ALL) -> FastAPI:
    """The application; its parts come to life with it, and end with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings, role) as app.state.parts:
            # All that is there now stays: the collector would stop everybody to look through it,
            # 165,000 objects, once in some 60 predictions.
            gc.collect()
            gc.freeze()
            yield

    app = FastAPI(
        title="Replicate's API before Cog servers",
        lifespan=lifespan,
        docs_url=None,  # their pages come from a stranger's server
        redoc_url=None,
    )
    app.add_exception_handler(ApiError, problem)
    app.add_exception_handler(HTTPException, unknown_path)
    app.add_exception_handler(ClientDisconnect, hung_up)
    app.add_exception_handler(Exception, unforeseen)
    if role.takes_requests:
        _speak_to_callers(app)
    app.add_middleware(RefusedStart)
    app.include_router(health.router)
    return app


def _speak_to_callers(app: FastAPI) -> None:
    app.add_middleware(
        ByDialect,
        applications={
            Dialect.OPENAI: openai.create_app(),
            Dialect.CORETODAY: coretoday.create_app(),
            Dialect.RUNWARE: runware.create_app(),
        },
    )
    app.add_middleware(MendedPaths)
    for part in (serving, create, predictions, replicate_models, files, account):
        app.include_router(part.router)
    app.include_router(playground)


@asynccontextmanager
async def running(settings: Settings, role: Role = Role.ALL) -> AsyncIterator[Parts]:
    """The parts, ready for requests; what was unfinished goes on.

    Raises:
        BadSettings: a key is wrong, or another process owns what this one needs alone.
    """
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as ending:
        if not settings.is_shared:
            ending.enter_context(owning(settings.data_directory))
        keyring = read_keyring(settings)
        database = open_database(settings)
        ending.push_async_callback(database.close)
        await database.migrate()
        tenants = Tenants(database, keyring)
        signer = Signer(keyring.signing_keys("files"))
        store = open_store(settings)
        await store.begin()
        stored = Files(database, store, signer)
        fetcher = await ending.enter_async_context(open_fetcher(settings.private_networks))
        models = Models(settings, database)
        await models.restore()
        background = Background()

        scales = Finish(stored, settings.data_directory / "scratch")

        async def render(prediction: Prediction, place: int | None) -> bytes:
            if prediction.dialect == Dialect.RUNWARE:
                return await Results(the).webhook(prediction, place)
            return await Shapes(the).webhook(prediction)

        async def finish(prediction: Prediction, end: End) -> End:
            return await scales(prediction, end) if prediction.dialect == Dialect.RUNWARE else end

        webhooks = Webhooks(
            database,
            tenants,
            fetcher,
            render,
            Uploading(stored, fetcher).put,
            attempts=settings.webhook_attempts,
        )
        cogs, callbacks = [], None
        if role.works:
            cogs = [
                CogBeside(each, await ending.enter_async_context(open_cog(each.url)))
                for each in cogs_of(settings)
            ]
            callbacks = ending.enter_context(
                listening("127.0.0.1", settings.worker_port, "API_WORKER_PORT")
            )
        worker_url = f"http://127.0.0.1:{callbacks.getsockname()[1]}" if callbacks else ""
        heart = await ending.enter_async_context(
            open_heart(
                settings,
                database,
                keyring,
                stored,
                fetcher,
                webhooks.tell,
                finish,
                cogs,
                worker_url,
            )
        )
        the = Parts(
            settings=settings,
            database=database,
            keyring=keyring,
            tenants=tenants,
            rates=Rates(database),
            bodies=Bodies(settings),
            files=stored,
            thumbnails=Thumbnails(stored),
            fetcher=fetcher,
            models=models,
            input_files=InputFiles(
                stored, settings.upload_retention_seconds, settings.max_upload_bytes
            ),
            heart=heart,
        )
        if callbacks and heart.work:
            await ending.enter_async_context(serving_on(callbacks, heart.work.callbacks))
        watched = ending.enter_context(
            listening(settings.metrics_host, settings.metrics_port, "API_METRICS_PORT")
        )
        await ending.enter_async_context(serving_on(watched, create_metrics(heart.store)))
        ending.push_async_callback(webhooks.stop)
        ending.push_async_callback(background.stop)
        background.start(webhooks.keep_delivering())
        for beside in cogs:
            model = models.named(*beside.settings.model.split("/"))
            background.start(model.keep_asking(beside.cog))
        if not cogs:
            background.start(models.keep_reading())
        if role.takes_requests:
            background.start(keep_sweeping(stored))
            background.start(
                Retention(
                    database, stored, settings.retention_seconds, settings.record_retention_seconds
                ).keep_removing()
            )
        heart.start()
        if heart.work and role is Role.WORKER:
            ending.push_async_callback(heart.work.drain)
        yield the
