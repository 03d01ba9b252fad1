"""Which database the settings name."""

from api.database import Database
from api.database.sqlite import Sqlite
from api.settings import Settings


def open_database(settings: Settings) -> Database:
    """Postgres where a URL says so, else the file in the data directory."""
    if settings.database_url is None:
        return Sqlite(settings.database_file)
    # Only here: one machine needs neither the time nor the memory of its driver.
    from api.database.postgres import Postgres

    return Postgres(settings.database_url.get_secret_value(), settings.database_connections)
