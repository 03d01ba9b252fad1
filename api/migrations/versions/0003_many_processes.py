"""What many processes on one Postgres need to know of each other."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002_groups"
branch_labels = None
depends_on = None

# Told when it is committed, whoever changed the row: a process of ours, or an operator.
_TELL = """
CREATE FUNCTION api_tell_of_prediction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('api_predictions', NEW.id || ' ' || NEW.state || ' ' || NEW.tag);
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER api_tell_of_prediction AFTER INSERT OR UPDATE OF state, cancel_at ON predictions
FOR EACH ROW EXECUTE FUNCTION api_tell_of_prediction()
"""


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("beat_at", sa.Double(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("busy", sa.Integer(), nullable=False),
        sa.Column("drains", sa.Boolean(), nullable=False),
        sa.Column("looks", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "models",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("described", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_models")),
    )
    op.create_table(
        "rates",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("filled_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "creates", name=op.f("pk_rates")),
        # What is lost with a crash of Postgres is a minute's count, and nothing is written twice.
        prefixes=["UNLOGGED"] if op.get_context().dialect.name == "postgresql" else [],
    )
    # Counting what a tenant has unfinished must not cost more where much has ended.
    op.create_index("ix_predictions_tenant_id_state", "predictions", ["tenant_id", "state"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(_TELL)
        op.execute(_TRIGGER)
        # Who is next must not cost more where many have ended.
        op.execute("CREATE INDEX ix_predictions_next ON predictions (tag) WHERE state = 'queued'")
        op.execute(
            "CREATE INDEX ix_predictions_unfinished ON predictions (deadline)"
            " WHERE state IN ('queued', 'taken', 'sent')"
        )
