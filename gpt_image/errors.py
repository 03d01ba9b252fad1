"""Every way a prediction can fail, as the caller reads it.

    GptImageError
    ├── BadSettings                the operator's environment is wrong; said before any call
    ├── InvalidInput               the request is wrong; nothing was sent
    ├── MachineFault               no room on the disk, no memory, no process; nothing was sent
    ├── CredentialError
    │   ├── NoCredentials          nobody pays: no caller's key, no proxy, no operator's key
    │   ├── KeyRejected            401
    │   ├── OrganizationNotVerified
    │   └── NoModelAccess          the project lacks the model, or there is no such model
    ├── QuotaExceeded              the account is out of credit or at its billing limit
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
    └── UnexpectedFailure          a fault of this predictor, to be reported

A synchronous caller of Cog sees nothing but the class name and the sentence, so each sentence
says what happened, what to do, and the upstream's code and request id. upstream_errors.py is
the only way from the openai SDK's exceptions into this tree.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BILLED_NOTE = "it may have been billed"


class GptImageError(Exception):
    """Base of all: `str()` is one sentence for the caller, free of keys and prompts."""

    safe_to_repeat = False
    """True where the upstream cannot have billed, so that a retry cannot charge twice."""
    ambiguous = False
    """True where a retry may charge twice and only OPENAI_RETRY_AMBIGUOUS allows it."""


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

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds to wait, where the upstream said so."""


class ModerationBlocked(GptImageError):
    pass


class UnsupportedByModel(GptImageError):
    pass


class RequestRejected(GptImageError):
    def __init__(self, message: str, unknown_parameter: str | None = None) -> None:
        super().__init__(message)
        self.unknown_parameter = unknown_parameter
        """The parameter that the upstream does not know, where that is the reason."""


class UpstreamDown(GptImageError):
    safe_to_repeat = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds to wait, where the upstream said so."""


class MayHaveBeenBilled(GptImageError):
    ambiguous = True


class UpstreamTimedOut(MayHaveBeenBilled):
    pass


class ConnectionLost(MayHaveBeenBilled):
    pass


class AnswerNotUsable(MayHaveBeenBilled):
    pass


class OutputNotSaved(MayHaveBeenBilled):
    ambiguous = False


class UnexpectedFailure(GptImageError):
    pass


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """Let only this tree out: anything else becomes an UnexpectedFailure that names its place.

    Neither the text nor the cause of a foreign exception is passed on: either may hold a key.
    """
    try:
        yield
    except GptImageError as error:
        raise error from None
    except Exception as error:  # noqa: BLE001 - the last line of defence before Cog shows it
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
        raise UnexpectedFailure(
            f"The predictor failed in a way that it did not foresee ({type(error).__name__} in "
            f"{where}); the request may have been billed; please report this place."
        ) from None
