"""The journal: what is recorded of a course, when, and what is refused."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from soullink.gateways.llm.port import LlmAuthError
from soullink.gateways.postgres.database import Database, open_database
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError, SoulLinkError
from soullink.kernel.ids import PersonId, RunId
from soullink.kernel.language import Language
from soullink.modules.simulation.api import (
    ACTS,
    EpisodeBegan,
    EpisodeEnded,
    Fork,
    Run,
    RunConflictError,
    RunNotFoundError,
    ScenarioNotFoundError,
    Settings,
    TurnTaken,
)
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.service import MOST_EPISODES, SimulationService
from soullink.modules.simulation.voice.port import Voice
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

NOWHERE = RunId(UUID(int=7))
SHORT = Settings(seed=3, scenarios=FIVE[:2])
A_TURN = "SELECT * FROM simulation_turn WHERE run_id = %s ORDER BY episode, sequence"


def rows(url: str, query: str, *values: object) -> list[dict[str, Any]]:
    """Ask over a connection of our own, which sees only what is committed."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        return connection.execute(query.encode(), values).fetchall()


async def test_every_turn_is_durable_before_the_next_begins(
    database: Database, database_url: str
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)
    episodes = turns = 0
    async for moment in service.live(run.id):
        seen = rows(database_url, A_TURN, run.id)
        if isinstance(moment, TurnTaken):
            turns += 1
            assert len(seen) == turns
            last = seen[-1]
            assert (last["episode"], last["sequence"]) == (
                moment.turn.episode,
                moment.turn.sequence,
            )
            assert last["words"] == moment.turn.speech.words
            assert not moment.replayed
        if isinstance(moment, EpisodeEnded):
            episodes += 1
            ended = rows(database_url, "SELECT number, outcome FROM simulation_episode")
            assert len(ended) == episodes
            assert {"number": episodes, "outcome": moment.episode.outcome} in ended
        status = rows(database_url, "SELECT status FROM simulation_run")
        assert status == [{"status": "running"}]
    assert (episodes, turns > 10) == (2, True)
    finished = rows(database_url, "SELECT status, finished_at FROM simulation_run")[0]
    assert finished["status"] == "finished"
    assert finished["finished_at"] is not None


async def test_a_row_tells_everything_about_its_turn(database: Database, database_url: str) -> None:
    course = await lived_course(a_service(database), SHORT)
    found = rows(database_url, A_TURN, course.run.id)
    assert len(found) == len(course.turns) == len(course.walls)
    for row, turn, wall in zip(found, course.turns, course.walls, strict=True):
        assert (row["episode"], row["sequence"], row["speaker"], row["act"], row["seed"]) == (
            turn.episode,
            turn.sequence,
            turn.speaker,
            turn.act,
            turn.seed,
        )
        assert set(row["distribution"]) == set(ACTS)
        assert sum(row["distribution"].values()) == pytest.approx(1.0, abs=2e-5)
        assert row["distribution"][turn.act] > 0.0
        for column, states in (("state_before", turn.before), ("state_after", turn.after)):
            assert [person["trust"] for person in row[column]] == [s.trust for s in states]
        assert row["state_before"] != row["state_after"]
        assert row["appraisal"]["perceived"] == turn.appraisal.perceived
        assert (row["words"], row["voice"], row["voice_status"]) == (
            turn.speech.words,
            "built-in",
            turn.speech.status,
        )
        assert row["faults"] == []
        assert (row["model"], row["prompt_version"], row["calls"]) == (None, None, 0)
        assert (row["input_tokens"], row["output_tokens"], row["cost_nano_usd"]) == (0, 0, 0)
        assert row["latency_seconds"] == wall.latency_seconds == 0.0
        assert row["started_at"].isoformat() == wall.started_at
        assert row["cpu_seconds"] > 0.0
        assert row["memory_mb"] > 10.0


