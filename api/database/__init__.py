"""The database: what the rest may ask of it, of SQLite and of Postgres alike."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol, TypeVar, TypeVarTuple, overload

import sqlalchemy
from sqlalchemy import Executable, Result
from sqlalchemy.sql.selectable import TypedReturnsRows

_Row = TypeVarTuple("_Row")
_Given = TypeVar("_Given")

Rows = Result[*tuple[Any, ...]]
Values = Mapping[str, Any] | None


class Connection(Protocol):
    """Runs statements one after the other, off the event loop."""

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*_Row], values: Values = None
    ) -> Result[*_Row]: ...

    @overload
    async def execute(self, statement: Executable, values: Values = None) -> Rows: ...

    async def execute(self, statement: Executable, values: Values = None) -> Rows:
        """All that the statement gives, in memory; `values` are those of its bindparams.

        A statement that is built once costs a fifth of one that is built anew each time.
        """


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
    async def run(self, work: Callable[[sqlalchemy.Connection], _Given]) -> _Given:
        """Do `work` off the event loop, on a connection that may write."""

    @abstractmethod
    def read(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for SELECTs, each of which sees all that is committed."""

    @abstractmethod
    def write(
        self, *, durable: bool = True, turn_of: str | None = None
    ) -> AbstractAsyncContextManager[Connection]:
        """One transaction.

        Args:
            durable: whether it is on disk when this returns. If not, a power cut may undo it and
                what came after it; the end of the process undoes nothing.
            turn_of: no other transaction with the same name runs at the same time, in whatever
                process: what was read in it stays true.
        """

    @abstractmethod
    async def is_alive(self, connection: Connection, life: str) -> bool:
        """Whether another process of that life is there; asked within a transaction."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections, once what runs has ended."""
