"""A language model speaks: one call a turn, one chance to mend, then the built-in voice."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import structs

from soullink.gateways.llm.port import (
    Attribution,
    ChatReply,
    ChatRequest,
    FixedSchema,
    LanguageModel,
    LlmError,
    LlmRefusedError,
    Message,
)
from soullink.modules.prompts.api import ContextBudget, Prompts
from soullink.modules.simulation.api import ACTS, Act, Speech
from soullink.modules.simulation.voice.briefing import CONTEXT, TURN_PROMPT, Briefings
from soullink.modules.simulation.voice.checks import faults_of
from soullink.modules.simulation.voice.formatting import normalised
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken, Voice
from soullink.modules.simulation.voice.prompting import declared, repair_variables
from soullink.modules.simulation.voice.text import LENGTHS, clipped, count_words

REPAIR_PROMPT: Final = "simulation.repair"
TEMPERATURE: Final = 0.8
MAX_OUTPUT_TOKENS: Final = 300
TURN_TIMEOUT_SECONDS: Final = 60.0
LONGEST_THOUGHT: Final = 200
LONGEST_ANSWER: Final = 8000
"""Characters; a server that ignores MAX_OUTPUT_TOKENS is not read to the end."""

UNREADABLE: Final = "unreadable"
"""Fault: the answer is not the JSON that was asked for, not even after mending brackets."""

TURN_SCHEMA: Final[Mapping[str, Any]] = FixedSchema(
    {
        "type": "object",
        "properties": {
            "inner_thought": {"type": "string"},
            "words": {"type": "string"},
            "act": {"type": "string", "enum": [act.value for act in ACTS]},
        },
        "required": ["inner_thought", "words", "act"],
        "additionalProperties": False,
    }
)

_NO_TEXT: Final = re.compile("[\\ud800-\\udfff\\0]")

_SEEDS: Final = 2**31 - 1
"""Seeds that every provider takes are 32-bit and signed."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """tidied: what had to be taken off the words, see formatting.py."""

    inner_thought: str
    words: str
    faults: tuple[str, ...]
    tidied: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    """What the calls of one turn came to."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int | None = 0
    prompts: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, reply: ChatReply) -> None:
        self.input_tokens += reply.usage.input_tokens
        self.output_tokens += reply.usage.output_tokens
        if self.cost_nano_usd is not None and reply.cost_nano_usd is not None:
            self.cost_nano_usd += reply.cost_nano_usd
        else:
            self.cost_nano_usd = None

    def blame(self, *codes: str) -> None:
        self.faults += [code for code in codes if code not in self.faults]

    def account(self, model: str) -> dict[str, Any]:
        """Return the fields of a Speech that tell what asking `model` came to."""
        return {
            "faults": tuple(self.faults),
            "model": model,
            "prompt": "+".join(self.prompts),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_nano_usd": self.cost_nano_usd,
            "calls": self.calls,
        }


