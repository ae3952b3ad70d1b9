"""A short course spoken by real weights in this process (make test-llamacpp)."""

import pytest

from soullink.gateways.llm.opening import open_model
from soullink.gateways.llm.port import ModelAddress
from soullink.gateways.postgres.database import Database
from soullink.modules.simulation.api import Settings
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.llm import LlmVoice
from soullink.modules.simulation.voice.port import Voice
from tests.simulation.courses import FIVE, a_service, dynamics, lived_course, the_prompts

pytestmark = [pytest.mark.anyio, pytest.mark.llamacpp]

MODEL = "llamacpp:smollm2"
SEED = 4


def small_voice(name: str) -> Voice:
    if name == "built-in":
        return BuiltInVoice()
    model = open_model(ModelAddress(name), {})
    return LlmVoice(model, the_prompts(), BuiltInVoice())


async def test_a_real_course_ends_with_words_in_every_turn_and_a_journal_of_how(
    database: Database,
) -> None:
    service = a_service(database, small_voice)
    settings = Settings(seed=SEED, voice=MODEL, scenarios=FIVE[:1])
    course = await lived_course(service, settings)
    authored = await lived_course(service, Settings(seed=SEED, scenarios=FIVE[:1]))
    assert course.run.status == "finished"
    assert dynamics(course) == dynamics(authored)
    spoken = [turn.speech for turn in course.turns if turn.speech.status != "silent"]
    assert len(spoken) >= 5
    for speech in spoken:
        assert speech.words.strip()
        assert speech.model == MODEL
        assert speech.calls in {1, 2}
        assert speech.status == "ok" or speech.faults
    # Weights this small err often; they are heard, counted, and never let a turn fail.
    answered = [speech for speech in spoken if speech.output_tokens]
    assert len(answered) >= len(spoken) / 2
    assert all(speech.input_tokens > 300 for speech in answered)
    assert max(wall.latency_seconds for wall in course.walls) < 65.0
    replayed = [moment async for moment in service.replay(course.run.id)]
    assert len(replayed) == len(course.turns) + 2
