"""API keys in memory, for tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from soullink.gateways.llm.keys.making import could_be, hash_of, new_key
from soullink.gateways.llm.keys.port import ApiKey, NewKey
from soullink.gateways.llm.limits.port import RateLimit
from soullink.kernel.clock import Clock, SystemClock
from soullink.kernel.errors import NotFoundError


class FakeKeys:
    """Implements Keys; what it remembers is lost with it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._hashes: dict[bytes, str] = {}
        self._keys: dict[str, ApiKey] = {}

    async def find(self, secret: str) -> ApiKey | None:
        if not could_be(secret):
            return None
        key_id = self._hashes.get(hash_of(secret))
        if key_id is None:
            return None
        key = self._keys[key_id]
        return key if key.works_at(self._clock.now()) else None

    def limit_of(self, key_id: str) -> RateLimit | None:
        key = self._keys.get(key_id)
        return None if key is None else key.limit

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
        self._hashes[hash_of(made.secret)] = made.key.id
        self._keys[made.key.id] = made.key
        return made

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        return [key for key in self._keys.values() if tenant in {None, key.tenant}]

    async def revoke(self, key_id: str) -> ApiKey:
        key = self._keys.get(key_id)
        if key is None:
            raise NotFoundError(f"There is no key {key_id}; see `soullink llm keys list`.")
        if key.revoked_at is None:
            key = self._keys[key_id] = replace(key, revoked_at=self._clock.now())
        return key
