"""The database: what the rest may ask of it, of SQLite and of Postgres alike.

What is asked is a function of a connection, done off the event loop in one go: changing threads
costs more than most statements do. So it waits for nothing but the database, and gives back what is
in memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

from sqlalchemy import Connection

_Given = TypeVar("_Given")

__all__ = ["Connection", "Database"]


class Database(ABC):
    """One database; what is committed survives the process, and a power cut."""

    is_shared: ClassVar[bool]
    """Whether other processes use it at the same time."""

    @abstractmethod
    async def migrate(self) -> None:
        """Bring the schema up to date; no migration may lose a row.

        A schema that a newer release has made is taken as it is.
        """

    @abstractmethod
    async def read(self, work: Callable[[Connection], _Given]) -> _Given:
        """What `work` finds with SELECTs, each of which sees all that is committed."""

    @abstractmethod
    async def write(
        self,
        work: Callable[[Connection], _Given],
        *,
        durable: bool = True,
        turn_of: str | None = None,
    ) -> _Given:
        """Do `work` as one transaction, undone where it raises or nobody waits for it any more.

        A statement that is built once, with bindparams, costs a fifth of one that is built anew.

        Args:
            durable: whether it is on disk when this returns. If not, a power cut may undo it and
                what came after it; the end of the process undoes nothing.
            turn_of: no other transaction with the same name runs at the same time, in whatever
                process: what was read in it stays true.
        """

    @abstractmethod
    async def is_alive(self, life: str) -> bool:
        """Whether another process of that life is there."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections, once what runs has ended."""
