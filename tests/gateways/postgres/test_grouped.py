"""Rounds of work: who waits is served together, in order, and fails or leaves alone."""

import asyncio
from collections.abc import Sequence

import pytest

from soullink.gateways.postgres.grouped import Company, Grouped

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


def test_one_alone_waits_for_nobody_and_many_wait_for_each_other() -> None:
    company, now = Company(), 0.0
    for _ in range(200):  # a course alone whose model answers at once
        company.took(1, now := now + 0.006)
        assert company.seconds == 0.0
    for _ in range(50):  # five hundred a second: a commit is over sooner than four of them come
        company.took(3, now := now + 0.006)
    assert company.seconds == 0.0
    for _ in range(50):  # fifteen hundred a second
        company.took(9, now := now + 0.006)
    assert company.seconds == Company.GATHER_SECONDS
    company.took(1, now + 2.0)
    assert company.seconds == 0.0


async def test_when_many_come_a_round_waits_for_company_and_nobody_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Company, "GATHER_SECONDS", 0.2)  # long, beside a busy machine's pauses
    work = Rounds()
    grouped = Grouped(work)
    grouped._company._rate = 5_000.0
    first = asyncio.ensure_future(grouped.ask(1))
    await asyncio.sleep(0.001)
    second = asyncio.ensure_future(grouped.ask(2))
    assert await asyncio.gather(first, second) == [2, 4]
    assert work.rounds == [[1, 2]]


async def test_a_loop_that_ends_while_a_round_waits_for_company_leaves_nobody_waiting() -> None:
    grouped = Grouped(Rounds())
    grouped._company._rate = 5_000.0
    asked = asyncio.ensure_future(grouped.ask(1))
    await asyncio.sleep(0.001)
    assert grouped._worker is not None
    grouped._worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
