"""API keys of the gateway's callers: made once, shown once, kept as a hash."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from soullink.gateways.llm.limits.port import RateLimit

REVOKED_WITHIN_SECONDS: Final = 5.0
"""A revoked key is refused by every process after this time at the latest."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. id: UUIDv7 text, what the ledger knows it by. prefix: how its secret begins.

    models: names that it may call, empty means all. limit: its own rate, for all its models.
    """

    id: str
    tenant: str
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    models: tuple[str, ...] = ()
    limit: RateLimit = field(default_factory=RateLimit)

    def works_at(self, moment: datetime) -> bool:
        """Return whether calls are let in with it at `moment`."""
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; the only time that its secret is known."""

    key: ApiKey
    secret: str = field(repr=False)


class Keys(Protocol):
    """Makes, finds and revokes keys."""

    async def find(self, secret: str) -> ApiKey | None:
        """Return the key that calls with `secret`; None when unknown, revoked or expired.

        May remember an answer for less than REVOKED_WITHIN_SECONDS. Raises UnavailableError.
        """
        ...

    def limit_of(self, key_id: str) -> RateLimit | None:
        """Return the limit of a key that `find` has returned lately, else None; never waits."""
        ...

    async def create(
        self,
        tenant: str,
        name: str,
        *,
        models: Sequence[str] = (),
        limit: RateLimit | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key. Raises InvalidInputError for a name or limit that no key can have."""
        ...

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        """Return every key, of one tenant if named, oldest first, revoked ones included."""
        ...

    async def revoke(self, key_id: str) -> ApiKey:
        """Refuse the key from now on; again does no harm. Raises NotFoundError."""
        ...
