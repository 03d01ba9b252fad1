"""Changes of the database, in order; Alembic runs them at the start."""
