"""Who calls: tenants, their tokens and limits. A token is kept as its hash and shown once."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, insert, select, update

from api.database import Connection, Database
from api.ids import new_id, now
from api.sealing import Keyring
from api.tables import tenants, tokens

_PREFIX = "api_"
_TOKEN_BYTES = 32
_WEBHOOK_SECRET_BYTES = 32

# Made once: SQLAlchemy takes longer to build a statement than SQLite to answer it.
_BY_TOKEN = (
    select(tenants, tokens.c.id.label("token_id"))
    .join(tokens, tokens.c.tenant_id == tenants.c.id)
    .where(tokens.c.hash == bindparam("hash"), tokens.c.revoked_at.is_(None))
)


@dataclass(frozen=True)
class Limits:
    """What a tenant may ask for; checked when a prediction comes."""

    unfinished: int = 1000
    """Predictions that have not ended."""
    creates_per_minute: int = 600
    """Replicate's own limit (its documentation, 2026)."""
    requests_per_minute: int = 3000
    """Of all other requests; Replicate's own limit."""
    dollars_a_day: float | None = None
    """An estimate is reserved at the start, and settled at the end."""
    stored_bytes: int = 10_000_000_000
    """Uploads, inputs and outputs together."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Limits":
        """Those stored; the defaults for those that did not exist then."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})


@dataclass(frozen=True)
class Tenant:
    """A caller, by one of its tokens."""

    id: str
    name: str
    token_id: str
    is_operator: bool
    limits: Limits


class Tenants:
    """All tenants."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def by_token(self, token: str) -> Tenant | None:
        """Whose token it is, unless it was revoked."""
        which = {"hash": _hash(token)}
        row = await self._database.read(
            lambda connection: connection.execute(_BY_TOKEN, which).mappings().first()
        )
        return _tenant(row) if row else None

    async def webhook_secret(self, tenant_id: str) -> str:
        """`whsec_...`, with which the tenant's webhooks are signed.

        Raises:
            NotOpened: it was sealed with a key that is gone.
        """
        found = select(tenants.c.webhook_secret).where(tenants.c.id == tenant_id)
        sealed = await self._database.read(
            lambda connection: connection.execute(found).scalar_one()
        )
        return self._keyring.open(sealed, tenant_id)

    async def create_token(
        self, name: str, *, operator: bool = False, token: str | None = None
    ) -> str:
        """A new token for the tenant `name`, which is made if there is none; shown only here.

        Args:
            token: use this one instead of a random one.
        """
        made = token or _PREFIX + secrets.token_hex(_TOKEN_BYTES)

        def stored(connection: Connection) -> None:
            known = select(tokens.c.id).where(tokens.c.hash == _hash(made))
            if connection.execute(known).first():
                return
            tenant_id = self._tenant_id(connection, name, operator)
            values = {"id": new_id(), "tenant_id": tenant_id, "created_at": now()}
            connection.execute(insert(tokens).values(hash=_hash(made), **values))

        await self._database.write(stored, turn_of="create token")
        return made

    async def revoke(self, token: str) -> bool:
        """Whether there was such a token; it is good for nothing from now on."""
        ended = (
            update(tokens)
            .where(tokens.c.hash == _hash(token), tokens.c.revoked_at.is_(None))
            .values(revoked_at=now())
            .returning(tokens.c.id)
        )
        found = await self._database.write(lambda connection: connection.execute(ended).first())
        return found is not None

    async def names(self) -> dict[str, str]:
        """All tenants' names by their ids."""
        found = select(tenants.c.id, tenants.c.name)
        return dict(await self._database.read(lambda connection: connection.execute(found).all()))

    async def any_token(self) -> bool:
        """Whether somebody could call."""
        found = select(tokens.c.id).where(tokens.c.revoked_at.is_(None)).limit(1)
        first = await self._database.read(lambda connection: connection.execute(found).first())
        return first is not None

    def _tenant_id(self, connection: Connection, name: str, operator: bool) -> str:
        known = select(tenants.c.id).where(tenants.c.name == name)
        found: str | None = connection.execute(known).scalar()
        if found:
            return found
        made = new_id()
        row = {
            "id": made,
            "name": name,
            "role": "operator" if operator else "tenant",
            "webhook_secret": self._keyring.seal(_new_webhook_secret(), made),
            "limits": asdict(Limits()),
            "created_at": now(),
        }
        connection.execute(insert(tenants).values(row))
        return made


def _tenant(row: RowMapping) -> Tenant:
    return Tenant(
        id=row["id"],
        name=row["name"],
        token_id=row["token_id"],
        is_operator=row["role"] == "operator",
        limits=Limits.of(row["limits"]),
    )


def _hash(token: str) -> str:
    # Random tokens need no slow hash: there is no guessing 256 bits.
    return hashlib.sha256(token.encode()).hexdigest()


def _new_webhook_secret() -> str:
    # The standard alphabet, since Replicate's verifiers for Python and Go split at each "_".
    return "whsec_" + base64.b64encode(secrets.token_bytes(_WEBHOOK_SECRET_BYTES)).decode()
