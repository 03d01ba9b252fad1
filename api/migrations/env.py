"""How Alembic reaches the database: over the connection that the API hands it."""

from alembic import context

from api.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
