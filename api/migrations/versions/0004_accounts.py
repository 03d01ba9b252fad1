"""Accounts at the upstream: what a prediction counts against whose, and which of them must wait.

Every column has a default of the database's, so that an older release can go on beside a newer one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "predictions",
        sa.Column("account", sa.String(length=64), nullable=False, server_default=""),
    )
    op.add_column(
        "predictions", sa.Column("weight", sa.Integer(), nullable=False, server_default="1")
    )
    # What an account has sent within a minute must not cost more where it has sent much before.
    op.create_index("ix_predictions_account_sent_at", "predictions", ["account", "sent_at"])
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("held_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
