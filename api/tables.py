"""What is stored: the tables, in SQL that SQLite and Postgres share.

Times are seconds since the epoch. A change here needs a migration in `migrations/versions`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(26)

tenants = Table(
    "tenants",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),  # tenant or operator
    Column("webhook_secret", LargeBinary, nullable=False),  # sealed, bound to the id
    Column("limits", JSON, nullable=False),
    Column("last_tag", Double, nullable=False, default=0.0),  # of its newest prediction
    Column("created_at", Double, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("tenant_id", _ID, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256, hex
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)

predictions = Table(
    "predictions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("tenant_id", _ID, ForeignKey("tenants.id"), nullable=False),
    Column("token_id", _ID, ForeignKey("tokens.id"), nullable=False),
    Column("model", String(255), nullable=False),
    Column("version", String(64), nullable=False),
    Column("deployment", String(255)),
    Column("origin", String(255), nullable=False),  # how its caller addressed the API
    Column("input", JSON(none_as_null=True), nullable=False),  # without secrets; files as stored:ID
    Column("secrets", LargeBinary),  # sealed, bound to the id; gone at the end
    Column("state", String(16), nullable=False),
    Column("owner", String(64)),  # the worker that took it
    Column("attempt", Integer, nullable=False, default=0),
    Column("cog_id", String(64), unique=True),  # of this attempt, known to nobody but Cog and us
    Column("cog_identity", String(64)),  # the Cog server that it was sent to
    Column("tag", Double, nullable=False),  # its place in the fair order
    Column("not_before", Double, nullable=False, default=0.0),
    Column("created_at", Double, nullable=False),
    Column("deadline", Double, nullable=False),
    Column("cancel_after", Boolean, nullable=False, default=False),  # the caller set the deadline
    Column("sent_at", Double),
    Column("started_at", Double),
    Column("cancel_at", Double),  # when its cancellation was asked for
    Column("completed_at", Double),
    Column("output", JSON(none_as_null=True)),  # files as stored:ID
    Column("error", Text),
    Column("logs", Text, nullable=False, default=""),
    Column("metrics", JSON(none_as_null=True)),
    Column("removed_at", Double),  # when its data was removed
    Column("webhook", Text),
    Column("webhook_events", JSON, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("answer", String(16), nullable=False),  # waiting, written or lost
    Column("accepted_by", String(32), nullable=False),  # the process's life that accepted it
    # Its request said that it repeats one, which had not been accepted yet.
    Column("before_its_first", Boolean, nullable=False, default=False),
    Column("caller_id", String(64)),  # an id of the caller's own choosing
    Column("group_id", String(64)),  # what predictions have in common that are one task of a caller
    Column("dollars", Double, nullable=False, default=0.0),  # reserved, then settled
    Column("dialect", String(16)),  # that tells of its end; absent: Replicate's
    Column("dialect_data", JSON(none_as_null=True)),  # what that dialect must know for its answers
    Column("upload_url", Text),  # where its caller wants each output put
    # On whose account at the upstream it draws: a keyed hash, empty for the operator's own.
    Column("account", String(64), nullable=False, server_default=""),
    Column("weight", Integer, nullable=False, server_default="1"),  # images, against its limit
    UniqueConstraint("tenant_id", "caller_id"),
    Index("ix_predictions_tenant_id_group_id", "tenant_id", "group_id"),
    Index("ix_predictions_tenant_id_created_at", "tenant_id", "created_at", "id"),
    Index("ix_predictions_tenant_id_state", "tenant_id", "state"),
    Index("ix_predictions_state", "state"),
    Index("ix_predictions_token_id_request_hash", "token_id", "request_hash"),
    Index("ix_predictions_completed_at", "completed_at"),
    Index("ix_predictions_account_sent_at", "account", "sent_at"),
)

# Postgres would look at every row where it believes that many wait.
for _index in (
    Index(
        "ix_predictions_next",
        predictions.c.tag,
        postgresql_where=predictions.c.state == "queued",
    ),
    Index(
        "ix_predictions_unfinished",
        predictions.c.deadline,
        postgresql_where=predictions.c.state.in_(["queued", "taken", "sent"]),
    ),
):
    _index.info["only"] = "postgresql"
    _index.ddl_if(dialect="postgresql")

files = Table(
    "files",
    metadata,
    Column("id", _ID, primary_key=True),  # also its name in the file store
    Column("tenant_id", _ID, ForeignKey("tenants.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # upload, input or output
    Column("prediction_id", _ID, index=True),  # of an input or an output
    Column("name", String(255), nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("md5", String(32), nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),  # absent: kept as long as its prediction's data
    Column("caller_id", String(64)),  # the id by which its tenant's callers know it
    Index("ix_files_tenant_id_caller_id", "tenant_id", "caller_id", unique=True),
    Index("ix_files_tenant_id_created_at", "tenant_id", "created_at", "id"),
    Index("ix_files_expires_at", "expires_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(64), primary_key=True),  # the webhook-id, the same on each try
    Column("prediction_id", _ID, nullable=False, index=True),
    Column("tenant_id", _ID, ForeignKey("tenants.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Double, nullable=False, index=True),
    Column("created_at", Double, nullable=False),
    Column("kind", String(16), nullable=False, server_default="webhook"),  # or upload
    Column("place", Integer),  # of the output that it is about; absent: the whole prediction
)

workers = Table(
    "workers",
    metadata,
    Column("name", String(64), primary_key=True),  # owns the predictions that it took
    Column("beat_at", Double, nullable=False),  # one that is silent for long is taken for dead
    Column("slots", Integer, nullable=False),
    Column("busy", Integer, nullable=False),
    Column("drains", Boolean, nullable=False),  # an operator asked it to take nothing more
    Column(
        "looks", Boolean, nullable=False
    ),  # it is to look for what waits: an operator put it there
)

models = Table(
    "models",
    metadata,
    Column("name", String(255), primary_key=True),  # owner/name
    Column("described", JSON, nullable=False),  # by its Cog server, as models.py keeps it
)

rates = Table(  # where several processes count together
    "rates",
    metadata,
    Column("tenant_id", _ID, primary_key=True),
    Column("creates", Boolean, primary_key=True),  # or all other requests
    Column("left", Double, nullable=False),  # at filled_at
    Column("filled_at", Double, nullable=False),
)

accounts = Table(  # at the upstream; those that have had to wait lately
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),  # as in predictions.account
    Column("held_until", Double, nullable=False),  # nothing more is sent before
)
