"""Groups of predictions, files by callers' ids, and deliveries of single outputs.

Every column is nullable or has a default of the database's, so that an older release can go on
beside a newer one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_groups"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("dialect", sa.String(length=16)))
    op.add_column("predictions", sa.Column("dialect_data", sa.JSON(none_as_null=True)))
    op.add_column("predictions", sa.Column("upload_url", sa.Text()))
    op.create_index(
        "ix_predictions_tenant_id_group_id", "predictions", ["tenant_id", "group_id"], unique=False
    )
    op.add_column("files", sa.Column("caller_id", sa.String(length=64)))
    op.create_index(
        "ix_files_tenant_id_caller_id", "files", ["tenant_id", "caller_id"], unique=True
    )
    op.add_column(
        "deliveries",
        sa.Column("kind", sa.String(length=16), nullable=False, server_default="webhook"),
    )
    op.add_column("deliveries", sa.Column("place", sa.Integer()))
