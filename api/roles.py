"""What one process does: everything, or its part where several share a database."""

from enum import Enum


class Role(Enum):
    """A part, by the command that starts it."""

    ALL = "all"
    """On one machine."""
    API = "serve"
    """Takes requests and holds nothing."""
    WORKER = "worker"
    """Stands beside one Cog server, on the same host."""

    @property
    def takes_requests(self) -> bool:
        """Whether callers reach it."""
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        """Whether it has a Cog server."""
        return self is not Role.API