async def test_the_database_itself_refuses_a_turn_twice(
    database: Database, database_url: str
) -> None:
    course = await lived_course(a_service(database), SHORT)
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute(
            "INSERT INTO simulation_turn SELECT * FROM simulation_turn"
            " WHERE run_id = %s AND episode = 1 AND sequence = 2",
            [course.run.id],
        )


async def test_a_course_reads_back_as_it_was_announced(database: Database) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)
    moments = await live(service, run.id)
    course = await service.course(run.id)
    assert course.turns == tuple(m.turn for m in moments if isinstance(m, TurnTaken))
    assert course.episodes == tuple(m.episode for m in moments if isinstance(m, EpisodeEnded))
    assert [e.turns for e in course.episodes] == [
        sum(turn.episode == e.number for turn in course.turns) for e in course.episodes
    ]
    began = [m for m in moments if isinstance(m, EpisodeBegan)]
    assert [m.title for m in began] == [e.scenario.title["en"] for e in course.episodes]
    assert "{" not in "".join(m.setting for m in began)
    assert course.run == replace(run, status="finished", finished_at=course.run.finished_at)
    assert (course.run.people, course.run.settings) == (COUPLE, SHORT)
    assert {"soullink", "dynamics", "scenarios", "lines"} <= set(course.run.versions)


async def test_what_agents_have_become_is_kept_with_every_episode(
    database: Database, database_url: str
) -> None:
    course = await lived_course(a_service(database), SHORT)
    for row in rows(database_url, "SELECT number, agents FROM simulation_episode"):
        assert [agent["person"] for agent in row["agents"]] == ["ada", "ben"]
        lived = [turn for turn in course.turns if turn.episode <= row["number"]]
        for position, agent in enumerate(row["agents"]):
            told = {tuple(place) for memory in agent["memory"] for place in memory["turns"]}
            assert told
            assert told <= {(t.episode, t.sequence) for t in lived if t.speaker != position}


async def test_runs_are_listed_newest_first_page_by_page(database: Database) -> None:
    service = a_service(database)
    started = [await service.start(COUPLE, replace(SHORT, seed=seed)) for seed in range(5)]
    assert await service.list_runs() == started[::-1]
    first = await service.list_runs(2)
    second = await service.list_runs(2, first[-1].id)
    third = await service.list_runs(2, second[-1].id)
    assert [*first, *second, *third] == started[::-1]
    with pytest.raises(RunNotFoundError, match="no run"):
        await service.list_runs(2, NOWHERE)


async def test_runs_of_one_moment_are_paged_without_a_loss(database: Database) -> None:
    class StoppedClock:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

    clock: Clock = StoppedClock()
    service = replace(a_service(database), clock=clock)
    started = {(await service.start(COUPLE, SHORT)).id for _ in range(5)}
    seen: list[Run] = await service.list_runs(2)
    while page := await service.list_runs(2, seen[-1].id):
        seen += page
    assert len(seen) == 5
    assert {run.id for run in seen} == started


async def test_deleting_a_run_erases_its_records_and_leaves_its_forks(
    database: Database, database_url: str
) -> None:
    service = a_service(database)
    parent = (await lived_course(service, SHORT)).run
    fork = await service.fork(Fork(parent.id, 1, 3, {"ada.mood": "-0.8"}))
    await live(service, fork.id)
    kept = await service.course(fork.id)
    await service.delete(parent.id)
    for table in ("simulation_turn", "simulation_episode"):
        left = rows(database_url, f"SELECT DISTINCT run_id FROM {table}")  # noqa: S608 - ours
        assert left == [{"run_id": fork.id}]
    assert [run.id for run in await service.list_runs()] == [fork.id]
    assert await service.course(fork.id) == kept
    assert [moment async for moment in service.replay(fork.id)]
    with pytest.raises(RunNotFoundError):
        await service.delete(parent.id)


