"""What the sandbox would have billed, request by request.

Images are billed once rendering is done, whatever becomes of the answer. A client that hangs up
while rendering still pays: OpenAI documents no refund for that, and users report such charges,
so the sandbox assumes the worst.
"""

import time
from collections import deque
from dataclasses import asdict, dataclass, field

from sandbox.job import Usage
from sandbox.tokens import cost_usd

_KEPT = 100_000


@dataclass
class Entry:
    """One request to an images endpoint. Times are seconds since the epoch."""

    request_id: str
    path: str
    number: int | None = None
    n: int | None = None
    size: str | None = None
    fault: str | None = None
    status: int | None = None
    received: bool = False
    billed: bool = False
    delivered: bool = False
    disconnected: bool = False
    images_billed: int = 0
    tokens_billed: int = 0
    cost_usd: float = 0.0
    opened_at: float = field(default_factory=time.time)
    received_at: float | None = None
    billed_at: float | None = None
    delivered_at: float | None = None
    disconnected_at: float | None = None

    def receive(self) -> None:
        """Note that the whole request was read."""
        self.received, self.received_at = True, time.time()

    def bill(self, n: int, usage: Usage) -> None:
        """Charge for ``n`` images."""
        self.billed, self.billed_at = True, time.time()
        self.images_billed = n
        self.tokens_billed = usage.text + usage.image + usage.output
        self.cost_usd = cost_usd(usage)

    def deliver(self) -> None:
        """Note that the whole answer was handed to the network."""
        self.delivered, self.delivered_at = True, time.time()

    def disconnect(self, at: float) -> None:
        """Note that the connection ended before the answer did."""
        if not self.delivered:
            self.disconnected, self.disconnected_at = True, at


class Ledger:
    """The last 100,000 entries, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def open(self, request_id: str, path: str) -> Entry:
        """Start the entry of a request that has just arrived."""
        entry = Entry(request_id, path)
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def body(self) -> dict[str, object]:
        """Return all entries and their totals."""
        return {
            "entries": [asdict(entry) for entry in self._entries],
            "requests": len(self._entries),
            "images_billed": sum(entry.images_billed for entry in self._entries),
            "cost_usd": sum(entry.cost_usd for entry in self._entries),
        }
