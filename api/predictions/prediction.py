"""A prediction's states, and what may follow what. Pure: no clock, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a prediction is on its way."""

    QUEUED = "queued"
    """Accepted; nothing has been done for it."""
    TAKEN = "taken"
    """A worker fetches its inputs or waits for a slot; nothing has been sent."""
    SENT = "sent"
    """Noted before Cog is asked, so it may have been billed: never sent again."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


WAITING = (State.QUEUED, State.TAKEN)
UNFINISHED = (*WAITING, State.SENT)
ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELED)

FOLLOWERS: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.TAKEN, State.CANCELED, State.FAILED}),
    State.TAKEN: frozenset({State.SENT, State.QUEUED, State.CANCELED, State.FAILED}),
    # Back to TAKEN or QUEUED only where Cog has said that nothing was started or billed.
    State.SENT: frozenset(
        {State.TAKEN, State.QUEUED, State.SUCCEEDED, State.FAILED, State.CANCELED}
    ),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELED: frozenset(),
}
"""What may follow each state; every UPDATE in store.py keeps to it."""

MAY_HAVE_BEEN_BILLED = "it may have been billed"


@dataclass(frozen=True)
class NewPrediction:
    """What a dialect makes of a request that has passed all checks."""

    id: str
    tenant_id: str
    token_id: str
    model: str
    version: str
    origin: str
    """Scheme, host and port by which the caller addressed the API."""
    input: Mapping[str, Any]
    """Checked; files as `stored:ID`, secrets as `[REDACTED]`."""
    secrets: Mapping[str, str]
    request_hash: str
    deployment: str | None = None
    seconds: float | None = None
    """How long after its creation the caller wants it ended at the latest."""
    webhook: str | None = None
    webhook_events: tuple[str, ...] = ()
    caller_id: str | None = None
    """An id that the caller chose; no two predictions of a tenant have the same one."""
    group_id: str | None = None
    """What it has in common with those that are one task of the caller's."""
    dialect: str | None = None
    """Which one tells of its end; None for Replicate's."""
    dialect_data: Mapping[str, Any] | None = None
    """What that dialect must know for its answers; the heart does not read it."""
    upload_url: str | None = None
    """Where each output is put."""
    weight: int = 1
    """What it counts for at the upstream, in images."""


@dataclass(frozen=True)
class Prediction:
    """A row of the table `predictions`, whose comments explain the fields."""

    id: str
    tenant_id: str
    model: str
    version: str
    deployment: str | None
    group_id: str | None
    dialect: str | None
    dialect_data: dict[str, Any] | None
    origin: str
    input: dict[str, Any]
    secrets: bytes | None
    state: State
    owner: str | None
    attempt: int
    cog_id: str | None
    cog_identity: str | None
    tag: float
    not_before: float
    created_at: float
    deadline: float
    cancel_after: bool
    sent_at: float | None
    started_at: float | None
    cancel_at: float | None
    completed_at: float | None
    output: Any
    error: str | None
    logs: str
    metrics: dict[str, Any] | None
    removed_at: float | None
    webhook: str | None
    webhook_events: list[str]
    upload_url: str | None
    account: str
    weight: int

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> "Prediction":
        """The row as a prediction."""
        values = {name: row[name] for name in _FIELDS}
        return cls(**values | {"state": State(values["state"])})

    @property
    def has_ended(self) -> bool:
        """Whether nothing can follow any more."""
        return self.state in ENDED

    @property
    def is_running(self) -> bool:
        """Whether Cog has said that it began."""
        return self.state is State.SENT and self.started_at is not None


_FIELDS = tuple(field.name for field in fields(Prediction))


@dataclass(frozen=True)
class End:
    """How a prediction ended."""

    state: State
    output: Any = None
    error: str | None = None
    logs: str = ""
    metrics: Mapping[str, Any] | None = None
