"""Many courses share transactions: what is announced is durable, and one's fault is one's own."""

import asyncio
import json
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from msgspec import structs

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.direct import Direct, Rows, Statement
from soullink.kernel.ids import RunId, new_uuid7
from soullink.modules.simulation.api import (
    Moment,
    RunConflictError,
    RunNotFoundError,
    Settings,
    Speech,
    Turn,
    TurnTaken,
    Wall,
)
from soullink.modules.simulation.journal import _STATEMENTS, MOST_BEGINS, Journal
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.store import RunStore
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken
from tests.simulation.courses import COUPLE, FIVE, XIA, a_service, lived_course

pytestmark = pytest.mark.anyio

WALL = Wall("2026-01-01T00:00:00+00:00", 0.5, 0.001, 100.0)


class CountingDirect(Direct):
    """Counts the transactions."""

    opened = 0

    async def run(self, *statements: Statement) -> list[Rows]:
        self.opened += 1
        return await super().run(*statements)


def counting(database: Database) -> CountingDirect:
    direct = CountingDirect(database.parameters)
    object.__setattr__(database, "direct", direct)
    return direct


async def a_turn(database: Database) -> Turn:
    course = await lived_course(a_service(database), Settings(scenarios=FIVE[:1]))
    return course.turns[0]


async def new_runs(database: Database, count: int) -> list[RunId]:
    service = a_service(database)
    runs = [await service.start(COUPLE, Settings(seed=n, scenarios=FIVE[:1])) for n in range(count)]
    return [run.id for run in runs]


async def test_turns_that_wait_at_one_time_share_a_transaction(database: Database) -> None:
    counted = counting(database)
    turn, runs = await a_turn(database), await new_runs(database, 30)
    journal, before = Journal(database), counted.opened
    await asyncio.gather(*(journal.take(run, turn, WALL) for run in runs))
    assert 1 <= counted.opened - before <= 2
    for run in runs:
        assert [t.words for t in await words_of(database, run)] == [turn.speech.words]


async def words_of(database: Database, run: RunId) -> list[Speech]:
    return [turn.speech for turn in (await a_service(database).course(run)).turns]


async def test_a_turn_that_another_process_lived_is_refused_alone(database: Database) -> None:
    turn, (taken, free) = await a_turn(database), await new_runs(database, 2)
    await Journal(database).take(taken, turn, WALL)
    journal = Journal(database)
    refused, written = await asyncio.gather(
        journal.take(taken, turn, WALL), journal.take(free, turn, WALL), return_exceptions=True
    )
    assert isinstance(refused, RunConflictError)
    assert "just lived by another process" in str(refused)
    assert written is None


async def test_a_run_that_was_deleted_is_told_so_and_no_other_is(database: Database) -> None:
    turn, (gone, kept) = await a_turn(database), await new_runs(database, 2)
    await a_service(database).delete(gone)
    journal = Journal(database)
    refused, written = await asyncio.gather(
        journal.take(gone, turn, WALL), journal.take(kept, turn, WALL), return_exceptions=True
    )
    assert isinstance(refused, RunNotFoundError)
    assert written is None


