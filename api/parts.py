"""What the API is made of while it runs, and how a request gets at it."""

from dataclasses import dataclass

from fastapi import Request

from api.database import Database
from api.fetching import Fetcher
from api.files.files import Files
from api.sealing import Keyring
from api.settings import Settings
from api.tenants import Tenants


@dataclass(frozen=True)
class Parts:
    """Everything that a route may use."""

    settings: Settings
    database: Database
    keyring: Keyring
    tenants: Tenants
    files: Files
    fetcher: Fetcher


def parts(request: Request) -> Parts:
    """The parts, as a dependency of a route."""
    found: Parts = request.app.state.parts
    return found
