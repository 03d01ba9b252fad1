"""When a failed call is sent again: only where it cannot have been billed, and not for ever."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import tenacity

from gpt_image import errors
from gpt_image.deadline import Deadline

log = logging.getLogger(__name__)

T = TypeVar("T")

# Enough to outlive a restart of the upstream, some 15 s; rate limits may use the whole deadline.
_ATTEMPTS_WHEN_DOWN = 5
_BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=20)
_JITTER = tenacity.wait_random(0, 0.5)


async def repeated_while_safe(
    attempt: Callable[[], Awaitable[T]], deadline: Deadline, *, also_ambiguous: bool
) -> T:
    """The first result of `attempt`.

    Args:
        also_ambiguous: repeat what may have been billed, too; the operator has allowed it.

    Raises:
        GptImageError: of the last attempt.
    """

    def may_repeat(error: BaseException) -> bool:
        if not isinstance(error, errors.GptImageError):
            return False
        return error.safe_to_repeat or (error.ambiguous and also_ambiguous)

    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(may_repeat),
        stop=lambda state: _is_down_for_long(state) or _would_end_after(state, deadline),
        wait=_pause,
        before_sleep=_log_pause,
        reraise=True,
    )
    return await attempts(attempt)


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _is_down_for_long(state: tenacity.RetryCallState) -> bool:
    is_rate_limit = isinstance(_failure(state), errors.RateLimited)
    return not is_rate_limit and state.attempt_number >= _ATTEMPTS_WHEN_DOWN


def _would_end_after(state: tenacity.RetryCallState, deadline: Deadline) -> bool:
    return state.upcoming_sleep >= deadline.seconds_left


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: what the upstream asked for, but no less than our own pause.

    With jitter, so that predictions that failed together do not return together.
    """
    asked = getattr(_failure(state), "retry_after", None) or 0.0
    return max(asked, _BACKOFF(state)) + _JITTER(state)


def _log_pause(state: tenacity.RetryCallState) -> None:
    seconds = state.next_action.sleep if state.next_action else 0
    failure = _failure(state)
    log.warning(
        "The upstream %s (%s); trying again in %.1f s (attempt %d).",
        "has a rate limit" if isinstance(failure, errors.RateLimited) else "failed",
        "may have billed" if getattr(failure, "ambiguous", True) else "has not billed",
        seconds,
        state.attempt_number + 1,
    )
