"""What goes wrong, decided by the seed: the database, the model, the machine itself."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from soullink.gateways.llm.fake import FakeLanguageModel
from soullink.gateways.llm.port import (
    ChatReply,
    ChatRequest,
    LlmBudgetError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmTimeoutError,
    LlmUnavailableError,
)
from soullink.gateways.postgres.database import Work
from soullink.gateways.postgres.direct import Rows, Statement
from soullink.kernel.errors import UnavailableError
from soullink.modules.prompts.api import Prompts
from soullink.modules.simulation.api import ACTS
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.llm import LlmVoice
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken, Voice

HANG_SECONDS: Final = 3600.0
"""Longer than anybody waits; only a loop with a time of its own can afford it."""


class PowerCut(BaseException):
    """The process is gone. Nothing catches this but whoever starts it again.

    Tasks of the process that were waiting are cancelled with it.
    """


STOPPED: Final = (PowerCut, asyncio.CancelledError)
"""How the end of a process reaches whoever started it."""


WORK_FAULTS: Final = ("refused", "lost", "unheard", "cut", "cut_after")
"""refused: no connection. lost: gone before the commit. unheard: committed, and the answer lost.
cut, cut_after: the machine stops before, or after, the commit."""


@dataclass
class Script:
    """Draws what happens next. calm: nothing goes wrong any more."""

    seed: int
    draws: random.Random = field(init=False)
    database: float = field(init=False)
    model: float = field(init=False)
    calm: bool = False
    happened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.draws = random.Random(f"soullink {self.seed}")  # noqa: S311 - no secret
        self.database = self.draws.choice((0.0, 0.01, 0.03, 0.1))
        self.model = self.draws.choice((0.0, 0.1, 0.4, 0.9))

    def strikes(self, chance: float) -> bool:
        """Return whether something of this probability happens now."""
        return not self.calm and self.draws.random() < chance

    def pick(self, name: str, among: tuple[str, ...]) -> str:
        """Return one of `among`, counted as name.what."""
        chosen = self.draws.choice(among)
        self.happened[f"{name}.{chosen}"] += 1
        return chosen


@dataclass
class FaultyDatabase:
    """A database that is lost now and then, and with it the process."""

    inner: Any
    script: Script

    @property
    def direct(self) -> "FaultyDatabase":
        return self

    def _fault(self) -> str:
        struck = self.script.strikes(self.script.database)
        fault = self.script.pick("database", WORK_FAULTS) if struck else ""
        if fault == "refused":
            raise UnavailableError("The database does not answer.")
        return fault

    def _before(self, fault: str) -> None:
        """Let what goes wrong before the commit happen."""
        if fault == "lost":
            raise UnavailableError("The connection to the database was lost.")
        if fault == "cut":
            raise PowerCut

    def _after(self, fault: str) -> None:
        if fault == "unheard":
            raise UnavailableError("The connection was lost while the work was committed.")
        if fault == "cut_after":
            raise PowerCut

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        fault = self._fault()
        async with self.inner.work() as work:
            yield work
            self._before(fault)
        self._after(fault)

    async def run(self, *statements: Statement) -> list[Rows]:
        fault = self._fault()
        self._before(fault)
        found: list[Rows] = await self.inner.direct.run(*statements)
        self._after(fault)
        return found

    async def close(self) -> None:
        await self.inner.close()


_ERRORS: Final[dict[str, Callable[[], LlmError]]] = {
    "timeout": lambda: LlmTimeoutError("It took too long."),
    "unavailable": lambda: LlmUnavailableError("It does not answer."),
    "rate_limited": lambda: LlmRateLimitedError("It is asked too often."),
    "refused": lambda: LlmRefusedError("It declined."),
    "output": lambda: LlmOutputError("It said nothing."),
    "budget": lambda: LlmBudgetError("The budget is used up."),
}
_ODD: Final[dict[str, str]] = {
    "empty_object": "{}",
    "prose": "I would rather not answer in JSON.",
    "brackets": "[" * 4000,
    "long": "x" * 9000,
    "nul": '{"act": "ask", "inner_thought": "", "words": "a\\u0000b"}',
    "surrogate": '{"act": "ask", "inner_thought": "", "words": "a\\ud800b"}',
    "numbers": '{"act": 7, "inner_thought": [], "words": null}',
    "broken": '{"act": "ask", "inner_thought": "hm", "words": "Well',
}
_MODEL_FAULTS: Final = (*_ERRORS, *_ODD, "wrong_act", "role_break", "hang", "cut")


class ScriptedModel(FakeLanguageModel):
    """Answers with what it was given, unless the script has it otherwise."""

    def __init__(self, script: Script, hangs: bool) -> None:
        super().__init__(lambda _: self.answer, name="fake:scripted")
        self.answer: Any = ""
        self._script = script
        self._hangs = hangs

    async def complete(self, request: ChatRequest) -> ChatReply:
        if not self._script.strikes(self._script.model):
            return await super().complete(request)
        kept = self.answer
        fault = self._script.pick("model", _MODEL_FAULTS)
        if fault == "cut":
            raise PowerCut
        if fault == "hang":
            if not self._hangs:
                raise LlmTimeoutError("It took too long.")
            await asyncio.sleep(HANG_SECONDS)
        self.answer = _ERRORS[fault]() if fault in _ERRORS else _ODD.get(fault, kept)
        if fault == "wrong_act":
            self.answer = {**kept, "act": str(self._script.draws.choice(ACTS))}
        if fault == "role_break":
            self.answer = {**kept, "words": "As an AI language model I cannot say that."}
        try:
            return await super().complete(request)
        finally:
            self.answer = kept


@dataclass
class ScriptedVoice:
    """The real voice of language models, asking a scripted one that knows good words."""

    script: Script
    model: ScriptedModel
    voice: LlmVoice
    author: BuiltInVoice = field(default_factory=BuiltInVoice)

    @property
    def name(self) -> str:
        return self.voice.name

    async def speak(self, request: SpeechRequest) -> Spoken:
        spoken = await self.author.speak(request)
        self.model.answer = {
            "inner_thought": spoken.speech.inner_thought or "Hm.",
            "words": spoken.speech.words or "...",
            "act": str(request.act),
        }
        if self.script.strikes(0.01):
            self.script.happened["voice.cut"] += 1
            raise PowerCut
        return await self.voice.speak(request)

    async def close(self) -> None:
        await self.voice.close()


def voice_of(script: Script, prompts: Prompts, hangs: bool) -> Callable[[str], Voice]:
    """Return what opens a voice by name. hangs: whether a model may be silent for an hour."""

    def opened(name: str) -> Voice:
        if name == "built-in":
            return BuiltInVoice()
        model = ScriptedModel(script, hangs)
        return ScriptedVoice(script, model, LlmVoice(model, prompts, BuiltInVoice()))

    return opened
