"""One tenant at a hundred times the load of the others: their share stays theirs."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

import pytest

from soullink.gateways.llm.limits.admission import FairAdmission
from soullink.gateways.llm.limits.port import Admission, Demand, RateLimit, Ticket
from soullink.gateways.llm.port import LlmRateLimitedError
from tests.gateways.llm.limits.calls import assert_clean
from tests.gateways.llm.limits.virtual_time import now, run

GREEDY = "greedy"
OTHERS = tuple(f"tenant {number}" for number in range(20))
CAPACITY = 16
WARM_UP_SECONDS, SECONDS = 20.0, 220.0


def jain(shares: Sequence[float]) -> float:
    """Jain, Chiu and Hawe (1984): (sum x)^2 / (n sum x^2), 1 where all are equal."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


@dataclass
class Account:
    """Calls that ended and seconds that places were held, within the time looked at."""

    start: float
    end: float
    offered: dict[str, int] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    held_seconds: float = 0.0

    def offer(self, tenant: str, moment: float) -> None:
        if self.start <= moment < self.end:
            self.offered[tenant] = self.offered.get(tenant, 0) + 1

    def serve(self, tenant: str, entered: float, left: float) -> None:
        self.held_seconds += max(0.0, min(left, self.end) - max(entered, self.start))
        if self.start <= left < self.end:
            self.served[tenant] = self.served.get(tenant, 0) + 1

    def used(self, capacity: int) -> float:
        return self.held_seconds / (capacity * (self.end - self.start))


async def poisson(
    admission: Admission, account: Account, loads: Mapping[str, float], seed: int
) -> None:
    """Offer each tenant's calls a second at random, each of about a second, until the end."""
    calls: set[asyncio.Task[None]] = set()

    async def one(tenant: str, seconds: float) -> None:
        try:
            async with admission.enter(Demand(tenant, "", "m", 500), 30.0):
                entered = now()
                await asyncio.sleep(seconds)
            account.serve(tenant, entered, now())
        except LlmRateLimitedError:
            pass  # it is not served, and that is what is counted

    async def offer(tenant: str, load: float) -> None:
        chance = random.Random(f"{seed} {tenant}")  # noqa: S311 - repeatable, no secret
        await asyncio.sleep(chance.expovariate(load))
        while now() < account.end:
            account.offer(tenant, now())
            task = asyncio.ensure_future(one(tenant, chance.lognormvariate(-0.125, 0.5)))
            calls.add(task)
            task.add_done_callback(calls.discard)
            await asyncio.sleep(chance.expovariate(load))

    await asyncio.gather(*(offer(tenant, load) for tenant, load in loads.items()))
    await asyncio.gather(*calls)


def simulate(loads: Mapping[str, float], seed: int, *, fair: bool = True) -> Account:
    account = Account(WARM_UP_SECONDS, SECONDS)

    async def main() -> None:
        if fair:
            admission = FairAdmission(CAPACITY, 50, monotonic=now)
            await poisson(admission, account, loads, seed)
            assert_clean(admission)
        else:
            await poisson(FirstComeAdmission(CAPACITY), account, loads, seed)

    run(main())
    return account


class FirstComeAdmission:
    """What the fair queue is compared with: a bounded line for everybody together."""

    def __init__(self, capacity: int) -> None:
        self._places = asyncio.Semaphore(capacity)
        self._waiting = 0

    @asynccontextmanager
    async def _enter(self, timeout_seconds: float):  # type: ignore[no-untyped-def]
        if self._waiting >= 50:
            raise LlmRateLimitedError("full")
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise LlmRateLimitedError("late") from None
        finally:
            self._waiting -= 1
        try:
            yield None
        finally:
            self._places.release()

    def enter(
        self,
        demand: Demand,  # noqa: ARG002 - it treats all alike
        timeout_seconds: float,
    ) -> AbstractAsyncContextManager[Ticket]:
        return self._enter(timeout_seconds)


