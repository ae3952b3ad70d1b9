"""A course is told by the versions that it began with, whatever labels do meanwhile."""

from contextlib import aclosing
from dataclasses import replace

import pytest
from msgspec import structs

from soullink.gateways.postgres.database import Database
from soullink.kernel.ids import RunId
from soullink.modules.prompts import wiring as prompts
from soullink.modules.prompts.api import Prompts
from soullink.modules.simulation.api import Fork, Settings
from soullink.modules.simulation.service import SimulationService, Telling
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken
from soullink.modules.simulation.wiring import PROMPTS
from tests.simulation.courses import COUPLE, FIVE, SteppingClock, a_service, live

pytestmark = pytest.mark.anyio

TURN = "simulation.turn"
ASKED = Settings(voice="openai:any", scenarios=FIVE[:1])


class Named(BuiltInVoice):
    """Speaks as built in, and says which version a model would have been asked by."""

    def __init__(self, told: Prompts) -> None:
        super().__init__()
        self._told = told

    async def speak(self, request: SpeechRequest) -> Spoken:
        spoken = await super().speak(request)
        prompt = self._told.get(TURN, request.language).reference
        return structs.replace(spoken, speech=structs.replace(spoken.speech, prompt=prompt))


async def told(service: SimulationService, run_id: RunId) -> list[str | None]:
    return [turn.speech.prompt for turn in (await service.course(run_id)).turns]


async def test_a_course_keeps_its_versions_over_a_moved_label(database: Database) -> None:
    store = prompts.build_store([PROMPTS], database, SteppingClock())
    telling = Telling(store, lambda _name, kept: Named(kept))
    service = replace(a_service(database), telling=telling)
    added = await store.add_version(TURN, "en", "Do {{ act.name }}.", ["act"])
    await store.label(TURN, "en", "production", added.version)
    run = await service.start(COUPLE, ASKED)
    async with aclosing(service.live(run.id)) as moments:
        async for _ in moments:
            if len(await told(service, run.id)) == 2:
                break
    await store.rollback(TURN, "en", "production")
    branch = await service.fork(Fork(run.id, 1, 2, {f"{COUPLE[0].id}.mood": "0.5"}))
    for run_id in (run.id, branch.id):
        await live(service, run_id)
        assert set(await told(service, run_id)) == {added.reference}
        assert len(await told(service, run_id)) > 2
    assert [moment async for moment in service.replay(run.id)]
    later = await service.start(COUPLE, ASKED)
    await live(service, later.id)
    newest = (await store.snapshot()).get(TURN, "en").reference
    assert set(await told(service, later.id)) == {newest} != {added.reference}


async def test_labels_leave_courses_of_the_built_in_voice_alone(database: Database) -> None:
    store = prompts.build_store([PROMPTS], database, SteppingClock())
    telling = Telling(store, lambda _name, kept: Named(kept))
    service = replace(a_service(database), telling=telling)
    before = await service.start(COUPLE, replace(ASKED, voice="built-in"))
    added = await store.add_version(TURN, "en", "Do {{ act.name }}.", ["act"])
    await store.label(TURN, "en", "production", added.version)
    after = await service.start(COUPLE, replace(ASKED, voice="built-in"))
    assert before.versions == after.versions
    await live(service, after.id)
    assert set(await told(service, after.id)) == {None}
