"""API keys in PostgreSQL, remembered for a few seconds by each process."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row

from soullink.gateways.llm.keys.making import could_be, hash_of, new_key
from soullink.gateways.llm.keys.port import REVOKED_WITHIN_SECONDS, ApiKey, NewKey
from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.postgres.database import Database, metadata
from soullink.kernel.clock import Clock, SystemClock
from soullink.kernel.errors import NotFoundError

_REMEMBERED_SECONDS: Final = REVOKED_WITHIN_SECONDS - 1.0
"""The rest is for the question itself."""
_MOST_REMEMBERED: Final = 10_000

keys = Table(
    "llm_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True), nullable=True),
    Column("expires_at", DateTime(timezone=True), nullable=True),
    Column("models", ARRAY(Text), nullable=False),
    Column("requests_per_minute", Integer, nullable=True),
    Column("tokens_per_minute", Integer, nullable=True),
)

_SHOWN: Final = tuple(column for column in keys.c if column.name != "secret_hash")


class PostgresKeys:
    """Implements Keys. Belongs to the event loop that first uses it.

    What `find` learns is believed for four seconds, unknown secrets included, and calls that ask
    for the same secret at once share one question to the database.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, ApiKey | None]] = {}
        self._limits: dict[str, RateLimit] = {}
        self._asking: dict[bytes, asyncio.Task[ApiKey | None]] = {}

    async def find(self, secret: str) -> ApiKey | None:
        if not could_be(secret):
            return None
        hashed = hash_of(secret)
        known = self._known.get(hashed)
        if known is not None and known[0] > self._monotonic():
            key = known[1]
        else:
            key = await self._ask_once(hashed)
        if key is None or (key.expires_at is not None and not key.works_at(self._clock.now())):
            return None
        return key

    def limit_of(self, key_id: str) -> RateLimit | None:
        return self._limits.get(key_id)

    async def create(
        self,
        tenant: str,
        name: str,
        *,
        models: Sequence[str] = (),
        limit: RateLimit | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        made = new_key(tenant, name, models, limit, expires_at, self._clock.now())
        hashed = hash_of(made.secret)
        async with self._database.work() as work:
            await work.session.execute(
                insert(keys).values(
                    id=UUID(made.key.id),
                    tenant=tenant,
                    name=name,
                    prefix=made.key.prefix,
                    secret_hash=hashed,
                    created_at=made.key.created_at,
                    expires_at=expires_at,
                    models=list(made.key.models),
                    requests_per_minute=made.key.limit.requests_per_minute,
                    tokens_per_minute=made.key.limit.tokens_per_minute,
                )
            )
        return made

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        wanted = select(*_SHOWN).order_by(keys.c.created_at, keys.c.id)
        if tenant is not None:
            wanted = wanted.where(keys.c.tenant == tenant)
        async with self._database.work() as work:
            return [_read(row) for row in await work.session.execute(wanted)]

    async def revoke(self, key_id: str) -> ApiKey:
        try:
            known = UUID(key_id)
        except ValueError:
            raise _no_such(key_id) from None
        async with self._database.work() as work:
            changed = await work.session.execute(
                update(keys)
                .where(keys.c.id == known)
                .values(revoked_at=func.coalesce(keys.c.revoked_at, self._clock.now()))
                .returning(*_SHOWN)
            )
            row = changed.one_or_none()
        if row is None:
            raise _no_such(key_id)
        self._known.clear()
        return _read(row)

    async def _ask_once(self, hashed: bytes) -> ApiKey | None:
        asking = self._asking.get(hashed)
        if asking is None:
            asking = self._asking[hashed] = asyncio.create_task(self._ask(hashed))
            asking.add_done_callback(lambda _: self._asking.pop(hashed, None))
        # Whoever began the question may be cancelled; the others still wait for its answer.
        return await asyncio.shield(asking)

    async def _ask(self, hashed: bytes) -> ApiKey | None:
        began = self._monotonic()
        async with self._database.work() as work:
            found = await work.session.execute(
                select(*_SHOWN).where(keys.c.secret_hash == hashed, keys.c.revoked_at.is_(None))
            )
            row = found.one_or_none()
        key = None if row is None else _read(row)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
            self._limits.clear()
        self._known[hashed] = (began + _REMEMBERED_SECONDS, key)
        if key is not None:
            self._limits[key.id] = key.limit
        return key


def _read(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=str(row.id),
        tenant=row.tenant,
        name=row.name,
        prefix=row.prefix,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        expires_at=row.expires_at,
        models=tuple(row.models),
        limit=RateLimit(row.requests_per_minute, row.tokens_per_minute),
    )


def _no_such(key_id: str) -> NotFoundError:
    return NotFoundError(f"There is no key {key_id[:40]}; see `soullink llm keys list`.")
