"""What the API is made of while it runs, and how a request gets at it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.body import Bodies
from api.database import Database
from api.fetching import Fetcher
from api.files.files import Files
from api.files.thumbnails import Thumbnails
from api.limits import Rates
from api.models import Models
from api.predictions.heart import Heart
from api.predictions.input_files import InputFiles
from api.predictions.predictions import Predictions
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
    rates: Rates
    bodies: Bodies
    files: Files
    thumbnails: Thumbnails
    fetcher: Fetcher
    models: Models
    input_files: InputFiles
    heart: Heart

    @property
    def predictions(self) -> Predictions:
        """What may be asked of predictions."""
        return self.heart.predictions


async def parts(request: Request) -> Parts:  # FastAPI would call a plain function in a thread
    """The parts, as a dependency of a route."""
    found: Parts = request.app.state.parts
    return found


The = Annotated[Parts, Depends(parts)]
