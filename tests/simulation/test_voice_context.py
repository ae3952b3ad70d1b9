"""What a model is told over a whole course: most of each call begins as the one before it."""

import gc
import hashlib
import weakref
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from msgspec import structs

from soullink.gateways.postgres.database import Database
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles import wiring as profiles
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import (
    FIRST_STORED,
    ContextBudget,
    ContextMessage,
    ContextTooSmallError,
)
from soullink.modules.prompts.domain.context import common_prefix
from soullink.modules.simulation.api import Act, Settings
from soullink.modules.simulation.voice.briefing import CONTEXT, Briefing, Briefings, count_tokens
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import Recollection, SpeechRequest, Spoken
from tests.conftest import REPOSITORY
from tests.simulation.courses import SteppingClock, a_service, lived_course, stop_after, the_prompts
from tests.simulation.voice_requests import PEOPLE, a_course, a_request

pytestmark = pytest.mark.anyio

SHIPPED: dict[Language, list[tuple[str, str]]] = {
    "en": [("ada", "ben"), ("maya", "tomas")],
    "zh": [("lin", "zhao"), ("chen", "suhe")],
}


@dataclass
class Listening:
    """Speaks authored lines and keeps what a model would have been sent for them."""

    budget: ContextBudget = CONTEXT
    calls: dict[str, list[tuple[SpeechRequest, Briefing]]] = field(default_factory=dict)
    name: str = "built-in"

    def __post_init__(self) -> None:
        self._briefings = Briefings(the_prompts(), self.budget)
        self._spoken = BuiltInVoice()

    async def speak(self, request: SpeechRequest) -> Spoken:
        if request.act is not Act.SILENCE:
            of_speaker = self.calls.setdefault(str(request.speaker.id), [])
            of_speaker.append((request, self._briefings.of(request)))
        return await self._spoken.speak(request)

    async def close(self) -> None:
        return

    def shares(self) -> list[float]:
        """Return the share of each call that begins as the speaker's call before it."""
        found = []
        for calls in self.calls.values():
            for (_, before), (_, after) in pairwise(calls):
                assert after.context is not None
                same = common_prefix(_plain(before), _plain(after), count_tokens, CONTEXT.message)
                found.append(same / after.context.total)
        return found


def _plain(briefing: Briefing) -> list[ContextMessage]:
    assert briefing.context is not None
    return list(briefing.context.messages)


def shipped(names: tuple[str, str]) -> tuple[Profile, Profile]:
    known = profiles.build(SteppingClock())
    folder = REPOSITORY / "examples" / "people"
    first, second = (known.load(folder / f"{name}.yaml") for name in names)
    return first, second


async def listened(
    database: Database, names: tuple[str, str], language: Language, episodes: int = 5
) -> Listening:
    voice = Listening()
    settings = Settings(seed=4, episodes=episodes, language=language)
    await lived_course(a_service(database, lambda _: voice), settings, shipped(names))
    return voice


@pytest.mark.parametrize("language", LANGUAGES)
async def test_four_fifths_of_each_call_begin_as_the_call_before(
    database: Database, language: Language
) -> None:
    shares: list[float] = []
    for names in SHIPPED[language]:
        voice = await listened(database, names, language)
        shares += voice.shares()
        for calls in voice.calls.values():
            _fits_and_is_told_in_turns(calls)
    assert len(shares) > 80
    assert sum(shares) / len(shares) >= 0.85
    # Only right after a compression less is the same: once in 20 calls or more rarely.
    assert sum(share < 0.8 for share in shares) <= len(shares) / 20
    assert min(shares) >= 0.3


def _fits_and_is_told_in_turns(calls: list[tuple[SpeechRequest, Briefing]]) -> None:
    assert len({briefing.messages[0].content for _, briefing in calls}) == 1
    assert {bool(request.run) for request, _ in calls} == {True}
    for request, briefing in calls:
        context = briefing.context
        assert context is not None
        assert context.total <= CONTEXT.tokens
        assert context.prefix_share > 0.8
        shown = "\n".join(message.content for message in briefing.messages)
        assert request.setting in shown
        assert request.goal in shown
        last = briefing.messages[-1]
        assert last.role == "user"
        assert last.content.rstrip("。.").endswith(f'"{request.act.value}"')
        if request.course and request.course[-1].act is not Act.SILENCE:
            assert request.course[-1].words[:40] in shown