async def test_a_run_that_does_not_exist_is_said_to_be_missing(database: Database) -> None:
    service = a_service(database)
    for asking in (
        service.course(NOWHERE),
        service.delete(NOWHERE),
        service.replicas(NOWHERE, 2),
        service.fork(Fork(NOWHERE, 1, 1, {"ada.mood": "0"})),
        live(service, NOWHERE),
        anext(service.replay(NOWHERE)),
    ):
        with pytest.raises(RunNotFoundError, match=str(NOWHERE)):
            await asking


async def test_an_id_is_taken_once(database: Database, database_url: str) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT, NOWHERE)
    assert run.id == NOWHERE
    with pytest.raises(RunConflictError, match="already"):
        await service.start(COUPLE, replace(SHORT, seed=9), NOWHERE)
    assert [found.settings.seed for found in await service.list_runs()] == [3]
    with pytest.raises(RunConflictError, match="already"):
        await service.fork(await _forkable(service), NOWHERE)
    assert rows(database_url, "SELECT run_id FROM simulation_turn WHERE run_id = %s", NOWHERE) == []


async def _forkable(service: SimulationService) -> Fork:
    run = await service.start(COUPLE, SHORT)
    await stop_after(service, run.id, 4)
    return Fork(run.id, 1, 3, {"ada.mood": "0"})


async def test_two_who_live_one_run_at_once_end_in_one_conflict_and_no_double(
    database: Database, database_url: str
) -> None:
    other = open_database(database_url)
    service, rival = a_service(database), a_service(other)
    expected = await lived_course(service, SHORT)
    run = await service.start(COUPLE, SHORT)
    ends = await asyncio.gather(live(service, run.id), live(rival, run.id), return_exceptions=True)
    await other.close()
    conflicts = [end for end in ends if isinstance(end, BaseException)]
    assert [type(end) for end in conflicts] == [RunConflictError]
    assert "another process" in str(conflicts[0])
    course = await service.course(run.id)
    assert (course.turns, course.episodes) == (expected.turns, expected.episodes)
    assert course.run.status == "finished"


async def test_two_may_end_the_same_episode_at_once(database: Database, database_url: str) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)
    whole = await live(service, run.id)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM simulation_episode")
        connection.execute("UPDATE simulation_run SET status = 'running'")
    both = await asyncio.gather(live(service, run.id), live(service, run.id))
    assert len(both[0]) == len(both[1]) == len(whole)
    assert len(rows(database_url, "SELECT number FROM simulation_episode")) == 2


async def test_a_run_deleted_while_it_is_lived_ends_in_one_clear_sentence(
    database: Database,
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)
    moments = service.live(run.id)
    for _ in range(4):
        await anext(moments)
    await service.delete(run.id)
    with pytest.raises(RunNotFoundError, match="was deleted while it was lived"):
        await anext(moments)


@pytest.mark.parametrize(
    ("people", "settings", "sentence"),
    [
        ((ADA, replace(BEN, id=PersonId("ada"))), SHORT, "Both people have the id 'ada'"),
        (COUPLE, Settings(episodes=0), "1 to 40 episodes, not 0"),
        (COUPLE, Settings(episodes=41), "1 to 40 episodes, not 41"),
        (COUPLE, Settings(scenarios=FIVE[:1] * (MOST_EPISODES + 1)), "not 41"),
        (COUPLE, Settings(language="fr"), "no language 'fr'"),  # type: ignore[arg-type]
        (COUPLE, Settings(scenarios=("composed:midlife",)), "no stage 'midlife'"),
    ],
)
async def test_what_cannot_be_lived_is_refused_and_leaves_nothing(
    database: Database, people: Any, settings: Settings, sentence: str
) -> None:
    service = a_service(database)
    with pytest.raises(InvalidInputError, match=sentence):
        await service.start(people, settings)
    assert await service.list_runs() == []


async def test_an_unknown_scenario_is_refused_and_leaves_nothing(database: Database) -> None:
    service = a_service(database)
    with pytest.raises(ScenarioNotFoundError, match="the-lye"):
        await service.start(COUPLE, Settings(scenarios=("the-lie", "the-lye")))
    assert await service.list_runs() == []


