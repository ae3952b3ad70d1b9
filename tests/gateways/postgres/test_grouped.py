"""Rounds of work: who waits is served together, in order, and fails or leaves alone."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from soullink.gateways.postgres import grouped as grouped_module
from soullink.gateways.postgres.grouped import Grouped, Load, gathered

pytestmark = pytest.mark.anyio


class Rounds:
    """Doubles numbers, a negative one is an error; the rounds wait until `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.rounds: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.rounds.append(list(items))
        await self.gate.wait()
        if 0 in items:
            raise OSError("the whole round")
        return [2 * item if item > 0 else ValueError(str(item)) for item in items]


async def test_those_who_come_during_a_round_share_the_next_one() -> None:
    work = Rounds()
    grouped = Grouped(work)
    work.gate.clear()
    first = asyncio.ensure_future(grouped.ask(1))
    await asyncio.sleep(0.001)
    others = [asyncio.ensure_future(grouped.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0.001)
    work.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert work.rounds == [[1], [2, 3, 4]]


async def test_a_round_takes_no_more_than_it_is_allowed_to() -> None:
    work = Rounds()
    grouped = Grouped(work, most=2)
    assert await asyncio.gather(*map(grouped.ask, (1, 2, 3, 4, 5))) == [2, 4, 6, 8, 10]
    assert work.rounds == [[1, 2], [3, 4], [5]]


async def test_an_error_goes_to_whom_it_concerns() -> None:
    grouped = Grouped(Rounds())
    found = await asyncio.gather(*map(grouped.ask, (1, -5, 3)), return_exceptions=True)
    assert [found[0], found[2]] == [2, 6]
    assert isinstance(found[1], ValueError)


async def test_a_round_that_fails_fails_everybody_in_it_and_the_next_is_served() -> None:
    grouped = Grouped(Rounds())
    found = await asyncio.gather(*map(grouped.ask, (1, 0)), return_exceptions=True)
    assert [type(error) for error in found] == [OSError, OSError]
    assert await grouped.ask(4) == 8


async def test_one_who_leaves_before_the_round_is_not_in_it_and_during_it_disturbs_nobody() -> None:
    work = Rounds()
    grouped = Grouped(work)
    work.gate.clear()
    during = asyncio.ensure_future(grouped.ask(1))
    stays = asyncio.ensure_future(grouped.ask(2))
    await asyncio.sleep(0.001)
    before, last = (asyncio.ensure_future(grouped.ask(number)) for number in (3, 4))
    await asyncio.sleep(0)
    during.cancel()
    before.cancel()
    work.gate.set()
    assert [await stays, await last] == [4, 8]
    assert work.rounds == [[1, 2], [4]]
    assert during.cancelled()
    assert before.cancelled()


def test_it_serves_one_event_loop_after_another() -> None:
    async def doubled(items: Sequence[int]) -> Sequence[int]:
        return [2 * item for item in items]

    grouped: Grouped[int, int] = Grouped(doubled)
    assert [asyncio.run(grouped.ask(number)) for number in (1, 2)] == [2, 4]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Load, "busy", lambda _: True)


def test_a_thread_is_busy_that_works_nearly_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, cpu = 100.0, 5.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    monkeypatch.setattr(time, "thread_time", lambda: cpu)
    load = Load()
    assert not load.busy()  # nothing is known of it yet
    clock, cpu = clock + 0.2, cpu + 0.19
    assert load.busy()
    clock, cpu = clock + 0.05, cpu + 0.0
    assert load.busy()  # looked at ten times a second
    clock, cpu = clock + 0.2, cpu + 0.09
    assert not load.busy()


async def test_with_time_to_spare_a_round_waits_for_nobody() -> None:
    work = Rounds()
    grouped = Grouped(work)
    work.gate.clear()
    asked = []
    for number in range(1, 6):
        asked.append(asyncio.ensure_future(grouped.ask(number)))
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*asked) == [2, 4, 6, 8, 10]
    assert work.rounds[0] == [1]


@pytest.mark.usefixtures("busy")
async def test_on_a_busy_loop_a_round_waits_for_all_who_come_one_after_another() -> None:
    work = Rounds()
    grouped = Grouped(work)
    asked = []
    for number in range(1, 21):
        asked.append(asyncio.ensure_future(grouped.ask(number)))
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [2 * number for number in range(1, 21)]
    assert len(work.rounds) == 1


async def test_nobody_is_waited_for_longer_than_they_keep_coming() -> None:
    rounds = 0

    def nobody_more() -> int:
        nonlocal rounds
        rounds += 1
        return 1

    await gathered(nobody_more, 500)
    assert rounds == 1 + grouped_module.PATIENCE
    ever_more = iter(range(10**9))
    await asyncio.wait_for(gathered(lambda: next(ever_more), 10**9), 5.0)
    await gathered(lambda: 500, 500)


@pytest.mark.usefixtures("busy")
async def test_a_loop_that_ends_while_a_round_waits_for_company_leaves_nobody_waiting() -> None:
    grouped = Grouped(Rounds())
    asked = asyncio.ensure_future(grouped.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the round has begun to wait
    assert grouped._worker is not None
    grouped._worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
