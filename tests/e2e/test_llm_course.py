"""Whole courses spoken by a model over a socket that misbehaves in every way at once."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import OpenAiDialect, openai_model
from soullink.gateways.llm.port import Usage
from soullink.gateways.llm.pricing import cost_nano_usd
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.llm.wire import Wire
from soullink.gateways.postgres.database import Database
from soullink.kernel.canonical import canonical_json
from soullink.kernel.language import Language
from soullink.modules.simulation.api import Course, Fork, Settings, TurnTaken
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.llm import LlmVoice
from soullink.modules.simulation.voice.port import Voice
from tests.gateways.llm.server import Answer, Cut, Fail, Hang, Raw, Say, ScriptedOpenAiServer
from tests.simulation.courses import (
    COUPLE,
    FIVE,
    XIA,
    YUE,
    a_service,
    cut_network,
    dynamics,
    live,
    lived_course,
    plain,
    the_prompts,
)

pytestmark = pytest.mark.anyio

MODEL = "openai:gpt-5-mini"
SETTINGS = Settings(seed=4, voice=MODEL, scenarios=FIVE[:3])
REPLY = (120, 30)
"""Tokens in and out of one answer of the scripted server."""

WORDS: dict[Language, str] = {
    "en": "lamp river bread quiet window rain slow paper night button orange stairs map kettle "
    "thunder postcard sleeve harbour pencil gravel honey ladder violin chalk meadow zipper",
    "zh": "灯河面包静窗雨慢纸夜扣橙楼梯图壶雷信袖港铅笔沙蜜梯琴粉草拉链云石头风箱鼓叶",
}


def wanted_act(body: Mapping[str, Any]) -> str:
    """Return the act that the prompt of a turn or of a repair asks for."""
    asked = body["messages"][-1]["content"]
    found = re.search(r'"act" (?:is|写) "(\w+)"|(?:The act is|行为是) (\w+)', asked)
    assert found is not None, asked[-300:]
    return found[1] or found[2]


class Model:
    """Answers well, or in the way that comes next; every way comes before any comes again."""

    def __init__(self, seed: int, language: Language, ways: Mapping[str, list[str]]) -> None:
        self._draws = random.Random(seed)  # noqa: S311 - a scripted model
        self._language = language
        self._plans = ways
        self._coming: Iterator[str] = iter(())
        self.done: list[str] = []

    def __call__(self, body: dict[str, Any]) -> Answer:
        step = next(self._coming, None)
        if step is None:
            plans = list(self._plans.values())
            self._draws.shuffle(plans)
            self._coming = iter([step for plan in plans for step in plan])
            step = next(self._coming)
        self.done.append(step)
        good = {"inner_thought": "Well.", "words": self._sentence(), "act": wanted_act(body)}
        return self._answers(good)[step]

    def _sentence(self) -> str:
        if self._language == "zh":
            pool = WORDS["zh"]
            return "，".join("".join(self._draws.sample(pool, 6)) for _ in range(3)) + "。"
        a, b, c, d, e, f = self._draws.sample(WORDS["en"].split(), 6)
        return f"There was {a} near {b}, and then {c} over {d}, like {e} without {f}."

    def _answers(self, good: dict[str, str]) -> dict[str, Answer]:
        other = "joke" if good["act"] != "joke" else "ask"
        invented = {
            "en": "My brother would have laughed at the two of us standing around here.",
            "zh": "我弟弟要是在这儿，肯定会笑话咱们两个人站着发呆。",
        }
        role = {
            "en": "As an AI language model I would rather talk about the weather today.",
            "zh": "作为一个人工智能语言模型，我更愿意和你聊聊今天的天气。",
        }
        return {
            "good": good,
            "limited": Fail(429, retry_after="0"),
            "failed": Fail(500),
            "hangs": Hang(5.0),
            "slow": Say(good, delay_seconds=5.0),
            "cut": Cut(),
            "broken": Raw(b'{"choices": [{"message": {"content": '),
            "prose": "Sure! Here is what she says next:",
            "refuses": Say(refusal="I would rather not."),
            "wrong act": {**good, "act": other},
            "invents": {**good, "words": invented[self._language]},
            "breaks role": {**good, "words": role[self._language]},
            "gibberish": {**good, "words": "\u0000\ud83d wq xzz 7 ### ]]] {{}} <b>"},
            "lonely surrogate": {**good, "words": good["words"] + "\ud800"},
            "no end": Say(good, finish="length"),
        }


WAYS: dict[str, list[str]] = {
    "fine": ["good"],
    "fine too": ["good"],
    "waits": ["limited", "good"],
    "waits in vain": ["limited", "limited", "limited"],
    "fails once": ["failed", "good"],
    "fails": ["failed", "failed", "failed"],
    "hangs": ["hangs"],
    "is slow": ["slow"],
    "is cut off": ["cut", "cut", "cut"],
    "breaks": ["broken", "broken"],
    "chats": ["prose", "good"],
    "refuses": ["refuses"],
    "errs": ["wrong act", "good"],
    "errs twice": ["wrong act", "wrong act"],
    "invents": ["invents", "good"],
    "breaks role": ["breaks role", "breaks role"],
    "raves": ["gibberish", "lonely surrogate"],
    "is cut short": ["no end"],
}


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


def speaking(server: ScriptedOpenAiServer, seconds: float = 0.8) -> Callable[[str], Voice]:
    def voice(name: str) -> Voice:
        if name == "built-in":
            return BuiltInVoice()
        assert name == MODEL
        retry = Retry(RetryPolicy(max_attempts=3), seed=1, sleep=no_wait)
        model = openai_model("gpt-5-mini", key=None, base_url=server.base_url, retry=retry)
        return LlmVoice(model, the_prompts(), BuiltInVoice(), turn_timeout_seconds=seconds)

    return voice


@asynccontextmanager
async def spoken(
    database: Database, model: Callable[[dict[str, Any]], Answer]
) -> AsyncIterator[tuple[SimulationService, ScriptedOpenAiServer]]:
    async with ScriptedOpenAiServer(model) as server:
        yield a_service(database, speaking(server)), server


def built_in(settings: Settings) -> Settings:
    return Settings(settings.seed, settings.episodes, settings.language, "built-in", FIVE[:3])


PEOPLE = {"en": COUPLE, "zh": (XIA, YUE)}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_course_ends_whatever_the_provider_does_and_the_journal_tells(
    database: Database,
    database_url: str,
    language: Language,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(seed=4, language=language, voice=MODEL, scenarios=FIVE[:3])
    model = Model(9, language, WAYS)
    async with spoken(database, model) as (service, server):
        course = await lived_course(service, settings, PEOPLE[language])
        attempts = len(server.requests)
    assert course.run.status == "finished"
    assert set(model.done) == {step for plan in WAYS.values() for step in plan}

    authored = await lived_course(a_service(database), built_in(settings), PEOPLE[language])
    assert dynamics(course) == dynamics(authored)
    said = [turn.speech.words for turn in course.turns]
    assert said != [turn.speech.words for turn in authored.turns]

    _told(course, database_url, attempts)

    with psycopg.connect(database_url, autocommit=True) as connection:
        count = "SELECT count(*) FROM simulation_turn"
        rows = connection.execute(count).fetchone()
        cut_network(monkeypatch)
        silent = a_service(database, _no_voice)
        again = [moment async for moment in silent.replay(course.run.id)]
        assert connection.execute(count).fetchone() == rows
    assert [m.turn for m in again if isinstance(m, TurnTaken)] == list(course.turns)
    assert canonical_json(plain(await silent.course(course.run.id))) == canonical_json(
        plain(course)
    )


def _no_voice(name: str) -> Voice:
    raise AssertionError(f"{name} was asked for")


def _told(course: Course, url: str, attempts: int) -> None:
    """The record tells of every turn how its words came about."""
    statuses = {turn.speech.status for turn in course.turns}
    assert {"ok", "repaired", "fallback"} <= statuses
    faults = {fault for turn in course.turns for fault in turn.speech.faults}
    assert {
        *("wrong_act", "invented_fact", "role_break", "unreadable"),
        *("llm_refused", "llm_timeout", "llm_rate_limited", "llm_unavailable", "llm_output"),
    } <= faults
    assert 0 < sum(turn.speech.calls for turn in course.turns) < attempts
    prompts = the_prompts()
    language = course.run.settings.language
    first = prompts.get("simulation.turn", language).reference
    second = prompts.get("simulation.repair", language).reference
    for turn, wall in zip(course.turns, course.walls, strict=True):
        speech = turn.speech
        assert "\0" not in speech.words
        if speech.status == "silent":
            assert (speech.calls, speech.voice) == (0, "built-in")
            continue
        assert speech.words.strip()
        assert speech.model == MODEL
        assert speech.prompt == {1: first, 2: f"{first}+{second}"}[speech.calls]
        assert (speech.voice, speech.line is None) == (
            ("built-in", False) if speech.status == "fallback" else (MODEL, True)
        )
        assert bool(speech.faults) == (speech.status != "ok")
        answers, rest = divmod(speech.input_tokens, REPLY[0])
        assert (rest, speech.output_tokens) == (0, answers * REPLY[1])
        assert answers <= speech.calls
        if speech.status in {"ok", "repaired"}:
            assert answers == speech.calls == (1 if speech.status == "ok" else 2)
        assert 0.0 < wall.latency_seconds < 5.0
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = connection.execute(
            "SELECT words, voice, voice_status, faults, model, prompt_version, input_tokens,"
            " output_tokens, calls, cost_nano_usd, latency_seconds FROM simulation_turn"
            " WHERE run_id = %s ORDER BY episode, sequence",
            [course.run.id],
        ).fetchall()
    assert [tuple(row.values()) for row in rows] == [
        (
            *(s.words, s.voice, s.status, list(s.faults), s.model, s.prompt, s.input_tokens),
            *(s.output_tokens, s.calls, s.cost_nano_usd, wall.latency_seconds),
        )
        for s, wall in ((t.speech, w) for t, w in zip(course.turns, course.walls, strict=True))
    ]


async def test_with_the_provider_gone_a_course_ends_in_authored_words(database: Database) -> None:
    async with ScriptedOpenAiServer(lambda _: Fail(500)) as gone:
        voice = speaking(gone, seconds=30.0)  # a busy machine's haste is not what is tested
    course = await lived_course(a_service(database, voice), SETTINGS)
    authored = await lived_course(a_service(database), built_in(SETTINGS))
    assert dynamics(course) == dynamics(authored)
    assert [t.speech.words for t in course.turns] == [t.speech.words for t in authored.turns]
    assert {t.speech.status for t in course.turns} <= {"fallback", "silent"}
    assert {f for t in course.turns for f in t.speech.faults} == {"llm_unavailable"}


@pytest.mark.parametrize("turn", [1, 2, 17])
async def test_cancelled_in_the_middle_of_a_call_a_run_is_resumed_to_the_same_course(
    database: Database, turn: int
) -> None:
    calling = asyncio.Event()
    model = Model(3, "en", {"fine": ["good"]})

    def hangs_later(body: dict[str, Any]) -> Answer:
        if len(model.done) + 1 == turn:
            calling.set()
            return Hang(5.0)
        return model(body)

    async with spoken(database, hangs_later) as (service, server):
        run = await a_service(database, speaking(server)).start(COUPLE, SETTINGS)
        patient = a_service(database, speaking(server, seconds=30.0))
        living = asyncio.create_task(live(patient, run.id))
        await asyncio.wait_for(calling.wait(), 20)
        living.cancel()
        with pytest.raises(asyncio.CancelledError):
            await living
        half = await service.course(run.id)
        assert len([t for t in half.turns if t.speech.calls]) == turn - 1
        assert half.run.status == "running"
        server.script = model
        await live(patient, run.id)
        whole = await service.course(run.id)
    authored = await lived_course(a_service(database), built_in(SETTINGS))
    assert whole.turns[: len(half.turns)] == half.turns
    assert dynamics(whole) == dynamics(authored)
    assert {t.speech.status for t in whole.turns} <= {"ok", "silent"}


async def test_a_fork_keeps_the_models_words_before_its_turn_and_asks_for_those_after(
    database: Database,
) -> None:
    model = Model(3, "en", {"fine": ["good"]})
    async with spoken(database, model) as (service, server):
        parent = await lived_course(service, SETTINGS)
        asked = len(server.requests)
        run = await service.fork(Fork(parent.run.id, 2, 4, {"ben.stress": "0.95"}))
        await live(service, run.id)
        child = await service.course(run.id)
        new = len(server.requests) - asked
    shared = [t for t in parent.turns if (t.episode, t.sequence) < (2, 4)]
    assert list(child.turns[: len(shared)]) == shared
    assert sum(turn.speech.calls for turn in child.turns[len(shared) :]) == new


async def test_what_the_words_cost_is_recorded_for_every_turn(
    database: Database, database_url: str
) -> None:
    model = Model(3, "en", {"fine": ["good"], "errs": ["wrong act", "good"]})
    async with ScriptedOpenAiServer(model) as server:

        def voice(_: str) -> Voice:
            retry = Retry(seed=1, sleep=no_wait)
            wire = Wire(
                server.base_url, provider="openai", key=None, auth=("", ""), headers={}, retry=retry
            )
            priced = OpenAiDialect("gpt-5-mini", official=True)
            return LlmVoice(HttpLanguageModel(priced, wire, retry), the_prompts(), BuiltInVoice())

        settings = Settings(seed=4, voice=MODEL, scenarios=FIVE[:1])
        course = await lived_course(a_service(database, voice), settings)
    price = cost_nano_usd(Usage(*REPLY, 20), "gpt-5-mini", seller="openai")
    assert price is not None
    assert price > 0
    assert {t.speech.calls for t in course.turns} >= {1, 2}
    assert [t.speech.cost_nano_usd for t in course.turns] == [
        price * t.speech.calls for t in course.turns
    ]
    with psycopg.connect(database_url) as connection:
        spent = connection.execute("SELECT sum(cost_nano_usd)::bigint FROM simulation_turn")
        assert spent.fetchone() == (price * len(server.requests),)
