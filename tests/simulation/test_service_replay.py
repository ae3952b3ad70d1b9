"""Lived again from the record: without a model, without a network, to the same bytes."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from msgspec import structs

from soullink.gateways.llm.openai import openai_model
from soullink.gateways.llm.port import ChatRequest, LlmUnavailableError, Message
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.postgres.database import Database
from soullink.kernel.canonical import canonical_json
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import (
    EpisodeEnded,
    Moment,
    ReplayMismatchError,
    Settings,
    TurnTaken,
)
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken, Voice
from tests.gateways.llm.server import ScriptedOpenAiServer
from tests.simulation.courses import (
    COUPLE,
    FIVE,
    a_service,
    cut_network,
    live,
    lived_course,
    plain,
    stop_after,
)

pytestmark = pytest.mark.anyio

SETTINGS = Settings(seed=5, scenarios=FIVE[:3])
ROW_VERSIONS = (
    "SELECT 'turn' AS what, episode, sequence, xmin::text FROM simulation_turn"
    " UNION ALL SELECT 'episode', number, 0, xmin::text FROM simulation_episode"
    " UNION ALL SELECT status, 0, 0, xmin::text FROM simulation_run ORDER BY 1, 2, 3"
)


async def replayed(service: SimulationService, run_id: RunId) -> list[Moment]:
    return [moment async for moment in service.replay(run_id)]


def as_replayed(moments: list[Moment]) -> list[Moment]:
    return [structs.replace(m, replayed=True) if isinstance(m, TurnTaken) else m for m in moments]


def no_voice(name: str) -> Voice:
    raise AssertionError(f"{name} was asked for")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_network(monkeypatch)


@pytest.mark.usefixtures("no_network")
async def test_the_cut_is_a_real_one() -> None:
    async with ScriptedOpenAiServer(lambda _: "You can hear me.") as server:
        once = Retry(RetryPolicy(max_attempts=1), seed=1)
        model = openai_model("gpt-5-mini", key=None, base_url=server.base_url, retry=once)
        with pytest.raises(LlmUnavailableError):
            await model.complete(ChatRequest((Message("user", "Hello?"),)))
        await model.close()
        assert server.requests == []


@pytest.mark.usefixtures("no_network")
async def test_a_replay_repeats_every_moment_without_voice_or_network_and_writes_nothing(
    database: Database, database_url: str
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SETTINGS)
    moments = await live(service, run.id)
    before = await service.course(run.id)
    with psycopg.connect(database_url, autocommit=True) as connection:
        versions = connection.execute(ROW_VERSIONS).fetchall()
        again = await replayed(replace(service, voice=no_voice), run.id)
        assert connection.execute(ROW_VERSIONS).fetchall() == versions
    assert again == as_replayed(moments)
    after = await service.course(run.id)
    assert canonical_json(plain(after)) == canonical_json(plain(before))
    assert after == before


async def test_a_finished_run_is_resumed_without_a_voice(database: Database) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SETTINGS)
    moments = await live(service, run.id)
    assert await live(replace(service, voice=no_voice), run.id) == as_replayed(moments)


@pytest.mark.parametrize("turns", [1, 7, 30])
async def test_a_run_broken_off_is_replayed_as_far_as_it_came_and_resumed_to_the_same(
    database: Database, turns: int
) -> None:
    service = a_service(database)
    whole = await lived_course(service, SETTINGS)
    run = await service.start(COUPLE, SETTINGS)
    await stop_after(service, run.id, turns)
    again = await replayed(replace(service, voice=no_voice), run.id)
    assert [m.turn for m in again if isinstance(m, TurnTaken)] == list(whole.turns[:turns])
    assert (await service.course(run.id)).run.status == "running"
    moments = await live(service, run.id)
    assert [m.replayed for m in moments if isinstance(m, TurnTaken)] == [
        number < turns for number in range(len(whole.turns))
    ]
    assert plain(await service.course(run.id)) == plain(whole)


async def test_a_run_that_died_between_a_turn_and_the_end_of_its_episode_loses_neither(
    database: Database, database_url: str
) -> None:
    service = a_service(database)
    whole = await lived_course(service, SETTINGS)
    run = await service.start(COUPLE, SETTINGS)
    await stop_after(service, run.id, whole.episodes[0].turns)
    assert (await service.course(run.id)).episodes == ()
    ended = [m for m in await replayed(service, run.id) if isinstance(m, EpisodeEnded)]
    assert [m.episode for m in ended] == [whole.episodes[0]]
    with psycopg.connect(database_url) as connection:
        kept = "SELECT count(*) FROM simulation_episode WHERE run_id = %s"
        assert connection.execute(kept, [run.id]).fetchone() == (0,)
    await live(service, run.id)
    assert plain(await service.course(run.id)) == plain(whole)


async def test_turns_of_earlier_versions_are_read(database: Database, database_url: str) -> None:
    service = a_service(database)
    before = await lived_course(service, SETTINGS)
    whole = (
        "UPDATE simulation_turn SET speech = speech || jsonb_build_object('words', words,"
        " 'voice', voice, 'status', voice_status, 'faults', faults, 'model', model, 'prompt',"
        " prompt_version, 'input_tokens', input_tokens, 'output_tokens', output_tokens, 'calls',"
        " calls, 'cost_nano_usd', cost_nano_usd)"
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute(whole).rowcount == len(before.turns)
    assert await service.course(before.run.id) == before


def _changed(what: str) -> str:
    return f"UPDATE simulation_turn SET {what} WHERE episode = 2 AND sequence = 3"  # noqa: S608


def _changed_last(what: str) -> str:
    last = "(SELECT episode, sequence FROM simulation_turn ORDER BY 1 DESC, 2 DESC LIMIT 1)"
    return f"{what} WHERE (episode, sequence) = {last}"


def _changed_episode(what: str) -> str:
    return f"UPDATE simulation_episode SET {what}"  # noqa: S608 - our own words


TAMPERINGS = {
    _changed("state_after = jsonb_set(state_after, '{0,trust}', '0.123456')"): r"2\.3 .*\(after\)",
    _changed("state_before = jsonb_set(state_before, '{1,mood}', '0.5')"): r"2\.3 .*\(before\)",
    _changed("act = 'leave'"): r"2\.3 .*\(act\)",
    _changed("seed = seed + 1"): r"2\.3 .*\(seed\)",
    _changed("speaker = 1 - speaker"): r"2\.3 .*\(speaker\)",
    _changed("distribution = distribution || '{\"joke\": 0.9}'"): r"2\.3 .*\(distribution\)",
    _changed("appraisal = appraisal || '{\"threat\": 0.99}'"): r"2\.3 .*\(appraisal\)",
    _changed("detail = detail || '{\"minute\": 0}'"): r"2\.3 .*\(minute\)",
    _changed("sequence = 99"): r"lacks turn 2\.3",
    _changed_last("UPDATE simulation_turn SET episode = 9"): "lacks turn 3",
    _changed_last("DELETE FROM simulation_turn"): "lacks turn 3",
    "DELETE FROM simulation_episode WHERE number = 2": "Episode 2 .* ends differently",
    _changed_episode("document = document || '{\"success\": 0.987}'"): "Episode 1 .* differently",
    _changed_episode(
        "agents = jsonb_set(agents, '{0,memory,0,valence}', '0.99')"
    ): "Episode 1 .* remember something else",
    'UPDATE simulation_turn SET speech = speech || \'{"words": "Never said."}\'': (
        "Episode 1 .* remember something else"
    ),
}


@pytest.mark.parametrize(("statement", "sentence"), TAMPERINGS.items())
async def test_a_record_that_was_changed_is_told_with_its_first_turn(
    database: Database, database_url: str, statement: str, sentence: str
) -> None:
    service = a_service(database)
    run = (await lived_course(service, SETTINGS)).run
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())
    for living in (service.replay, service.live):
        with pytest.raises(ReplayMismatchError, match=sentence):
            _ = [moment async for moment in living(run.id)]


async def test_turns_beyond_the_end_of_a_course_are_told(
    database: Database, database_url: str
) -> None:
    service = a_service(database)
    run = (await lived_course(service, SETTINGS)).run
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO simulation_turn SELECT run_id, 9, sequence, speaker, act, seed,"
            " distribution, state_before, state_after, appraisal, detail, words, voice,"
            " voice_status, faults, model, prompt_version, input_tokens, output_tokens, calls,"
            " cost_nano_usd, speech, started_at, latency_seconds, cpu_seconds, memory_mb"
            " FROM simulation_turn WHERE episode = 1"
        )
    with pytest.raises(ReplayMismatchError, match=r"records a turn 9\.1"):
        await replayed(service, run.id)


async def test_resuming_asks_the_voice_only_for_what_was_not_said(database: Database) -> None:
    asked: list[tuple[int, int]] = []

    class Listening(BuiltInVoice):
        async def speak(self, request: SpeechRequest) -> Spoken:
            asked.append((request.episode, request.sequence))
            return await super().speak(request)

    service = a_service(database, lambda _: Listening())
    run = await service.start(COUPLE, SETTINGS)
    for turns in (3, 4, 20, 33):
        await stop_after(service, run.id, turns)
    await live(service, run.id)
    course = await service.course(run.id)
    assert asked == [(turn.episode, turn.sequence) for turn in course.turns]


async def test_the_voice_is_closed_however_a_run_ends(database: Database) -> None:
    open_voices: set[Any] = set()

    class Counted(BuiltInVoice):
        def __init__(self) -> None:
            super().__init__()
            open_voices.add(self)

        async def speak(self, request: SpeechRequest) -> Spoken:
            if request.sequence == 5:
                raise RuntimeError("lost my voice")
            return await super().speak(request)

        async def close(self) -> None:
            open_voices.discard(self)

    service = a_service(database, lambda _: Counted())
    run = await service.start(COUPLE, SETTINGS)
    assert open_voices == set()
    await stop_after(service, run.id, 3)
    assert open_voices == set()
    with pytest.raises(RuntimeError, match="lost my voice"):
        await live(service, run.id)
    assert open_voices == set()
