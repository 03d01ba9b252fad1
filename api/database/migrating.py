"""Alembic, on a connection that is open."""

import logging
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

log = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migrate(connection: sqlalchemy.Connection) -> None:
    """Bring the schema up to date.

    During a rollout an older release may start on what a newer one has migrated. Migrations only
    add what an older release can do without, so it goes on with that.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    present = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    if present is None or present in known:
        command.upgrade(config, "head")
    else:
        log.info("The schema is that of a newer release, and is taken as it is.")