async def test_a_long_course_is_told_within_the_budget_and_its_past_in_short(
    database: Database,
) -> None:
    voice = await listened(database, ("maya", "tomas"), "en", episodes=12)
    for calls in voice.calls.values():
        _fits_and_is_told_in_turns(calls)
        contexts = [briefing.context for _, briefing in calls if briefing.context]
        assert contexts[-1].condensed > 0
        assert contexts[-1].told > 0
        assert "What came before, in short" in calls[-1][1].messages[1].content
    shares = voice.shares()
    assert sum(shares) / len(shares) >= 0.85


async def test_a_resumed_course_is_told_as_one_that_was_never_broken_off(
    database: Database,
) -> None:
    settings = Settings(seed=4, episodes=4)
    people = shipped(("ada", "ben"))
    whole, first, second = Listening(), Listening(), Listening()
    await lived_course(a_service(database, lambda _: whole), settings, people)
    service = a_service(database, lambda _: first)
    run = await service.start(people, settings)
    await stop_after(service, run.id, 23)
    resumed = a_service(database, lambda _: second)
    assert len([moment async for moment in resumed.live(run.id)]) > 23
    assert first.calls
    for person, calls in whole.calls.items():
        parted = first.calls[person] + second.calls[person]
        assert [briefing.messages for _, briefing in parted] == [b.messages for _, b in calls]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_speaker_is_never_told_the_others_goals_or_secrets(language: Language) -> None:
    request = a_request(Act.ASK, language, history=((1, "Hello."), (0, "Hi there, you.")))
    told = "\n".join(m.content for m in Briefings(the_prompts()).of(request).messages)
    listener = PEOPLE[language][1]
    assert request.scenario.goals[1].text[language] not in told
    assert all(secret not in told for secret in listener.secrets)
    assert all(secret in told for secret in PEOPLE[language][0].secrets)


def test_a_memory_in_sight_is_not_told_again() -> None:
    course = a_course(((1, "I will call you on Tuesday."), (0, "Please do, I would like that.")))
    recalled = Recollection("Ben promises: “I will call you on Tuesday.”", 0.8, ((2, 1),))
    briefing = Briefings(the_prompts()).of(a_request(course=course, recollections=(recalled,)))
    assert briefing.context is not None
    assert (briefing.context.told, briefing.context.untold) == (0, 1)
    gone = structs.replace(recalled, turns=((1, 9),))
    briefing = Briefings(the_prompts()).of(a_request(course=course, recollections=(gone,)))
    assert briefing.context is not None
    assert briefing.context.told == 1
    assert "> Ben promises" in briefing.messages[-1].content


def test_a_context_too_small_for_the_person_says_so() -> None:
    with pytest.raises(ContextTooSmallError, match="give at least"):
        Briefings(the_prompts(), ContextBudget(tokens=200)).of(a_request())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_people_and_scenes_have_room(language: Language) -> None:
    word = "很长的话" if language == "zh" else "long words "
    text = word * 2000
    huge = replace(
        PEOPLE[language][0],
        essays={str(number): text for number in range(5)},
        interests=(text,) * 40,
        deal_breakers=(text,) * 40,
        secrets=(text,) * 40,
    )
    request = a_request(
        Act.ASK,
        language,
        speaker=huge,
        listener=huge,
        setting=text,
        goal=text,
        history=tuple((number % 2, text) for number in range(12)),
        events=(text,) * 4,
        recollections=(Recollection(text, 1.0),) * 6,
    )
    context = Briefings(the_prompts()).of(request).context
    assert context is not None
    assert context.total <= CONTEXT.tokens
    assert context.kept >= 1


def test_a_version_that_tells_nothing_of_the_state_is_told_turn_after_turn() -> None:
    shipped = the_prompts()
    newest = shipped.get("simulation.turn", "en")
    template = newest.template.replace("How you feel: {{ state | one_line(200) }}\n", "")
    assert template != newest.template
    stateless = replace(
        newest,
        version=FIRST_STORED,
        template=template,
        variables=tuple(name for name in newest.variables if name != "state"),
        content_hash=hashlib.sha256(template.encode()).hexdigest(),
    )
    told = shipped.with_added([stateless], {("simulation.turn", "en"): stateless.version})
    briefings, course = Briefings(told), a_course(((1, "The rain is early today."),))
    for act in (Act.DISCLOSE, Act.ASK):
        asked = briefings.of(a_request(act, course=course)).messages[-1].content
        assert f"Now: {act}" in asked
        assert "How you feel" not in asked


def test_what_was_told_is_let_go_of_without_the_garbage_collector() -> None:
    """It comes rarely where many courses are lived at once, and each would wait for it."""
    briefings = Briefings(the_prompts())
    briefings.of(a_request(course=a_course(((1, "The rain is early today."),))))
    gone = weakref.ref(briefings)
    gc.disable()
    try:
        del briefings
        assert gone() is None
    finally:
        gc.enable()
