"""What Cog's last word on a prediction means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.predictions.prediction import MAY_HAVE_BEEN_BILLED, End, Prediction, State

_RAISED_BY_THE_MODEL = "Prediction failed: Async prediction failed: "
_RATE_LIMITED = "RateLimited"
_NOT_BILLED = {_RATE_LIMITED, "UpstreamDown"}
_USUAL_WAIT = 10.0  # seconds before the next attempt, where nobody said how long
_LONGEST_WAIT = 600.0
ENDS = frozenset({"succeeded", "failed", "canceled"})


@dataclass(frozen=True)
class NotBilled:
    """It failed before anything was billed: it may be tried again."""

    wait: float
    """Seconds."""
    end: End
    """How it ends where no time is left for that."""
    is_rate_limit: bool
    """Whether its account must wait, and not this prediction alone."""


@dataclass(frozen=True)
class Unclear:
    """Cog itself failed. The files may be there all the same; else it ends so."""

    end: End


def outcome_of(word: Mapping[str, Any], prediction: Prediction) -> End | NotBilled | Unclear:
    """What the word means for this prediction; an End's output is Cog's, as it came."""
    metrics = dict(word.get("metrics") or {})
    logs = str(word.get("logs") or "")
    status = word["status"]
    if status == "succeeded":
        return End(State.SUCCEEDED, word.get("output"), None, logs, metrics)
    if status == "canceled" and prediction.cancel_at is not None:
        # Who cancels knows what that means; whom the deadline meets has to be told.
        by_deadline = prediction.cancel_at >= prediction.deadline
        error = (
            f"The deadline passed while it ran; {MAY_HAVE_BEEN_BILLED}." if by_deadline else None
        )
        return End(State.CANCELED, None, error, logs, metrics)
    if status == "canceled":
        error = f"The model's server canceled it, though nobody asked; {MAY_HAVE_BEEN_BILLED}."
        return Unclear(End(State.FAILED, None, error, logs, metrics))
    told = str(word.get("error") or "The model gave no reason.")
    error = told.removeprefix(_RAISED_BY_THE_MODEL)
    if error == told:
        # Cog's own failures: its worker crashed, an input or an upload did not get through.
        if MAY_HAVE_BEEN_BILLED not in error:
            error = f"{error.rstrip('. ')}; {MAY_HAVE_BEEN_BILLED}."
        return Unclear(End(State.FAILED, None, error, logs, metrics))
    end = End(State.FAILED, None, error, logs, metrics)
    if metrics.get("error_class") in _NOT_BILLED and not metrics.get("may_have_been_billed"):
        asked = metrics.get("error_retry_after")
        wait = float(asked) if isinstance(asked, int | float) else _USUAL_WAIT
        is_rate_limit = metrics["error_class"] == _RATE_LIMITED
        return NotBilled(min(max(wait, 1.0), _LONGEST_WAIT), end, is_rate_limit)
    return end


def lost(prediction: Prediction, reason: str) -> End:
    """The end of one that was sent, and of which no more will be heard."""
    return End(State.FAILED, None, f"{reason}; {MAY_HAVE_BEEN_BILLED}.", prediction.logs)