class LlmVoice:
    """Asks `model` for thought, words and act, and lets `fallback` speak where that fails.

    A turn costs one call, or two when the first answer has a fault. Whatever the provider does,
    words come within `turn_timeout_seconds` (a model keeps to the time of its request), and the
    speech says how they came about. Only cancellation passes through.
    """

    def __init__(
        self,
        model: LanguageModel,
        prompts: Prompts,
        fallback: Voice,
        *,
        turn_timeout_seconds: float = TURN_TIMEOUT_SECONDS,
        context: ContextBudget = CONTEXT,
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._briefings = Briefings(prompts, context)
        self._fallback = fallback
        self._timeout_seconds = turn_timeout_seconds

    @property
    def name(self) -> str:
        return self._model.name

    async def speak(self, request: SpeechRequest) -> Spoken:
        if request.act is Act.SILENCE:  # no words are due, so no call is
            return await self._fallback.speak(request)
        started = time.perf_counter()
        tally = _Tally()
        answer: _Answer | None = None
        try:
            answer = await self._ask_twice(request, tally, started)
        except LlmError as error:
            tally.blame(error.code)
        account = tally.account(self.name)
        if answer is None:
            spoken = await self._fallback.speak(request)
            speech = structs.replace(spoken.speech, status="fallback", **account)
        else:
            speech = Speech(
                words=answer.words,
                inner_thought=answer.inner_thought,
                voice=self.name,
                status="repaired" if tally.faults else "ok",
                quality=_quality(answer, request),
                **account,
            )
        return Spoken(speech, time.perf_counter() - started)

    async def close(self) -> None:
        """Close the model and the fallback."""
        await self._model.close()
        await self._fallback.close()

    async def _ask_twice(
        self, request: SpeechRequest, tally: _Tally, started: float
    ) -> _Answer | None:
        """Return the first answer without a fault, None after two with one. Raises LlmError."""
        asked = self._briefings.of(request)
        messages = asked.messages
        reply = await self._call(
            messages, request, request.seed, asked.reference, TURN_PROMPT, tally, started
        )
        answer = _read(reply.text, request)
        if not answer.faults:
            return answer
        tally.blame(*answer.faults)
        repair = self._prompts.get(REPAIR_PROMPT, request.language)
        told = repair_variables(request, answer.words or reply.text, answer.faults)
        again = self._prompts.render_parts(repair, declared(repair, told))
        # What was asked stays as it was: the second call begins with the whole of the first.
        messages = (
            *messages,
            Message("assistant", reply.text[:LONGEST_ANSWER]),
            *((Message("system", again.system),) if again.system else ()),
            Message("user", again.user),
        )
        reply = await self._call(
            messages, request, request.seed + 1, again.reference, REPAIR_PROMPT, tally, started
        )
        answer = _read(reply.text, request)
        if answer.faults:
            tally.blame(*answer.faults)
            return None
        return answer

    async def _call(
        self,
        messages: tuple[Message, ...],
        request: SpeechRequest,
        seed: int,
        reference: str,
        purpose: str,
        tally: _Tally,
        started: float,
    ) -> ChatReply:
        tally.calls += 1
        tally.prompts.append(reference)
        left = self._timeout_seconds - (time.perf_counter() - started)
        if request.passing is not None:
            request.passing.leave()
        reply = await self._model.complete(
            ChatRequest(
                messages=messages,
                max_output_tokens=MAX_OUTPUT_TOKENS,
                temperature=TEMPERATURE,
                json_schema=TURN_SCHEMA,
                seed=seed % _SEEDS,
                timeout_seconds=max(left, 0.01),
                purpose=purpose,
                attribution=Attribution(run=request.run, prompt=reference),
                lenient=True,  # told what was wrong, a model mends more than asked the same again
                alone=True,  # its run and its seed are its own
            )
        )
        if request.passing is not None:
            await request.passing.enter()
        tally.add(reply)
        if reply.finish_reason == "refusal":
            raise LlmRefusedError(f"{self.name} declined to speak.")
        return reply


def _read(text: str, request: SpeechRequest) -> _Answer:
    """Return the answer in `text` with its faults; brackets and quotes are mended first."""
    if len(text) > LONGEST_ANSWER:
        return _Answer("", "", (UNREADABLE,))
    try:
        document = _decoded(text)
    except (ValueError, RecursionError):
        import json_repair  # noqa: PLC0415 - 25 ms, needed once something is broken

        try:
            document = json_repair.loads(text)
        except (ValueError, RecursionError):  # thousands of open brackets
            return _Answer("", "", (UNREADABLE,))
    if not isinstance(document, dict):
        return _Answer("", "", (UNREADABLE,))
    act, words = document.get("act"), document.get("words")
    thought = document.get("inner_thought")
    if not isinstance(act, str) or not isinstance(words, str) or not _is_text(words):
        return _Answer("", "", (UNREADABLE,))
    words, tidied = normalised(words, request)
    thought = clipped(thought, LONGEST_THOUGHT) if isinstance(thought, str) else ""
    return _Answer(thought, words, faults_of(request, act, words, thought), tidied)


def _decoded(text: str) -> Any:
    """Return the value of JSON. Raises ValueError, RecursionError."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(text)  # half a surrogate pair and NaN are read here alone


def _is_text(words: str) -> bool:
    """Tell whether there are words, without what JSON can write and no database can keep."""
    return bool(words.strip()) and _NO_TEXT.search(words) is None


def _quality(answer: _Answer, request: SpeechRequest) -> dict[str, float]:
    """Return word_count_ok and novelty, as the built-in voice measures them, and clean.

    clean: the words came without quotes, names, markup or stage directions around them.
    """
    words = answer.words
    few, many = LENGTHS[request.language]
    alike = request.likeness(words)
    return {
        "word_count_ok": float(few <= count_words(words, request.language) <= many),
        "novelty": round(1.0 - alike, 6),
        "clean": float(not answer.tidied),
    }
