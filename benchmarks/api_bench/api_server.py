"""The API before Cog's server, as the benchmarks and the soak start it."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from api.tenants import Limits
from dev.servers import Server, free_port
from dev.servers.api import Api, api_before, predictor_for_api

UNLIMITED = Limits(
    unfinished=1_000_000,
    creates_per_minute=10_000_000,
    requests_per_minute=10_000_000,
    stored_bytes=1 << 50,
)


@dataclass(frozen=True)
class Served:
    """Both servers; the caller is a tenant without limits."""

    api: Api
    cog: Server

    @property
    def processes(self) -> tuple[Server, Server]:
        """The API's, then Cog's."""
        assert self.api.server
        return self.api.server, self.cog


@contextmanager
def api_and_cog(slots: int, *, predictor: Mapping[str, str], **settings: str) -> Iterator[Served]:
    """The API before Cog's server with so many slots, ready; all their data is removed afterwards.

    Args:
        predictor: environment variables of Cog's server.
        settings: environment variables of the API.
    """
    worker_port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        data, outputs = Path(folder) / "data", Path(folder) / "outputs"
        environment = {"COG_MAX_CONCURRENCY": str(slots)} | dict(predictor)
        settings = {"API_COG_SLOTS": str(slots)} | settings
        with (
            predictor_for_api(worker_port, outputs, **environment) as cog,
            api_before(cog, worker_port, data, outputs, **settings) as api,
        ):
            assert api.server
            api.server.root = api.server.url = api.url
            _lift_limits(data / "api.db")
            yield Served(api, cog)


def _lift_limits(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE tenants SET limits = ?", [json.dumps(asdict(UNLIMITED))])