def loads(of_a_share: float) -> dict[str, float]:
    """Calls a second: the others want `of_a_share` of an equal share, one 100 times as much."""
    share = CAPACITY / (len(OTHERS) + 1)
    return {GREEDY: 100 * of_a_share * share, **dict.fromkeys(OTHERS, of_a_share * share)}


@pytest.mark.parametrize("seed", range(4))
def test_others_who_want_half_their_share_get_all_of_it(seed: int) -> None:
    account = simulate(loads(0.5), seed)
    got = [account.served[name] / account.offered[name] for name in OTHERS]
    assert jain(got) >= 0.99
    assert min(got) >= 0.95  # but for calls that begin before the end and end after it
    assert account.used(CAPACITY) >= 0.95


@pytest.mark.parametrize("seed", range(4))
def test_others_who_want_more_than_their_share_get_equal_ones(seed: int) -> None:
    account = simulate(loads(1.6), seed)
    got = [float(account.served[name]) for name in OTHERS]
    assert jain(got) >= 0.99
    assert account.used(CAPACITY) >= 0.95
    assert account.served[GREEDY] <= 1.1 * sum(got) / len(got)


def test_a_line_for_everybody_would_leave_the_others_with_scraps() -> None:
    account = simulate(loads(0.5), 0, fair=False)
    got = [account.served.get(name, 0) / account.offered[name] for name in OTHERS]
    assert max(got) < 0.7
    assert sum(got) / len(got) < 0.5


def test_a_model_at_its_limit_is_shared_as_fairly() -> None:
    account = Account(WARM_UP_SECONDS, SECONDS)

    async def main() -> None:
        admission = FairAdmission(
            10_000,
            50,
            models={"m": RateLimit(requests_per_minute=60 * CAPACITY)},
            burst_seconds=1.0,
            monotonic=now,
        )
        await poisson(admission, account, loads(1.6), 0)
        assert_clean(admission)

    run(main())
    got = [float(account.served[name]) for name in OTHERS]
    assert jain(got) >= 0.99
    assert account.served[GREEDY] <= 1.1 * sum(got) / len(got)
    total = sum(account.served.values()) / (SECONDS - WARM_UP_SECONDS)
    assert total >= 0.95 * CAPACITY  # calls a second


@pytest.mark.anyio
async def test_others_keep_their_share_over_real_sockets() -> None:
    places, tenants = 8, [GREEDY, *OTHERS[:5]]
    warm_up, calls = 120, 1320  # counted: a machine that stands still is no matter

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await asyncio.sleep(0.01)
            writer.write(b"words\n")
        writer.close()
        await writer.wait_closed()

    admission = FairAdmission(places, 1000)
    served: list[str] = []
    held, idle = [], []
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        stack.push_async_callback(server.wait_closed)
        stack.callback(server.close)
        free = [
            (0.0, *await asyncio.open_connection(*server.sockets[0].getsockname()))
            for _ in range(places)
        ]
        for _, _, writer in free:
            stack.push_async_callback(writer.wait_closed)
            stack.callback(writer.close)

        async def work(tenant: str) -> None:
            while len(served) < calls:
                async with admission.enter(Demand(tenant, "", "m", 500), 30.0):
                    left, reader, writer = free.pop(0)  # a place each: never empty
                    entered = time.monotonic()
                    writer.write(b"turn\n")
                    assert await reader.readline() == b"words\n"
                    free.append((time.monotonic(), reader, writer))
                if warm_up <= len(served) < calls:
                    idle.append(entered - left)
                    held.append(time.monotonic() - entered)
                served.append(tenant)

        workers = {tenant: 300 if tenant == GREEDY else 3 for tenant in tenants}
        await asyncio.gather(
            *(work(tenant) for tenant, number in workers.items() for _ in range(number))
        )
    assert_clean(admission)
    counted = served[warm_up:calls]
    got = [float(counted.count(name)) for name in tenants[1:]]
    assert jain(got) >= 0.99
    assert median(idle) <= 0.05 * (median(idle) + median(held))  # of a place's time
    assert counted.count(GREEDY) <= 1.1 * sum(got) / len(got)