async def test_of_two_who_live_one_turn_at_one_time_the_second_is_refused(
    database: Database,
) -> None:
    turn, (run, free) = await a_turn(database), await new_runs(database, 2)
    other = structs.replace(turn, speech=structs.replace(turn.speech, words="Something else."))
    journal = Journal(database)
    ends = await asyncio.gather(
        journal.take(run, turn, WALL),
        journal.take(run, other, WALL),
        journal.take(free, other, WALL),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [type(None), RunConflictError, type(None)]
    assert [(await words_of(database, one))[0].words for one in (run, free)] == [
        turn.speech.words,
        "Something else.",
    ]


async def test_of_two_runs_begun_under_one_id_at_one_time_the_first_is_lived(
    database: Database,
) -> None:
    service, run_id = a_service(database), RunId(new_uuid7())
    first, second = await asyncio.gather(
        service.start(COUPLE, Settings(seed=1, scenarios=FIVE[:1]), run_id),
        service.start((COUPLE[0], XIA), Settings(seed=2, scenarios=FIVE[:1]), run_id),
        return_exceptions=True,
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, RunConflictError)
    assert [moment async for moment in service.live(run_id)]
    assert (await service.course(run_id)).run.people == COUPLE


@pytest.mark.parametrize("unwritable", ["never\0", "half a pair \ud800"])
async def test_words_that_cannot_be_written_spoil_no_other_turn(
    database: Database, unwritable: str
) -> None:
    turn, runs = await a_turn(database), await new_runs(database, 5)
    broken = structs.replace(turn, speech=structs.replace(turn.speech, words=unwritable))
    journal = Journal(database)
    ends = await asyncio.gather(
        *(journal.take(run, broken if run == runs[2] else turn, WALL) for run in runs),
        return_exceptions=True,
    )
    assert [end is None for end in ends] == [True, True, False, True, True]
    assert [len(await words_of(database, run)) for run in runs] == [1, 1, 0, 1, 1]


class KeepingDirect(Direct):
    """Keeps what is sent."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.sent: list[Statement] = []

    async def run(self, *statements: Statement) -> list[Rows]:
        self.sent += statements
        return await super().run(*statements)


async def test_what_runs_have_in_common_is_sent_once_a_round(database: Database) -> None:
    kept = KeepingDirect(database.parameters)
    object.__setattr__(database, "direct", kept)
    service = a_service(database)
    pairs = [COUPLE, COUPLE, (COUPLE[0], XIA), (XIA, COUPLE[1])]
    settings = Settings(scenarios=FIVE[:3])
    runs = await asyncio.gather(*(service.start(pair, settings) for pair in pairs))
    ((_, (rows, documents)),) = kept.sent
    assert (len(json.loads(rows or b"")), len(json.loads(documents or b""))) == (4, 3 + 3 + 3)
    for run, pair in zip(runs, pairs, strict=True):
        async with database.work() as work:
            found = await RunStore(work.session).get(run.id)
        assert found.run == replace(run, people=pair)
        assert [persona.person for persona in found.personas] == [one.id for one in pair]
        assert found.scenarios == tuple(map(library.get, FIVE[:3]))


async def test_many_more_runs_than_a_round_takes_are_all_begun(database: Database) -> None:
    service = a_service(database)
    count = 3 * MOST_BEGINS + 1
    runs = await asyncio.gather(*(service.start(COUPLE, Settings(seed=n)) for n in range(count)))
    listed = {run.id: run.settings.seed for run in await service.list_runs(2 * count)}
    assert listed == {run.id: n for n, run in enumerate(runs)}


async def test_a_run_that_cannot_be_written_spoils_no_other(database: Database) -> None:
    service = a_service(database)
    taken = (await service.start(COUPLE, Settings())).id
    nobody = (replace(COUPLE[0], name="no\0body"), COUPLE[1])
    ends = await asyncio.gather(
        service.start(COUPLE, Settings(seed=1)),
        service.start(nobody, Settings(seed=2)),
        service.start(COUPLE, Settings(seed=3), taken),
        service.start(COUPLE, Settings(seed=4)),
        return_exceptions=True,
    )
    assert isinstance(ends[1], psycopg.Error)
    assert isinstance(ends[2], RunConflictError)
    seeds = sorted(run.settings.seed for run in await service.list_runs())
    assert seeds == [0, 1, 4]


async def test_one_who_is_cancelled_disturbs_no_other(database: Database) -> None:
    turn, runs = await a_turn(database), await new_runs(database, 6)
    journal = Journal(database)
    waiting = [asyncio.ensure_future(journal.take(run, turn, WALL)) for run in runs]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0.001)
    waiting[4].cancel()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [end for number, end in enumerate(ends) if number not in (1, 4)] == [None] * 4
    # Either it was written or it was not; where it was, going on finds it.
    for run in (runs[1], runs[4]):
        assert len(await words_of(database, run)) in (0, 1)


async def test_many_lived_at_once_are_what_each_is_alone(database: Database) -> None:
    counted = counting(database)
    service = alone = a_service(database)
    settings = [Settings(seed=seed, scenarios=FIVE[seed % 3 : seed % 3 + 2]) for seed in range(9)]
    runs = [(await service.start(COUPLE, each)).id for each in settings]
    announced: dict[RunId, list[Turn]] = {run: [] for run in runs}
    before = counted.opened
    async for run, moment in service.live_many(runs, concurrency=6):
        if isinstance(moment, TurnTaken):
            announced[run].append(moment.turn)
    shared = counted.opened - before
    for run, each in zip(runs, settings, strict=True):
        course = await service.course(run)
        lone = await lived_course(alone, each)
        assert course.turns == lone.turns == tuple(announced[run])
        assert course.episodes == lone.episodes
        assert course.run.status == "finished"
    # Each course alone takes one for every turn and several more for its begin and end.
    assert shared < 0.7 * sum(map(len, announced.values()))


async def test_a_run_that_fails_is_announced_and_the_others_go_on(database: Database) -> None:
    service = a_service(database)
    good = (await service.start(COUPLE, Settings(scenarios=FIVE[:1]))).id
    gone = (await service.start(COUPLE, Settings(scenarios=FIVE[:1]))).id
    await service.delete(gone)
    told = [pair async for pair in service.live_many([gone, good])]
    failures = [moment for run, moment in told if run == gone]
    assert [type(failure) for failure in failures] == [RunNotFoundError]
    assert (await service.course(good)).run.status == "finished"


async def test_who_stops_listening_stops_all_and_each_goes_on_where_it_stood(
    database: Database,
) -> None:
    service = a_service(database)
    settings = [Settings(seed=seed, scenarios=FIVE[:2]) for seed in range(4)]
    runs = [(await service.start(COUPLE, each)).id for each in settings]
    lives = service.live_many(runs, concurrency=4)
    heard = 0
    async for _, moment in lives:
        heard += isinstance(moment, TurnTaken)
        if heard == 20:
            break
    await lives.aclose()
    stood = [len((await service.course(run)).turns) for run in runs]
    assert 20 <= sum(stood) < 20 + 3 * len(runs) + 4
    async for _ in service.live_many(runs):
        pass
    for run, each in zip(runs, settings, strict=True):
        assert (await service.course(run)).turns == (
            await lived_course(a_service(database), each)
        ).turns


class HangingVoice(BuiltInVoice):
    """Is asked and never answers."""

    def __init__(self, asked: asyncio.Semaphore) -> None:
        super().__init__()
        self._asked = asked

    async def speak(self, request: SpeechRequest) -> Spoken:
        self._asked.release()
        await asyncio.Event().wait()
        return await super().speak(request)


async def test_a_course_that_waits_for_its_model_takes_little_memory(database: Database) -> None:
    asked = asyncio.Semaphore(0)
    service = a_service(database, lambda _: HangingVoice(asked))
    runs = [(await service.start(COUPLE, Settings(seed=n, scenarios=FIVE))).id for n in range(60)]
    tracemalloc.start()
    try:
        lives = [asyncio.ensure_future(collected(service, run)) for run in runs]
        for _ in runs:
            await asked.acquire()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    assert held / len(runs) < 60_000


async def collected(service: SimulationService, run: RunId) -> list[Moment]:
    return [moment async for moment in service.live(run)]


async def test_a_course_that_is_cancelled_disturbs_no_other(database: Database) -> None:
    service = a_service(database)
    settings = [Settings(seed=seed, scenarios=FIVE[:2]) for seed in range(5)]
    runs = [(await service.start(COUPLE, each)).id for each in settings]
    lives = [asyncio.ensure_future(collected(service, run)) for run in runs]
    await asyncio.sleep(0.1)
    lives[2].cancel()
    ends = await asyncio.gather(*lives, return_exceptions=True)
    assert isinstance(ends[2], asyncio.CancelledError)
    await collected(service, runs[2])
    for run, each in zip(runs, settings, strict=True):
        lone = await lived_course(a_service(database), each)
        assert (await service.course(run)).turns == lone.turns


@pytest.mark.parametrize("table", ["simulation_turn", "simulation_episode", ""])
async def test_runs_are_looked_up_and_never_gone_through(database_url: str, table: str) -> None:
    many = (
        "INSERT INTO simulation_run SELECT gen_random_uuid(), 'finished', '[]', '[]', '{}', '[]',"
        " '{}', NULL, '[]', now(), now() FROM generate_series(1, 4000)"
    )
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(many)
        await connection.execute("ANALYZE simulation_run")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE written AS {_STATEMENTS[table]}".encode())
        rows = await connection.execute("EXPLAIN EXECUTE written('[]')")
        plan = "\n".join([line for (line,) in await rows.fetchall()])
        await connection.rollback()
    assert "on simulation_run" in plan
    assert "Seq Scan on simulation_run" not in plan
