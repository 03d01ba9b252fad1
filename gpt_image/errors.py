"""Every way a prediction can fail, as the caller reads it.

    GptImageError
    ├── BadSettings                the operator's environment is wrong; said before any call
    ├── InvalidInput               the request is wrong; nothing was sent
    ├── MachineFault               no room on the disk, no memory, no process; nothing was sent
    ├── CredentialError
    │   ├── NoCredentials          no caller's key, no proxy, no operator's key
    │   ├── KeyRejected            401
    │   ├── OrganizationNotVerified
    │   └── NoModelAccess          the project lacks the model, or there is no such model
    ├── QuotaExceeded              out of credit, or at a limit that waiting does not lift
    ├── RateLimited                too fast; knows how long to wait
    ├── ModerationBlocked          knows stage and categories when the upstream gave them
    ├── UnsupportedByModel         for example a transparent background
    ├── RequestRejected            any other 4xx: parameter and message
    ├── UpstreamDown               not reached, or failed before it did any work
    ├── MayHaveBeenBilled
    │   ├── UpstreamTimedOut
    │   ├── ConnectionLost         the connection or a gateway failed with the request on its way
    │   ├── AnswerNotUsable        an answer that only looks like success
    │   └── OutputNotSaved         the images came, and this machine could not store them
    ├── WorkerFrozen               Cog's threads hang; only the health check says so
    └── UnexpectedFailure          a fault of this predictor, to be reported

A synchronous caller of Cog sees nothing but the class name, the sentence and the metrics. So each
sentence says what happened and what to do next, and the metrics say the same to a program.
upstream/explain.py is the only way from the openai SDK's exceptions into this tree.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BILLED_NOTE = "it may have been billed, so retrying may charge you twice"


class GptImageError(Exception):
    """Base of all: `str()` is one sentence for the caller, free of keys and prompts.

    The attributes tell a program what the sentence tells a person. Those about the upstream's
    answer are None where it did not say, or said what must not be repeated.
    """

    safe_to_repeat = False
    """True where the upstream cannot have billed, so that a retry cannot charge twice."""
    ambiguous = False
    """True where a retry may charge twice and only OPENAI_RETRY_AMBIGUOUS allows it."""
    may_have_been_billed = False
    status: int | None = None
    """HTTP status of the upstream's answer."""
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    """Seconds to wait, where the upstream said so and waiting helps."""

    def __init__(self, sentence: str) -> None:
        # Cog reports an error that contains "cancelled" as canceled (measured on Cog 0.23.1).
        super().__init__(re.sub(r"(cancel)l(ed)", r"\1\2", sentence, flags=re.IGNORECASE))

    @property
    def line(self) -> str:
        """`Class: sentence`, as Cog shows it to the caller."""
        return f"{type(self).__name__}: {self}"

    def metrics(self) -> dict[str, str | float | bool]:
        """What a program wants to know, by the metric's name; what is not known is left out."""
        metrics = {
            "error_class": type(self).__name__,
            "error_status": self.status,
            "error_code": self.code,
            "error_param": self.param,
            "error_request_id": self.request_id,
            "error_retry_after": self.retry_after,
            "may_have_been_billed": self.may_have_been_billed,
        }
        return {name: value for name, value in metrics.items() if value is not None}


class BadSettings(GptImageError):
    pass


class InvalidInput(GptImageError):
    pass


class MachineFault(GptImageError):
    pass


class CredentialError(GptImageError):
    pass


class NoCredentials(CredentialError):
    pass


class KeyRejected(CredentialError):
    pass


class OrganizationNotVerified(CredentialError):
    pass


class NoModelAccess(CredentialError):
    pass


class QuotaExceeded(GptImageError):
    pass


class RateLimited(GptImageError):
    safe_to_repeat = True

    def __init__(self, sentence: str, retry_after: float | None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class ModerationBlocked(GptImageError):
    pass


class UnsupportedByModel(GptImageError):
    pass


class RequestRejected(GptImageError):
    def __init__(self, sentence: str, unknown_parameter: str | None = None) -> None:
        super().__init__(sentence)
        self.unknown_parameter = unknown_parameter
        """The parameter that the upstream does not know, where that is the reason."""


class UpstreamDown(GptImageError):
    safe_to_repeat = True

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class MayHaveBeenBilled(GptImageError):
    ambiguous = True
    may_have_been_billed = True


class UpstreamTimedOut(MayHaveBeenBilled):
    pass


class ConnectionLost(MayHaveBeenBilled):
    pass


class AnswerNotUsable(MayHaveBeenBilled):
    pass


class OutputNotSaved(MayHaveBeenBilled):
    ambiguous = False


class WorkerFrozen(GptImageError):
    pass


class UnexpectedFailure(GptImageError):
    may_have_been_billed = True


@contextmanager
def told_in_one_sentence(record: Callable[[GptImageError], object]) -> Iterator[None]:
    """Let only this tree out, and show what goes out to `record`.

    Anything else becomes an UnexpectedFailure that names its place. Neither the text nor the cause
    of a foreign exception is passed on: either may hold a key.
    """
    try:
        yield
    except Exception as failure:  # noqa: BLE001 - the last line of defence before Cog shows it
        error = failure if isinstance(failure, GptImageError) else _unforeseen(failure)
        record(error)
        raise error from None


def _unforeseen(failure: Exception) -> UnexpectedFailure:
    place = failure.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
    return UnexpectedFailure(
        f"The predictor itself failed ({type(failure).__name__} in {where}); {BILLED_NOTE}; "
        "please report that place."
    )
