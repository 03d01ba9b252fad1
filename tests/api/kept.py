"""Where the API of a test keeps what it has: on one machine, or where many processes share it."""

import base64
import itertools
import json
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dev.servers.object_store import ObjectStore
from dev.servers.postgres import Postgres

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Kept:
    """An SQLite file and a directory, both in the API's data; with `store`, Postgres and a bucket.

    `settings` are the API's variables that say so.
    """

    settings: dict[str, str]
    store: ObjectStore | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The same for `Settings`, of an API in this process."""
        return {
            name.removeprefix("API_").lower(): value
            for name, value in self.settings.items()
            if name.startswith("API_")
        }

    def files(self, data: Path) -> set[str]:
        """The names of all files that it has stored."""
        if self.store:
            return self.store.names(self._bucket)
        return {file.name for file in (data / "files").iterdir()}

    def lose(self, data: Path, name: str) -> None:
        """A file's bytes go, and nobody is told."""
        if self.store:
            self.store.lose(self._bucket, name)
        else:
            (data / "files" / name).unlink()

    def rows(self, data: Path, query: str) -> list[tuple[Any, ...]]:
        """What a SELECT finds that reads the same in both dialects."""
        if self.store:
            with self._connect() as connection:
                return connection.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(data / "api.db")) as database:
            return database.execute(query).fetchall()

    def limit(self, data: Path, tenant: str | None = None, **limits: object) -> None:
        """Set the limits of one tenant, or of all."""
        changed = json.dumps(limits)
        if self.store:
            with self._connect() as connection:
                connection.execute(
                    "UPDATE tenants SET limits = %s WHERE name = coalesce(%s, name)",
                    [changed, tenant],
                )
            return
        with closing(sqlite3.connect(data / "api.db", timeout=30)) as database, database:
            database.execute(
                "UPDATE tenants SET limits = ? WHERE name = coalesce(?, name)", [changed, tenant]
            )

    def places_with(self, text: str, data: Path) -> list[str]:
        """Every file, table and object that holds the text."""
        found = [
            str(file.relative_to(data))
            for file in data.rglob("*")
            if file.is_file() and text.encode() in file.read_bytes()
        ]
        if self.store:
            found += self.store.names_with(self._bucket, text.encode())
            found += self._tables_with(text)
        return found

    def _tables_with(self, text: str) -> list[str]:
        # Bytes are shown in hexadecimal digits.
        as_text, as_bytes = f"%{text}%", f"%{text.encode().hex()}%"
        tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        holding = sql.SQL("SELECT 1 FROM {0} WHERE {0}::text LIKE %s OR {0}::text LIKE %s")
        with self._connect() as connection:
            names = [row[0] for row in connection.execute(tables).fetchall()]
            return [
                name
                for name in names
                if connection.execute(
                    holding.format(sql.Identifier(name)), [as_text, as_bytes]
                ).fetchone()
            ]

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.settings["API_DATABASE_URL"])

    @property
    def _bucket(self) -> str:
        return self.settings["API_FILES"].removeprefix("s3://")


def on_one_machine() -> Kept:
    """What an API has that is told nothing."""
    return Kept({})


def shared(postgres: Postgres, store: ObjectStore) -> Kept:
    """An empty database, and an empty bucket."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    settings = {
        "API_DATABASE_URL": postgres.create_database(),
        "API_ENCRYPTION_KEYS": key,
        "API_FILES": store.create_bucket(f"files-{next(_numbers)}"),
    }
    return Kept(settings | store.variables, store)
