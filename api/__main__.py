"""The whole API in one process: `python -m api`; its parts and commands: `python -m api --help`."""

import argparse
import asyncio
import sys
from pathlib import Path

import uvicorn

from api import json_logs
from api.admin import commands as admin
from api.admin.backup import put_back
from api.admin.refusal import Refused
from api.app import create_app
from api.database.opening import open_database
from api.environment import read_settings
from api.files.addresses import Signer
from api.files.files import Files
from api.files.opening import open_store
from api.predictions.prediction import MAY_HAVE_BEEN_BILLED, End, State
from api.predictions.store import Store
from api.roles import Role
from api.sealing import read_keyring, write_private
from api.servers import listening
from api.settings import BadSettings, Settings
from api.single import owning
from api.tenants import Tenants
from api.websockets import protocol

_FIRST_TENANT = "default"
_STOP_WITHIN = 10  # seconds for open requests; a caller that waits can poll afterwards


def main() -> int:
    """Run the command; 2 and a sentence where a setting is wrong."""
    arguments = _arguments()
    try:
        settings = read_settings()
        _make_data_directory(settings)
        if arguments.command == "token":
            return asyncio.run(_token(settings, arguments))
        if arguments.command == "after-restore":
            return asyncio.run(_after_restore(settings))
        if arguments.command == "restore":
            put_back(settings, arguments.backup)
            return asyncio.run(_after_restore(settings))
        if arguments.command == "admin":
            return asyncio.run(_admin(settings, arguments))
        role = Role(arguments.command or Role.ALL.value)
        if role is not Role.ALL and not (settings.is_shared and settings.files):
            raise BadSettings(
                "Several processes need a database and a file store that they share: set "
                "API_DATABASE_URL and API_FILES, or start everything in one with `python -m api`."
            )
        if role.takes_requests:
            asyncio.run(_first_token(settings))
        return _serve(settings, role)
    except (BadSettings, Refused) as error:
        print(error, file=sys.stderr)
        return 2


def _make_data_directory(settings: Settings) -> None:
    try:
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = settings.data_directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadSettings(
            f"{settings.data_directory} cannot be written to ({error.strerror}); set "
            "API_DATA_DIRECTORY to a directory of this user's."
        ) from None


def token_file(settings: Settings) -> Path:
    """Where the token of the first start is kept, readable by its owner."""
    return settings.data_directory / "token"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser(
        Role.API.value, help="only take requests; the database is one that processes share"
    )
    commands.add_parser(Role.WORKER.value, help="only work beside a Cog server; likewise")
    token = commands.add_parser("token", help="make and revoke tokens; the API may be running")
    actions = token.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="print a new token, which is shown only once")
    create.add_argument("name", help="the tenant, who is made if there is none of that name")
    create.add_argument("--operator", action="store_true", help="one who sees all predictions")
    actions.add_parser("revoke", help="read a token from standard input, and revoke it")
    admin.add_to(commands)
    restore = commands.add_parser(
        "restore", help="put a backup into an empty data directory; the API must not be running"
    )
    restore.add_argument("backup", type=Path, metavar="DIRECTORY")
    commands.add_parser(
        "after-restore",
        help="end what a restored backup takes for unfinished; the API must not be running",
    )
    return parser.parse_args()


async def _token(settings: Settings, arguments: argparse.Namespace) -> int:
    database = open_database(settings)
    try:
        await database.migrate()
        tenants = Tenants(database, read_keyring(settings))
        if arguments.action == "create":
            print(await tenants.create_token(arguments.name, operator=arguments.operator))
            return 0
        if await tenants.revoke(sys.stdin.readline().strip()):
            print("Revoked.")
            return 0
        print("There is no such token.", file=sys.stderr)
        return 1
    finally:
        await database.close()


async def _admin(settings: Settings, arguments: argparse.Namespace) -> int:
    database = open_database(settings)
    try:
        await database.migrate()
        store = open_store(settings)
        signer = Signer(read_keyring(settings).signing_keys("files"))
        print(await admin.run(arguments, settings, database, Files(database, store, signer)))
        return 0
    finally:
        await database.close()


async def _after_restore(settings: Settings) -> int:
    """A backup does not know what was sent after it was made, and would pay for it again."""
    database = open_database(settings)
    try:
        with owning(settings.data_directory):
            await database.migrate()
            count = await Store(database).end_all(
                End(State.FAILED, error=f"The API was restored; {MAY_HAVE_BEEN_BILLED}.")
            )
    finally:
        await database.close()
    print(f"{count} predictions that were unfinished have ended as failed.")
    return 0


async def _first_token(settings: Settings) -> None:
    """Make the operator's token valid, or make one where there is none."""
    database = open_database(settings)
    try:
        await database.migrate()
        tenants = Tenants(database, read_keyring(settings))
        if settings.token:
            await tenants.create_token(_FIRST_TENANT, token=settings.token.get_secret_value())
        elif not await tenants.any_token():
            file = token_file(settings)
            write_private(file, await tenants.create_token(_FIRST_TENANT) + "\n")
            print(f"A token is in {file}, readable by you alone.", flush=True)
    finally:
        await database.close()


def _serve(settings: Settings, role: Role) -> int:
    json_logs.configure()
    config = uvicorn.Config(
        create_app(settings, role),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_WITHIN,
        timeout_keep_alive=75,
        ws=protocol(settings),
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=settings.websocket_ping_seconds,
        ws_ping_timeout=settings.websocket_ping_seconds,
        ws_per_message_deflate=False,  # a few bytes could unpack to gigabytes
    )
    server = uvicorn.Server(config)
    with listening(settings.host, settings.port, "API_PORT") as listener:
        server.run([listener])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
