"""Those whom models have answered at one moment go on a few at a time, and nobody is forgotten."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.grouped import Load
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import RunNotFoundError, Settings, Turn, TurnTaken, Wall
from soullink.modules.simulation.journal import Journal
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken
from soullink.modules.simulation.voice.turnstile import FEW, Passing, Turnstile
from tests.simulation.courses import COUPLE, FIVE, a_service, live

pytestmark = pytest.mark.anyio


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the loop is told to be."""
    told = [False]
    monkeypatch.setattr(Load, "busy", lambda _: told[0])
    return told


class Crowd:
    """`count` who come to a turnstile at one moment. inside: in the order of entering."""

    def __init__(self, turnstile: Turnstile, count: int) -> None:
        self.passing = [Passing(turnstile) for _ in range(count)]
        self.inside: list[int] = []
        self.tasks = [asyncio.ensure_future(self._enter(number)) for number in range(count)]

    async def _enter(self, number: int) -> None:
        await self.passing[number].enter()
        self.inside.append(number)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("busy")
async def test_a_few_go_on_at_a_time_in_the_order_in_which_they_came() -> None:
    crowd = Crowd(Turnstile(), FEW + 3)
    await settled()
    assert crowd.inside == list(range(FEW))
    for number in range(FEW + 3):
        crowd.passing[number].leave()
        await settled()
        assert crowd.inside == list(range(min(FEW + 1 + number, FEW + 3)))


async def test_on_a_busy_loop_all_go_on_also_those_who_wait(busy: list[bool]) -> None:
    crowd = Crowd(Turnstile(), 2 * FEW)
    await settled()
    busy[0] = True
    crowd.passing[0].leave()
    await settled()
    assert crowd.inside == list(range(2 * FEW))


@pytest.mark.usefixtures("busy")
async def test_entering_and_leaving_twice_is_once() -> None:
    turnstile = Turnstile()
    one = Passing(turnstile)
    one.leave()
    await one.enter()
    await one.enter()
    others = Crowd(turnstile, FEW + 1)
    await settled()
    assert len(others.inside) == FEW - 1
    one.leave()
    one.leave()
    await settled()
    assert len(others.inside) == FEW
    others.passing[0].leave()
    await asyncio.gather(*others.tasks)


@pytest.mark.usefixtures("busy")
async def test_one_who_is_called_off_gives_way_to_the_next() -> None:
    turnstile = Turnstile()
    first = Crowd(turnstile, FEW)
    await settled()
    then = Crowd(turnstile, 3)
    await settled()
    then.tasks[0].cancel()
    await settled()
    first.passing[0].leave()  # lets in the second, who is called off in the very same moment
    then.tasks[1].cancel()
    await settled()
    assert [task.cancelled() for task in then.tasks] == [True, True, False]
    assert then.inside == [2]


@given(st.lists(st.tuples(st.integers(0, 11), st.booleans()), max_size=60))
def test_whatever_happens_everybody_passes_and_no_more_than_a_few_at_a_time(
    happenings: list[tuple[int, bool]],
) -> None:
    async def main() -> None:
        turnstile = Turnstile()
        passing = [Passing(turnstile) for _ in range(12)]
        tasks: dict[int, asyncio.Task[None]] = {}

        def inside() -> list[int]:
            return [n for n, task in tasks.items() if task.done() and not task.cancelled()]

        for number, called_off in happenings:
            if number not in tasks:
                tasks[number] = asyncio.ensure_future(passing[number].enter())
            elif not tasks[number].done() and called_off:
                tasks[number].cancel()
            elif number in inside():
                passing[number].leave()
                del tasks[number]
            if called_off:
                await asyncio.sleep(0)
            assert len(inside()) <= FEW
        for _ in range(40):
            await asyncio.sleep(0)
            for number in inside():
                passing[number].leave()
                del tasks[number]
        assert all(task.cancelled() for task in tasks.values())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Load, "busy", lambda _: False)
        asyncio.run(main())


class Answering(BuiltInVoice):
    """Speaks as the built-in voice does, once a model has answered everybody at one moment."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self._asked, self._expected = 0, expected
        self._answered = asyncio.Event()

    async def speak(self, request: SpeechRequest) -> Spoken:
        assert request.passing is not None
        request.passing.leave()
        self._asked += 1
        if self._asked >= self._expected:
            self._answered.set()
        await self._answered.wait()
        await request.passing.enter()
        return await super().speak(request)


async def test_courses_that_were_answered_together_are_recorded_a_few_at_a_time(
    database: Database, busy: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, most = 0, 0
    take = Journal.take

    async def counted(self: Journal, run_id: RunId, turn: Turn, wall: Wall) -> None:
        nonlocal recording, most
        recording += 1
        most = max(most, recording)
        try:
            await take(self, run_id, turn, wall)
        finally:
            recording -= 1

    monkeypatch.setattr(Journal, "take", counted)
    for told, expected in ((False, FEW), (True, 2 * FEW)):
        busy[0], most = told, 0
        voice = Answering(2 * FEW)
        service = a_service(database, lambda _, voice=voice: voice)
        runs = [
            await service.start(COUPLE, Settings(seed=n, scenarios=FIVE[:1]))
            for n in range(2 * FEW)
        ]
        async with asyncio.timeout(60):
            lives = await asyncio.gather(*(live(service, run.id) for run in runs))
        assert all(any(isinstance(moment, TurnTaken) for moment in one) for one in lives)
        assert most == expected


@pytest.mark.usefixtures("busy")
async def test_neither_a_slow_listener_nor_a_course_that_fails_holds_up_the_others(
    database: Database,
) -> None:
    service = a_service(database, lambda _: Answering(1))
    runs = [
        await service.start(COUPLE, Settings(seed=n, scenarios=FIVE[:1])) for n in range(2 * FEW)
    ]
    listened, failing, last = runs[:FEW], runs[FEW:-1], runs[-1]
    lives = [service.live(run.id) for run in listened]
    for moments in lives:
        while not isinstance(await anext(moments), TurnTaken):
            pass
    for run in failing:
        async with aclosing(service.live(run.id)) as moments:
            await anext(moments)
            await service.delete(run.id)
            with pytest.raises(RunNotFoundError):
                await asyncio.wait_for(anext(moments), 60)
    async with asyncio.timeout(60):
        assert await live(service, last.id)
    for moments in lives:
        await moments.aclose()
