"""An answer's bytes, plain or as events, unless a fault has written them already."""

from sandbox import answer, events
from sandbox.answer import Draft


def body_of(draft: Draft) -> bytes:
    """Return the whole body of an answer."""
    if draft.body is not None:
        return draft.body
    return events.encode(draft, draft.stream) if draft.stream else answer.encode(draft)
