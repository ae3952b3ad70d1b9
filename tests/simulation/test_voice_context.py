"""What a model is told over a whole course: most of each call begins as the one before it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from soullink.gateways.postgres.database import Database
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles import wiring as profiles
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import ContextBudget, ContextMessage, ContextTooSmallError
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
            for (_, before), (_, after) in zip(calls, calls[1:], strict=False):
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
        shares += (await listened(database, names, language)).shares()
    print(language, len(shares), sum(shares) / len(shares), min(shares), sorted(shares)[:8])
    assert len(shares) > 80
    assert sum(shares) / len(shares) >= 0.8
