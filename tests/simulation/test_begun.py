"""A run that this process has just begun is known without reading it; it is what reading gives."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from soullink.gateways.postgres.database import Database
from soullink.kernel.ids import PersonId, RunId, new_uuid7
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation import begun
from soullink.modules.simulation.api import Fork, RunNotFoundError, Scenario, Settings, TurnTaken
from soullink.modules.simulation.documents import as_kept
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.store import RecordedRun, RunStore
from tests.simulation.courses import (
    ADA,
    BEN,
    COUPLE,
    FIVE,
    XIA,
    YUE,
    a_service,
    live,
    lived_course,
    stop_after,
)

pytestmark = pytest.mark.anyio

SHORT = Settings(scenarios=FIVE[:1])
EVE = replace(
    ADA,
    id=PersonId("eve"),
    percentiles={"openness": -0.0, "neuroticism": 85.25, "extraversion": 1e-7},
    values={"tradition": 1.0, "power": 2.5, "benevolence": 5.0},
    essays={"夜": "跑", "longest of all": "a", "é": "b", "zz": "c", "b": "d"},
)


def own_scene() -> Scenario:
    shipped = library.get(FIVE[0])
    return replace(
        shipped,
        id="mine",
        acts=dict(reversed(shipped.acts.items())),
        demands=dict(reversed(shipped.demands.items())),
    )


async def remembered(service: SimulationService, run_id: RunId) -> RecordedRun | None:
    return (await service._begun.take(service.database.direct, [run_id])).get(run_id)


async def read(database: Database, run_id: RunId) -> RecordedRun:
    async with database.work() as work:
        recorded, turns = (await RunStore(work.session).pasts([run_id]))[run_id]
    assert turns == []
    return recorded


@pytest.mark.parametrize(
    ("people", "chosen", "own"),
    [
        (COUPLE, Settings(), ()),
        ((XIA, YUE), Settings(seed=-3, language="zh", scenarios=FIVE), ()),
        ((EVE, BEN), Settings(seed=2**70, scenarios=("mine", FIVE[1])), (own_scene(),)),
        ((EVE, XIA), Settings(voice="stub:model", scenarios=("composed:early_dating",)), ()),
    ],
)
async def test_what_is_remembered_is_what_reading_gives(
    database: Database,
    people: tuple[Profile, Profile],
    chosen: Settings,
    own: tuple[Scenario, ...],
) -> None:
    service = a_service(database)
    run = await service.start(people, chosen, own=own)
    known, found = await remembered(service, run.id), await read(database, run.id)
    assert known == found
    # Mappings in their order too, and no negative zero: what is made of them depends on both.
    assert repr(known) == repr(found)


async def test_it_is_remembered_once(database: Database) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)
    assert await remembered(service, run.id) is not None
    assert await remembered(service, run.id) is None


async def test_what_is_remembered_is_not_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)

    async def refuse(*_: object) -> dict[Any, Any]:
        raise AssertionError("read")

    monkeypatch.setattr(RunStore, "pasts", refuse)
    await live(service, run.id)
    assert (await service.course(run.id)).run.status == "finished"


async def test_many_begun_at_once_are_lived_as_each_alone(database: Database) -> None:
    service = a_service(database)
    pairs = [COUPLE, (EVE, BEN), (XIA, YUE), (BEN, ADA), (ADA, XIA)]
    runs = [(await service.start(pair, SHORT)).id for pair in pairs]
    async for _ in service.live_many(runs):
        pass
    for run, pair in zip(runs, pairs, strict=True):
        alone = await lived_course(a_service(database), SHORT, pair)
        assert (await service.course(run)).turns == alone.turns


async def test_a_run_that_another_process_has_lived_is_read(database: Database) -> None:
    service, other = a_service(database), a_service(database)
    finished, halfway = [(await service.start(COUPLE, SHORT)).id for _ in range(2)]
    await live(other, finished)
    await stop_after(other, halfway, 3)
    moments = await live(service, finished)
    assert all(moment.replayed for moment in moments if isinstance(moment, TurnTaken))
    known = [
        moment.replayed for moment in await live(service, halfway) if isinstance(moment, TurnTaken)
    ]
    assert known[:4] == [True, True, True, False]
    assert (await service.course(halfway)).turns == (await service.course(finished)).turns


async def test_a_run_that_another_process_has_finished_is_read(database: Database) -> None:
    service, other = a_service(database), a_service(database)
    run = (await service.start(COUPLE, SHORT)).id
    await other._journal.finish(run, other.clock.now())
    assert await remembered(service, run) is None


async def test_a_run_that_another_process_has_deleted_is_gone(database: Database) -> None:
    service = a_service(database)
    gone, kept = [(await service.start(COUPLE, SHORT)).id for _ in range(2)]
    await a_service(database).delete(gone)
    with pytest.raises(RunNotFoundError, match=str(gone)):
        await live(service, gone)
    assert await live(service, kept)


async def test_a_run_made_anew_under_the_same_id_is_the_new_one(database: Database) -> None:
    """Both services tell the same hours, so that not even its age tells them apart."""
    service, other, run_id = a_service(database), a_service(database), RunId(new_uuid7())
    await service.start(COUPLE, SHORT, run_id)
    await other.delete(run_id)
    await other.start((XIA, YUE), SHORT, run_id)
    await live(service, run_id)
    assert (await service.course(run_id)).run.people == (XIA, YUE)
    alone = await lived_course(a_service(database), SHORT, (XIA, YUE))
    assert (await service.course(run_id)).turns == alone.turns


async def test_a_fork_is_read_with_its_turns_and_changes(database: Database) -> None:
    service = a_service(database)
    parent = (await lived_course(service, SHORT)).run.id
    fork = await service.fork(Fork(parent, 1, 4, {"ada.mood": "0.9"}))
    assert await remembered(service, fork.id) is None
    taken = [moment for moment in await live(service, fork.id) if isinstance(moment, TurnTaken)]
    assert [moment.replayed for moment in taken[:4]] == [True, True, True, False]


async def test_no_more_are_remembered_than_there_is_room_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begun, "MOST_BEGUN", 2)
    service = a_service(database)
    runs = [(await service.start(COUPLE, replace(SHORT, seed=n))).id for n in range(3)]
    known = await service._begun.take(database.direct, runs)
    assert list(known) == runs[1:]
    assert await live(service, runs[0])


def plain_json() -> st.SearchStrategy[Any]:
    # jsonb holds no NUL; larger whole numbers come back as such, whatever they were written as.
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
    leaf = st.none() | st.booleans() | st.integers() | st.floats(-1e15, 1e15) | text
    return st.recursive(
        leaf, lambda one: st.lists(one, max_size=4) | st.dictionaries(text, one, max_size=5)
    )


@pytest.fixture
def as_postgresql_has_it(database_url: str) -> Iterator[Callable[[Any], Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:

        def asked(value: Any) -> Any:
            row = connection.execute("SELECT (%s::jsonb)::text", (json.dumps(value),)).fetchone()
            assert row is not None
            return json.loads(row[0])

        yield asked


def test_plain_data_is_kept_as_postgresql_keeps_it(
    as_postgresql_has_it: Callable[[Any], Any],
) -> None:
    @settings(max_examples=150, deadline=None)
    @given(plain_json())
    @example({"b": -0.0, "aa": 1.5, "é": 1, "z": [], "aé": {}, "a": [-0.0, 0.0]})
    def holds(value: Any) -> None:
        assert repr(as_kept(value)) == repr(as_postgresql_has_it(value))

    holds()