async def test_a_voice_that_cannot_be_opened_is_told_of_before_anything_is_recorded(
    database: Database,
) -> None:
    def no_voice(name: str) -> Voice:
        raise LlmAuthError(f"{name} needs an API key.")

    service = a_service(database, no_voice)
    with pytest.raises(LlmAuthError):
        await service.start(COUPLE, replace(SHORT, voice="openai:gpt-5-mini"))
    assert await service.list_runs() == []


@pytest.mark.parametrize("seed", [0, -1, 2**63, 2**70 + 5])
async def test_any_whole_number_is_a_seed(database: Database, seed: int) -> None:
    service = a_service(database)
    course = await lived_course(service, Settings(seed=seed, scenarios=FIVE[:1]))
    assert course.run.settings.seed == seed
    assert [moment async for moment in service.replay(course.run.id)]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_shipped_scenario_can_be_lived_and_lived_again(
    database: Database, language: Language
) -> None:
    service = a_service(database)
    people = COUPLE if language == "en" else (XIA, YUE)
    shipped = service.scenario_agent.shipped()
    assert len(shipped) >= 30
    for number, scenario in enumerate(shipped):
        course = await lived_course(
            service,
            Settings(seed=number, language=language, scenarios=(scenario.id,)),
            people,
        )
        (episode,) = course.episodes
        assert episode.scenario == scenario
        assert episode.outcome in {outcome.id for outcome in scenario.outcomes}
        assert len(course.turns) <= scenario.turns[1]
        assert all(turn.speech.words for turn in course.turns if turn.speech.status != "silent")
        words = "".join(turn.speech.words for turn in course.turns)
        assert "{" not in words
        assert any("\u4e00" <= letter <= "\u9fff" for letter in words) == (language == "zh")
        assert [moment async for moment in service.replay(course.run.id)]


async def test_scenes_can_be_composed_within_a_course(database: Database) -> None:
    service = a_service(database)
    course = await lived_course(
        service, Settings(seed=4, scenarios=("composed:first_meeting", "composed"))
    )
    assert [episode.scenario.origin for episode in course.episodes] == ["composed"] * 2
    assert [episode.scenario.stage for episode in course.episodes] == [
        "first_meeting",
        "early_dating",
    ]
    assert [moment async for moment in service.replay(course.run.id)]


async def test_replicas_have_the_same_draws_whoever_asks_and_how_often(
    database: Database,
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SHORT)
    (few,), (many,) = await service.replicas(run.id, 5), await service.replicas(run.id, 9)
    assert (few.states == many.states[:5]).all()
    for count in (0, 100_001):
        with pytest.raises(SoulLinkError, match="replicas"):
            await service.replicas(run.id, count)


async def test_a_baseline_knows_nothing_of_the_two_people(database: Database) -> None:
    service = a_service(database)
    one = await service.start((ADA, BEN), SHORT)
    other = await service.start((BEN, XIA), SHORT)
    here, there = await service.baseline(one.id, 40), await service.baseline(other.id, 40)
    assert here.people == ("anyone", "anyone else")
    assert here.scenarios == there.scenarios
    assert (here.states == there.states).all()
    assert here.states.shape[0] == 40


async def test_scenarios_of_ones_own_are_lived_beside_shipped_ones(database: Database) -> None:
    service = a_service(database)
    (shipped, *_) = library.shipped()
    mine = replace(shipped, id="mine-alone", title={"en": "Mine", "zh": "我的"})
    settings = Settings(seed=3, scenarios=("mine-alone",))
    with pytest.raises(ScenarioNotFoundError):
        await service.start(COUPLE, settings)
    run = await service.start(COUPLE, settings, own=[mine])
    titles = [m.title async for m in service.live(run.id) if isinstance(m, EpisodeBegan)]
    assert titles == ["Mine"]
    assert [moment async for moment in service.replay(run.id)]
