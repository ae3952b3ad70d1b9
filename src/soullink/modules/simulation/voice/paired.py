"""One voice is heard; two others say the same turn beside it, to be compared."""

import asyncio
from collections.abc import Callable
from typing import Final

from soullink.modules.simulation.api import Act, PairedTurn, Speech
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken, Voice

_NOT_THE_PROMPT: Final = frozenset(
    {"llm_unavailable", "llm_timeout", "llm_rate_limited", "llm_auth", "llm_budget"}
)
"""Faults that say nothing of what a model was told."""


class PairedVoice:
    """Speaks as `heard` does, and lets both `arms` speak to exactly the same request.

    What the arms say never becomes part of the course, so that no arm's words change what either
    is asked next: every turn compares them under the same conditions.
    unit: names a turn; where `wanted` declines the name, the arms are not asked.
    """

    def __init__(
        self,
        heard: Voice,
        arms: tuple[Voice, Voice],
        unit: Callable[[SpeechRequest], str],
        wanted: Callable[[str], bool],
    ) -> None:
        self._heard = heard
        self._arms = arms
        self._unit = unit
        self._wanted = wanted
        self._compared: list[PairedTurn] = []

    @property
    def name(self) -> str:
        return self._heard.name

    async def speak(self, request: SpeechRequest) -> Spoken:
        spoken = await self._heard.speak(request)
        unit = self._unit(request)
        if request.act is not Act.SILENCE and self._wanted(unit):
            first, second = await asyncio.gather(*(arm.speak(request) for arm in self._arms))
            self._compared.append(_compared(unit, first.speech, second.speech))
        return spoken

    def compared(self) -> list[PairedTurn]:
        """Return the turns compared since this was last asked."""
        turns, self._compared = self._compared, []
        return turns

    async def close(self) -> None:
        for voice in (self._heard, *self._arms):
            await voice.close()


def _compared(unit: str, first: Speech, second: Speech) -> PairedTurn:
    a, b = _outcomes(first), _outcomes(second)
    return PairedTurn(
        unit=unit,
        outcomes={name: (a[name], b[name]) for name in a},
        prompts=(first.prompt or "", second.prompt or ""),
        reached=_NOT_THE_PROMPT.isdisjoint((*first.faults, *second.faults)),
    )


def _outcomes(speech: Speech) -> dict[str, float]:
    """Return the outcome of a turn by each of METRICS."""
    spoken = speech.status != "fallback"
    scores = speech.quality.values() if spoken else ()
    return {
        "accepted": float(speech.status == "ok"),
        "spoken": float(spoken),
        "readable": float({"unreadable", "llm_output"}.isdisjoint(speech.faults)),
        "quality": sum(scores) / max(1, len(scores)),
    }
