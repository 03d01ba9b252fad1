"""A Postgres of our own on loopback, from Debian's packages, with nothing but what is put there."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from dev.servers.process import HOST, Server, clean_environment, free_port

_USER = "postgres"  # Postgres refuses to run as root
_databases = itertools.count(1)


class NoPostgres(Exception):
    """Its programs are not installed; the text says with which command they are."""


class Postgres:
    """One server with its data, which can be ended, killed and started again at its place."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._programs = _programs()
        self._data = folder / "data"
        self._options = options
        self.port = free_port()
        self._as_user = _as_user(folder)
        subprocess.run(
            [
                *self._as_user,
                self._programs / "initdb",
                *("--pgdata", self._data, "--username", _USER, "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.server: Server | None = None

    def url(self, database: str = _USER) -> str:
        """The address of one of its databases."""
        return f"postgresql://{_USER}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_min_messages": "fatal",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        program: list[str | Path] = [self._programs / "postgres", "-D", self._data]
        command = [*self._as_user, *program, *options, *self._options]
        self.server = Server("Postgres", command, clean_environment())
        self.server.wait_until(self._answers)

    def stop(self) -> None:
        """End it in order; connections are closed."""
        if self.server:
            if self.server.process.poll() is None:
                self.server.process.send_signal(signal.SIGINT)
                self.server.process.wait(30)
            self.server.stop()

    def create_database(self) -> str:
        """The address of a new database."""
        name = f"api_{os.getpid()}_{next(_databases)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres_server(*options: str) -> Iterator[Postgres]:
    """A Postgres that runs; `options` are its own, as in `--fsync=off`.

    Raises:
        NoPostgres: it is not installed.
    """
    # Not below a folder that only its owner may enter: the server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="gpt-image-2-postgres-", dir="/tmp"))
    try:
        postgres = Postgres(folder, *options)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = debian[-1] if debian else shutil.which("initdb")
    if found is None:
        raise NoPostgres("There is no Postgres; on Debian: apt-get install postgresql")
    return Path(found).resolve().parent


def _as_user(folder: Path) -> list[str]:
    """What begins a command that runs as somebody other than root."""
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam(_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
