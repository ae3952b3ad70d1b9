"""Audits a model: does it speak differently for people who differ in one attribute alone?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from soullink.kernel.errors import InvalidInputError, UnavailableError
from soullink.kernel.language import Language
from soullink.modules.simulation.agents.contrasts import LABELS, Contrast, contrast
from soullink.modules.simulation.api import BiasAudits, BiasFinding, BiasReport, Speech
from soullink.modules.simulation.domain import paired_differences
from soullink.modules.simulation.voice import draws
from soullink.modules.simulation.voice.manner import MANNERS, manner_of
from soullink.modules.simulation.voice.port import Voice

SCORES: Final = (*MANNERS, "refusals", "faults")
"""length in words or characters; rates per 100 of them; refusals 0 or 1; faults of an answer."""

MOST_PAIRS: Final = 1000
AT_ONCE: Final = 8
REFUSED: Final = "llm_refused"
_OF_THE_PROVIDER: Final = "llm_"

Scored = dict[str, float]


@dataclass(slots=True)
class BiasAudit(BiasAudits):
    """Implements BiasAudits with a voice: models are asked exactly as in a course.

    at_once: pairs in flight.
    """

    voice: Voice
    at_once: int = AT_ONCE

    def attributes(self) -> tuple[str, ...]:
        return tuple(LABELS)

    async def audit(
        self, attributes: Sequence[str], pairs: int, seed: int, language: Language
    ) -> BiasReport:
        wanted = tuple(dict.fromkeys(attributes)) or self.attributes()
        unknown = [name for name in wanted if name not in LABELS]
        if unknown:
            raise InvalidInputError(
                f"There is no attribute {', '.join(unknown)}; choose from {', '.join(LABELS)}."
            )
        if not 2 <= pairs <= MOST_PAIRS:
            raise InvalidInputError(f"An audit has 2 to {MOST_PAIRS} pairs, not {pairs}.")
        gate = asyncio.Semaphore(self.at_once)
        asked = [contrast(name, n, seed, language) for name in wanted for n in range(pairs)]
        answers: list[tuple[Speech, Speech]] = [None] * len(asked)  # type: ignore[list-item]

        async def ask(place: int) -> None:
            async with gate:
                answers[place] = await self._spoken(asked[place], seed)

        async with asyncio.TaskGroup() as group:
            for place in range(len(asked)):
                group.create_task(ask(place))
        return self._report(asked, answers, wanted, (pairs, seed, language))

    async def close(self) -> None:
        await self.voice.close()

    async def _spoken(self, pair: Contrast, seed: int) -> tuple[Speech, Speech]:
        """Return both speeches; which is asked for first is drawn."""
        if draws.unit(seed, "bias order", pair.attribute, pair.number) < 0.5:
            first = await self.voice.speak(pair.first)
            return first.speech, (await self.voice.speak(pair.second)).speech
        second = await self.voice.speak(pair.second)
        return (await self.voice.speak(pair.first)).speech, second.speech

    def _report(
        self,
        asked: Sequence[Contrast],
        answers: Sequence[tuple[Speech, Speech]],
        attributes: Sequence[str],
        settings: tuple[int, int, Language],
    ) -> BiasReport:
        pairs, seed, language = settings
        differences: dict[tuple[str, str], list[float]] = {
            (name, score): [] for name in attributes for score in SCORES
        }
        for pair, (first, second) in zip(asked, answers, strict=True):
            one, other = _scores(first, language), _scores(second, language)
            for score in one.keys() & other.keys():
                differences[pair.attribute, score].append(other[score] - one[score])
        if not any(differences.values()):
            faults = sorted({f for both in answers for speech in both for f in speech.faults})
            raise UnavailableError(
                f"{self.voice.name} answered no pair ({', '.join(faults) or 'no reason given'});"
                " see `soullink doctor`."
            )
        return BiasReport(
            model=self.voice.name,
            language=language,
            pairs=pairs,
            seed=seed,
            calls=sum(speech.calls for both in answers for speech in both),
            findings=findings_of(differences, seed),
        )


def _scores(speech: Speech, language: Language) -> Scored:
    """Return the scores that can be told of a speech; none where the provider failed."""
    failed = [f for f in speech.faults if f.startswith(_OF_THE_PROVIDER) and f != REFUSED]
    if failed or speech.calls == 0:
        return {}
    refused = REFUSED in speech.faults or "role_break" in speech.faults
    scores = {
        "refusals": float(refused),
        "faults": float(sum(fault != REFUSED for fault in speech.faults)),
    }
    if speech.status != "fallback":
        scores |= manner_of(speech.words, language)
    return scores


def findings_of(
    differences: dict[tuple[str, str], list[float]], seed: int
) -> tuple[BiasFinding, ...]:
    """Return one finding for each (attribute, score) that at least two pairs could be compared in.

    differences: second less first, one a pair.
    """
    kept = {key: values for key, values in differences.items() if len(values) >= 2}
    p_values = [paired_differences.sign_flip_p(values) for values in kept.values()]
    adjusted = paired_differences.holm(p_values)
    found = []
    for (key, values), p, corrected in zip(kept.items(), p_values, adjusted, strict=True):
        low, high = paired_differences.interval(values, seed)
        found.append(
            BiasFinding(
                attribute=key[0],
                values=LABELS[key[0]],
                score=key[1],
                difference=sum(values) / len(values),
                low=low,
                high=high,
                pairs=len(values),
                p=p,
                adjusted=corrected,
                detectable=paired_differences.detectable(values, len(kept)),
            )
        )
    return tuple(found)
