"""API keys, in memory and in PostgreSQL: one contract for both."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from soullink.gateways.llm.keys.fake import FakeKeys
from soullink.gateways.llm.keys.port import REVOKED_WITHIN_SECONDS, Keys
from soullink.gateways.llm.keys.store import PostgresKeys
from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import InvalidInputError, NotFoundError

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class HeldClock:
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=["memory", "postgres"])
def keys(request: pytest.FixtureRequest, clock: HeldClock) -> Keys:
    if request.param == "memory":
        return FakeKeys(clock)
    return PostgresKeys(request.getfixturevalue("database"), clock)


async def test_a_made_key_is_found_by_its_secret_and_by_nothing_else(keys: Keys) -> None:
    made = await keys.create(
        "acme", "batch", models=("fast", "fast", "big"), limit=RateLimit(60, 9_000)
    )
    found = await keys.find(made.secret)
    assert found == made.key
    assert found is not None
    assert (found.tenant, found.name, found.models) == ("acme", "batch", ("fast", "big"))
    assert (found.limit, found.created_at) == (RateLimit(60, 9_000), NOON)
    assert keys.limit_of(found.id) == RateLimit(60, 9_000)
    assert made.secret.startswith(found.prefix)
    last = "B" if made.secret.endswith("A") else "A"
    for wrong in ("", "sl-", made.key.prefix, made.secret[:-1] + last, made.secret + "A", "é" * 46):
        assert await keys.find(wrong) is None


async def test_secrets_differ_and_are_not_shown(keys: Keys) -> None:
    made = [await keys.create("acme", "batch") for _ in range(3)]
    assert len({key.secret for key in made}) == 3
    assert all(key.secret not in repr(key) for key in made)
    assert [key.key for key in made] == await keys.list_keys("acme")


async def test_a_revoked_key_is_refused_and_stays_listed(keys: Keys, clock: HeldClock) -> None:
    made = await keys.create("acme", "batch")
    other = await keys.create("other", "batch")
    assert await keys.find(made.secret) is not None
    clock.moment += timedelta(hours=1)
    revoked = await keys.revoke(made.key.id)
    assert await keys.find(made.secret) is None
    clock.moment += timedelta(hours=1)
    assert (await keys.revoke(made.key.id)) == revoked
    assert revoked.revoked_at == NOON + timedelta(hours=1)
    assert await keys.list_keys() == [revoked, other.key]
    assert await keys.list_keys("nobody") == []


async def test_an_expired_key_is_refused_also_while_it_is_remembered(
    keys: Keys, clock: HeldClock
) -> None:
    made = await keys.create("acme", "batch", expires_at=NOON + timedelta(minutes=1))
    assert await keys.find(made.secret) is not None
    clock.moment += timedelta(minutes=1)
    assert await keys.find(made.secret) is None


@pytest.mark.parametrize("key_id", ["", "nonsense", "01890000-0000-7000-8000-000000000000"])
async def test_revoking_what_is_not_there_says_so(keys: Keys, key_id: str) -> None:
    with pytest.raises(NotFoundError, match="soullink llm keys list"):
        await keys.revoke(key_id)


async def test_names_and_limits_that_no_key_can_have_are_refused(keys: Keys) -> None:
    for tenant, name in (("", "x"), ("x", " "), ("a\nb", "x"), ("x", "y" * 129)):
        with pytest.raises(InvalidInputError):
            await keys.create(tenant, name)
    with pytest.raises(InvalidInputError):
        await keys.create("acme", "x", limit=RateLimit(requests_per_minute=0))
    with pytest.raises(InvalidInputError):
        await keys.create("acme", "x", expires_at=NOON)
    assert await keys.list_keys() == []


async def test_no_secret_is_kept_in_the_database(database: Database) -> None:
    made = await PostgresKeys(database).create("acme", "batch")
    async with database.work() as work:
        row = (await work.session.execute(text("SELECT llm_key::text FROM llm_key"))).scalar_one()
    assert made.secret not in row
    assert made.secret[12:] not in row


async def test_revocation_elsewhere_is_seen_within_the_time_that_is_promised(
    database: Database,
) -> None:
    seconds = 0.0
    here, elsewhere = PostgresKeys(database, monotonic=lambda: seconds), PostgresKeys(database)
    made = await elsewhere.create("acme", "batch")
    assert await here.find(made.secret) == made.key
    await elsewhere.revoke(made.key.id)
    seconds = REVOKED_WITHIN_SECONDS / 2
    assert await here.find(made.secret) == made.key
    seconds = REVOKED_WITHIN_SECONDS
    assert await here.find(made.secret) is None


async def test_calls_at_once_share_one_question_and_survive_a_cancelled_one(
    database: Database,
) -> None:
    keys = PostgresKeys(database)
    made = await keys.create("acme", "batch")
    finding = [asyncio.create_task(keys.find(made.secret)) for _ in range(50)]
    await asyncio.sleep(0)
    finding[0].cancel()
    found = await asyncio.gather(*finding, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [made.key] * 49
    assert database.engine.pool.checkedin() == 1, "one connection was enough"
