"""Agents: initialised, configured, persisted, ended; and what they may know and remember."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import ConflictError
from soullink.kernel.language import Language
from soullink.modules.personality import wiring as personality
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.agents.base import (
    HISTORY_TURNS,
    RECALLED,
    BaseAgent,
    PartnerSimulationAgent,
    Scene,
    UserProxyAgent,
    public_part,
)
from soullink.modules.simulation.api import (
    ACTS,
    TOPICS,
    Act,
    Course,
    Scenario,
    Settings,
    Speech,
    Topic,
    Turn,
)
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.live import BareTurn, LiveCourse, batch_of, likeness
from soullink.modules.simulation.domain.memory import Aspect, MemoryStream
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken
from tests.simulation.courses import (
    ADA,
    BEN,
    COUPLE,
    FIVE,
    XIA,
    YUE,
    SteppingClock,
    a_service,
    lived_course,
)

pytestmark = pytest.mark.anyio


class ListeningVoice:
    """Says a number and keeps what it was asked."""

    def __init__(self, name: str = "listening") -> None:
        self.name = name
        self.requests: list[SpeechRequest] = []
        self.closed = 0

    async def speak(self, request: SpeechRequest) -> Spoken:
        self.requests.append(request)
        return Spoken(Speech(f"{self.name} {len(self.requests)}", "", self.name, "ok"), 0.0)

    async def close(self) -> None:
        self.closed += 1


def an_engine(people: tuple[Profile, Profile] = COUPLE, scenarios: Any = FIVE) -> LiveCourse:
    who = personality.build(SteppingClock())
    personas = (who.persona(people[0]), who.persona(people[1]))
    alike = likeness(people[0].interests, people[1].interests)
    batch = batch_of(personas, alike, 0, 1, 0, sampled=False)
    return LiveCourse(batch, [library.get(name) for name in scenarios], Conditions())


def two_agents(voice: Any = None) -> tuple[UserProxyAgent, PartnerSimulationAgent]:
    who = personality.build(SteppingClock())
    engine, speaking = an_engine(), voice or ListeningVoice()
    return (
        UserProxyAgent(0, ADA, who.persona(ADA), engine, speaking),
        PartnerSimulationAgent(1, BEN, who.persona(BEN), engine, speaking),
    )


def a_scene(language: Language = "en", **changes: Any) -> Scene:
    scenario: Scenario = library.get(FIVE[0])
    scene = Scene(
        language=language,
        scenario=scenario,
        setting="A noodle bar at night.",
        goals=("stay", "go"),
        memory_phrases=(),
        events=(),
        used_lines=frozenset(),
        used_words=frozenset(),
    )
    return structs.replace(scene, **changes)


def a_bare_turn(speaker: int, engine: LiveCourse | None = None) -> BareTurn:
    course = engine or an_engine()
    course.open()
    bare = course.turn()
    assert bare is not None
    return structs.replace(bare, speaker=speaker)


async def turns_of(database: Database, settings: Settings | None = None) -> Course:
    return await lived_course(a_service(database), settings or Settings(scenarios=FIVE[:2]))


def told(agent: BaseAgent, course: Course, *, until: int | None = None) -> None:
    """Let the agent take in a course that others have lived."""
    for turn in course.turns[:until]:
        day = course.episodes[turn.episode - 1].day
        agent.observe(turn, course.run.people[1 - agent.position], day, "en")


async def test_both_people_speak_through_agents_of_their_own_with_traits_and_decision_engine() -> (
    None
):
    voice = ListeningVoice()
    user, partner = two_agents(voice)
    assert (user.role, partner.role) == ("user_proxy", "partner_simulation")
    assert user.engine is partner.engine
    assert user.persona.person == "ada"
    assert user.memory is not partner.memory
    spoken = await user.speak(a_bare_turn(0), partner, a_scene())
    assert spoken.speech.words == "listening 1"
    request = voice.requests[0]
    assert (request.speaker.id, request.listener.id) == ("ada", "ben")
    assert request.goal == "stay"
    assert sum(request.styles.values()) == pytest.approx(1.0)


async def test_the_user_proxy_may_use_secrets_and_the_partner_may_not() -> None:
    voice = ListeningVoice()
    user, partner = two_agents(voice)
    await user.speak(a_bare_turn(0), partner, a_scene())
    await partner.speak(a_bare_turn(1), user, a_scene())
    of_user, of_partner = voice.requests
    assert of_user.speaker == ADA
    assert of_user.speaker.secrets
    assert of_partner.speaker == public_part(BEN)
    assert (of_user.listener, of_partner.listener) == (public_part(BEN), public_part(ADA))
    for secret in (*BEN.secrets, *BEN.deal_breakers):
        assert secret not in repr(of_user)
        assert secret not in repr(of_partner)
    for secret in (*ADA.secrets, *ADA.deal_breakers):
        assert secret not in repr(of_partner)


def test_what_is_public_holds_no_score_questionnaire_or_date() -> None:
    shown = public_part(ADA)
    assert (shown.secrets, shown.deal_breakers, shown.birth_date) == ((), (), None)
    assert (dict(shown.percentiles), shown.answers, dict(shown.levels)) == ({}, None, {})
    assert (shown.attachment.anxiety, shown.attachment.avoidance) == (None, None)
    assert (shown.name, shown.interests, shown.essays) == (ADA.name, ADA.interests, ADA.essays)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_no_voice_of_a_whole_course_ever_hears_the_partners_secrets(
    database: Database, language: Language
) -> None:
    people = COUPLE if language == "en" else (XIA, replace(YUE, secrets=("以前偷偷炒币亏光了",)))
    voice = ListeningVoice()
    service = a_service(database, lambda _: voice)
    await lived_course(service, Settings(language=language, scenarios=FIVE[:2]), people)
    assert len(voice.requests) > 10
    for request in voice.requests:
        assert people[1].secrets[0] not in repr(request)
        owner = request.speaker.id == people[0].id
        assert (people[0].secrets[0] in repr(request)) == owner
        assert request.listener.secrets == ()


async def test_a_prompts_past_stays_short_however_long_the_course(database: Database) -> None:
    voice = ListeningVoice()
    await lived_course(a_service(database, lambda _: voice), Settings(scenarios=FIVE))
    assert len(voice.requests) > 50
    assert max(len(request.history) for request in voice.requests) == HISTORY_TURNS
    assert max(len(request.memories) for request in voice.requests) == RECALLED
    last = voice.requests[-1]
    said = [f"listening {number}" for number in range(1, len(voice.requests))]
    assert [words for _, words in last.history] == said[-HISTORY_TURNS:]


async def test_a_new_voice_speaks_from_the_next_turn_on_and_what_was_lived_stays(
    database: Database,
) -> None:
    course = await turns_of(database)
    first, second = ListeningVoice("first"), ListeningVoice("second")
    user, partner = two_agents(first)
    told(user, course, until=9)
    remembered = user.state()
    before = await user.speak(a_bare_turn(0), partner, a_scene())
    user.configure(voice=second)
    after = await user.speak(a_bare_turn(0), partner, a_scene())
    assert (before.speech.voice, after.speech.voice) == ("first", "second")
    assert user.state() == remembered
    assert first.requests[0] == second.requests[0]
    assert (first.closed, partner.voice) == (0, first)


async def test_a_new_persona_changes_the_manner_of_speaking() -> None:
    voice = ListeningVoice()
    user, partner = two_agents(voice)
    await user.speak(a_bare_turn(0), partner, a_scene())
    blunt = replace(ADA, percentiles={"agreeableness": 2.0, "extraversion": 5.0})
    user.configure(persona=personality.build(SteppingClock()).persona(blunt))
    await user.speak(a_bare_turn(0), partner, a_scene())
    one, other = (request.styles for request in voice.requests)
    assert other["blunt"] > one["blunt"]
    assert other["lively"] < one["lively"]


async def test_state_goes_to_json_and_back_to_the_same_recall(database: Database) -> None:
    course = await turns_of(database)
    for position, agent in enumerate(two_agents()):
        told(agent, course)
        assert len(agent.memory.items) > 3
        kept = json.dumps(agent.state())
        twin = two_agents()[position]
        twin.restore(json.loads(kept))
        assert twin.memory == agent.memory
        assert json.loads(json.dumps(twin.state())) == json.loads(kept)
        for topic in TOPICS:
            assert twin.memory.recall(topic, 40.0, 5) == agent.memory.recall(topic, 40.0, 5)


async def test_what_the_journal_keeps_restores_the_agents_as_they_were(
    database: Database,
) -> None:
    course = await turns_of(database)
    async with database.work() as work:
        from sqlalchemy import text

        found = await work.session.execute(
            text("SELECT agents FROM simulation_episode ORDER BY number DESC LIMIT 1")
        )
        kept = found.scalar_one()
    for position, agent in enumerate(two_agents()):
        twin = two_agents()[position]
        twin.restore(kept[position])
        told(agent, course)
        assert [(i.key, i.text, i.count, i.turns) for i in twin.memory.items] == [
            (i.key, i.text, i.count, i.turns) for i in agent.memory.items
        ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"person": "ben"}, "belongs to 'ben'"),
        ({"person": None}, "belongs to None"),
        ({"memory": None}, "holds no memory"),
        ({"memory": [{"turns": 5}]}, "memory without turns"),
    ],
)
async def test_a_state_that_is_not_this_agents_is_refused(
    change: dict[str, Any], sentence: str
) -> None:
    user, _ = two_agents()
    with pytest.raises(ConflictError, match=sentence):
        user.restore(user.state() | change)
    assert user.memory == MemoryStream()


async def test_termination_lets_everything_go_and_refuses_further_use(database: Database) -> None:
    course = await turns_of(database)
    voice = ListeningVoice()
    user, partner = two_agents(voice)
    told(user, course)
    state = user.state()
    await user.terminate()
    await user.terminate()
    assert voice.closed == 1
    assert user.memory == MemoryStream()
    assert (state["alive"], user.state()["alive"]) == (True, False)
    for use in (
        lambda: user.configure(voice=voice),
        lambda: user.restore(state),
        lambda: user.observe(course.turns[0], BEN, 0.0, "en"),
    ):
        with pytest.raises(ConflictError, match="agent of Ada Linden has been terminated"):
            use()
    with pytest.raises(ConflictError, match="has been terminated"):
        await user.speak(a_bare_turn(0), partner, a_scene())
    await partner.speak(a_bare_turn(1), user, a_scene())


async def test_agents_remember_what_the_other_did_and_not_what_they_did(
    database: Database,
) -> None:
    course = await turns_of(database)
    for agent in two_agents():
        told(agent, course)
        own = {(t.episode, t.sequence) for t in course.turns if t.speaker == agent.position}
        partner = course.run.people[1 - agent.position].name
        for item in agent.memory.items:
            assert not own & set(item.turns)
            assert item.text.startswith(partner)


@pytest.mark.parametrize("seed", [0, 1, 2])
async def test_readable_memories_are_the_engines_own(database: Database, seed: int) -> None:
    """After a whole course the stream of each person holds what the arrays hold."""
    course = await turns_of(database, Settings(seed=seed, scenarios=FIVE))
    who = personality.build(SteppingClock())
    personas = (who.persona(ADA), who.persona(BEN))
    alike = likeness(ADA.interests, BEN.interests)
    engine = LiveCourse(
        batch_of(personas, alike, seed, 1, 0, sampled=False),
        [episode.scenario for episode in course.episodes],
        Conditions(),
    )
    agents = two_agents()
    lived = iter(course.turns)
    longest = 0.0
    while not engine.over:
        engine.open()
        while (bare := engine.turn()) is not None:
            turn: Turn = next(lived)
            assert turn.after == bare.after
            longest = max(longest, bare.minute / 1440.0)
            for agent in agents:
                agent.observe(turn, COUPLE[1 - agent.position], bare.day, "en")
        engine.close()
    assert next(lived, None) is None
    arrays = engine.batch.memory
    for person, agent in enumerate(agents):
        current = {(item.aspect, item.topic): item for item in agent.memory.current()}
        kept = np.argwhere(arrays.count[0, person] > 0)
        assert {(Aspect(a), TOPICS[t]) for a, t in kept} == set(current)
        assert len(current) > 3
        for (aspect, topic), item in current.items():
            cell = (0, person, int(aspect), TOPICS.index(topic))
            assert item.valence == pytest.approx(arrays.valence[cell], abs=1e-5)
            assert item.importance == pytest.approx(arrays.importance[cell], abs=1e-5)
            assert item.count == arrays.count[cell]
            # The stream dates a memory by its scene, the engine by the minute.
            assert item.day == pytest.approx(arrays.day[cell], abs=longest + 1e-9)
            overturned = [
                i
                for i in agent.memory.items
                if (i.aspect, i.topic) == (aspect, topic) and i.superseded_by is not None
            ]
            assert len(overturned) == arrays.superseded[cell]


async def test_the_same_kindness_five_times_is_one_memory_and_a_cruelty_supersedes_it(
    database: Database,
) -> None:
    course = await turns_of(database)
    template = next(t for t in course.turns if t.speaker == 1)
    user, _ = two_agents()

    def done(act: Act, affect: float, sequence: int) -> None:
        taken = structs.replace(
            template,
            act=act,
            topic=Topic.MONEY,
            sequence=sequence,
            appraisal=structs.replace(template.appraisal, affect=affect, threat=0.4),
        )
        user.observe(taken, BEN, float(sequence), "en")

    for sequence in range(1, 6):
        done(Act.VALIDATE, 0.6, sequence)
    (kind,) = user.memory.items
    assert (kind.key, kind.count, len(kind.turns)) == ("care/money", 5, 5)
    done(Act.STONEWALL, -0.9, 6)
    assert [(i.count, i.superseded_by) for i in user.memory.items] == [(5, 1), (1, None)]
    assert [item.valence < 0 for item in user.memory.recall(Topic.MONEY, 6.0)] == [True]


async def test_the_built_in_voice_takes_an_agents_request_for_every_act() -> None:
    user, partner = two_agents(BuiltInVoice())
    bare = a_bare_turn(0)
    for number, act in enumerate(ACTS):
        spoken = await user.speak(structs.replace(bare, act=number), partner, a_scene())
        assert spoken.speech.words
        assert (spoken.speech.status == "silent") == (act is Act.SILENCE)
