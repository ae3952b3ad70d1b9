"""Courses lived only to compare two prompts turn by turn; nothing of them is kept."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import msgspec

from soullink.kernel.canonical import digest
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import Prompts
from soullink.modules.simulation.api import PairedTurn, Rehearsals, Scenario, Settings
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.paired import PairedVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Voice


@dataclass(frozen=True, slots=True)
class Rehearsal(Rehearsals):
    """Rehearsals on the simulation. voice: opens the model of a name with these prompts."""

    simulation: SimulationService
    voice: Callable[[str, Prompts], Voice]

    async def compare(
        self,
        people: tuple[Profile, Profile],
        settings: Settings,
        arms: tuple[Prompts, Prompts],
        wanted: Callable[[str], bool],
        own: Sequence[Scenario] = (),
    ) -> AsyncGenerator[PairedTurn, None]:
        place = _place(people, settings, own)

        def unit(request: SpeechRequest) -> str:
            return f"{place}.{settings.seed}.{request.episode}.{request.sequence}"

        paired = PairedVoice(
            BuiltInVoice(),
            (self.voice(settings.voice, arms[0]), self.voice(settings.voice, arms[1])),
            unit,
            wanted,
        )
        simulation = replace(self.simulation, voice=lambda _name: paired)
        run = None
        try:
            run = await self.simulation.start(
                people, replace(settings, voice=paired.name), None, own
            )
            async with aclosing(simulation.live(run.id)) as moments:
                async for _ in moments:
                    for turn in paired.compared():
                        yield turn
        finally:
            await paired.close()
            if run is not None:
                await self.simulation.delete(run.id)


def _place(people: tuple[Profile, Profile], settings: Settings, own: Sequence[Scenario]) -> str:
    """Return a name for everything of a course but its seed, 12 hexadecimal digits."""
    whole = [people, replace(settings, seed=0), list(own)]
    return digest(msgspec.to_builtins(whole))[:12]
