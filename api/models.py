"""Which models there are, each as its Cog servers describe it.

The description is kept in the database: a silent Cog server stops nothing at a start, and
processes without a Cog server read it there.
"""

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any

import aiohttp
from sqlalchemy import insert, select, update

from api.cogs import models_of
from api.database import Connection, Database
from api.errors import NotFound, NotReady, Unprocessable
from api.ids import now
from api.input_check import InputSchema
from api.predictions.cog import Cog
from api.settings import Settings
from api.tables import models

log = logging.getLogger(__name__)

_ASK_AGAIN = 1.0  # seconds, until the Cog server has described its model
_READ_AGAIN = (1.0, 10.0)  # seconds: until there is a description, and then


@dataclass(frozen=True)
class Version:
    """What a Cog server runs."""

    id: str
    """64 hex digits, made from the schema: the same schema has the same id."""
    created_at: float
    cog_version: str
    document: dict[str, Any]
    """Cog's OpenAPI document."""
    schema: InputSchema


class Model:
    """A model, with the description that one of its Cog servers gave last."""

    def __init__(self, full_name: str, database: Database) -> None:
        self.owner, _, self.name = full_name.partition("/")
        self._database = database
        self._version: Version | None = None

    @property
    def full_name(self) -> str:
        """As in `owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def version(self) -> Version:
        """What runs.

        Raises:
            NotReady: its Cog server has never answered.
        """
        if self._version is None:
            raise NotReady("The model's server has not answered yet; try again in a minute.")
        return self._version

    @property
    def is_described(self) -> bool:
        """Whether its inputs are known."""
        return self._version is not None

    def is_meant_by(self, wanted: str) -> bool:
        """Whether that is its version's id, `owner/name` or `owner/name:ID`.

        Raises:
            NotReady: its Cog server has never answered.
        """
        name, _, version = wanted.rpartition(":") if ":" in wanted else ("", "", wanted)
        if version == self.full_name:
            return not name
        return name in {"", self.full_name} and version == self.version.id

    async def restore(self) -> None:
        """Take the description that is kept, if there is one."""
        found = select(models.c.described).where(models.c.name == self.full_name)
        described = await self._database.read(lambda connection: connection.execute(found).scalar())
        if described:
            self._version = _version(described)

    async def keep_asking(self, cog: Cog) -> None:
        """Ask the Cog server until it has described what it runs."""
        while True:
            try:
                document, cog_version = await cog.describe()
                break
            except (aiohttp.ClientError, TimeoutError, ValueError):
                await asyncio.sleep(_ASK_AGAIN)
        described = {"document": document, "cog_version": cog_version, "created_at": now()}
        version = _version(described)
        if self._version and self._version.id == version.id:
            return
        self._version = version
        await self._keep(described)
        log.info("The model %s has version %s.", self.full_name, version.id)

    async def _keep(self, described: dict[str, Any]) -> None:
        this_one = models.c.name == self.full_name
        kept = update(models).where(this_one).values(described=described)

        def keep(connection: Connection) -> None:
            if not connection.execute(kept.returning(models.c.name)).first():
                row = {"name": self.full_name, "described": described}
                connection.execute(insert(models).values(row))

        await self._database.write(keep, turn_of="describe a model")


class Models:
    """All models that callers may name: the one of the settings first."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.all = [Model(full_name, database) for full_name in models_of(settings)]
        self._deployments = settings.deployments

    @property
    def first(self) -> Model:
        """The one that is meant where no other is named."""
        return self.all[0]

    def named(self, owner: str, name: str) -> Model:
        """Raises NotFound where there is no such model."""
        for model in self.all:
            if (owner, name) == (model.owner, model.name):
                return model
        raise NotFound(f"The model {owner}/{name} does not exist here.")

    def deployed(self, owner: str, name: str) -> Model:
        """Raises NotFound where no deployment of that name is set up."""
        if f"{owner}/{name}" not in self._deployments:
            raise NotFound(f"The deployment {owner}/{name} does not exist here.")
        return self.first

    def of_version(self, wanted: str) -> Model:
        """`wanted` is an id, `owner/name` or `owner/name:ID`.

        Raises:
            Unprocessable: it is none of ours.
            NotReady: no Cog server has ever answered.
        """
        known = [model for model in self.all if model.is_described] or [self.first]
        for model in known:
            if model.is_meant_by(wanted):
                return model
        raise Unprocessable(
            "The specified version does not exist (or perhaps you don't have permission to "
            "use it?)",
            title="Invalid version or not permitted",
        )

    def taking(self, input_name: str) -> Model:
        """The first that has such an input; the very first where none has."""
        for model in self.all:
            if model.is_described and input_name in model.version.schema.properties:
                return model
        return self.first

    async def restore(self) -> None:
        """Take the descriptions that are kept."""
        for model in self.all:
            await model.restore()

    async def keep_reading(self) -> None:
        """Where others ask the Cog servers: take what they are told, until cancelled."""
        while True:
            await asyncio.sleep(_READ_AGAIN[all(model.is_described for model in self.all)])
            try:
                await self.restore()
            except Exception:
                log.exception("Could not read the models' descriptions; will try again.")


def _version(described: dict[str, Any]) -> Version:
    document = described["document"]
    canonical = json.dumps(document["components"]["schemas"], sort_keys=True)
    return Version(
        id=hashlib.sha256(canonical.encode()).hexdigest(),
        created_at=described["created_at"],
        cog_version=described["cog_version"],
        document=document,
        schema=InputSchema(document),
    )
