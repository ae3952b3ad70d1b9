"""A ledger, models and time in memory, honest enough to route against."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from soullink.gateways.llm.ledger.port import Intent, Settlement
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    LlmBudgetError,
    LlmError,
    LlmUnavailableError,
    Message,
    Usage,
)

COST = 700
BOUND = 5000


class BookedInMemory:
    """A ledger with one budget over all. repeated: settlements that came a second time."""

    def __init__(self, limit_nano_usd: int | None = None) -> None:
        self.limit = limit_nano_usd
        self.intents: dict[str, Intent] = {}
        self.settlements: dict[str, Settlement] = {}
        self.repeated: list[Settlement] = []
        self.unknown: list[Settlement] = []
        self.before_reserve: Callable[[], Awaitable[None]] | None = None

    @property
    def spent(self) -> int:
        return sum(s.cost_nano_usd or 0 for s in self.settlements.values())

    @property
    def open(self) -> list[Intent]:
        return [i for i in self.intents.values() if i.attempt_id not in self.settlements]

    @property
    def reserved(self) -> int:
        return sum(intent.bound_nano_usd or 0 for intent in self.open)

    @property
    def booked(self) -> list[tuple[str, Settlement]]:
        """Return the model and the settlement of every attempt, in the order of reserving."""
        return [(i.model, self.settlements[i.attempt_id]) for i in self.intents.values()]

    async def reserve(self, intent: Intent) -> None:
        if self.before_reserve is not None:
            await self.before_reserve()
        assert intent.attempt_id not in self.intents
        bound = intent.bound_nano_usd
        if self.limit is not None:
            if bound is None:
                raise LlmBudgetError("The price is not known.")
            if self.spent + self.reserved + bound > self.limit:
                raise LlmBudgetError("The budget over all does not allow the call.")
        self.intents[intent.attempt_id] = intent

    def settle(self, settlement: Settlement) -> None:
        if settlement.attempt_id not in self.intents:
            self.unknown.append(settlement)
        elif settlement.attempt_id in self.settlements:
            self.repeated.append(settlement)
        else:
            self.settlements[settlement.attempt_id] = settlement

    async def flush(self) -> None:
        pass

    async def close(self) -> None:
        pass


Answer = str | BaseException | Callable[[ChatRequest], Awaitable[str]]


class Played:
    """A model that answers what its script says; the last answer is repeated for ever.

    A function is awaited. most: the largest number of requests that were in flight at once.
    """

    def __init__(
        self, name: str, *answers: Answer, bound: int | None = BOUND, cost: int | None = COST
    ) -> None:
        self.name = f"played:{name}"
        self.answers = list(answers) or [f"This is {name}."]
        self.bound = bound
        self.cost = cost
        self.requests: list[ChatRequest] = []
        self.in_flight = 0
        self.most = 0
        self.closed = 0
        self.asked = asyncio.Event()

    def bound_nano_usd(self, request: object) -> int | None:  # noqa: ARG002 - all cost the same
        return self.bound

    async def complete(self, request: ChatRequest) -> ChatReply:
        return self._reply(await self._answer(request))

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        text = await self._answer(request)
        for word in text.split():
            if word == "CUT":
                raise unavailable("cut")
            await asyncio.sleep(0)
            yield ChatChunk(word + " ")
        if not text.endswith("UNFINISHED"):
            yield ChatChunk("", self._reply(text))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        await self._answer(request)  # type: ignore[arg-type]
        vectors = tuple((float(len(text)), 1.0) for text in request.texts)
        usage = Usage(input_tokens=3)
        return EmbeddingReply(vectors, self.name, "played", usage, self.cost, 0.0, 1)

    async def close(self) -> None:
        self.closed += 1

    async def _answer(self, request: ChatRequest) -> str:
        self.requests.append(request)
        self.asked.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            if isinstance(answer, BaseException):
                raise answer
            return answer if isinstance(answer, str) else await answer(request)
        finally:
            self.in_flight -= 1

    def _reply(self, text: str) -> ChatReply:
        usage = Usage(input_tokens=100, output_tokens=20)
        return ChatReply(text, self.name, "played", "stop", usage, self.cost, 0.0, 1)


@dataclass
class VirtualTime:
    """A clock that moves only when somebody sleeps. slept: every wait, in order."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.now += seconds


def request(text: str = "How was your day?", **changes: object) -> ChatRequest:
    messages = (Message("system", "You are Ada."), Message("user", text))
    return ChatRequest(**{"messages": messages, "timeout_seconds": 30.0, **changes})  # type: ignore[arg-type]


def failing(error: LlmError, **facts: object) -> LlmError:
    """Return `error` with these attributes."""
    for name, value in facts.items():
        setattr(error, name, value)
    return error


def unavailable(text: str = "down", **facts: object) -> LlmError:
    return failing(LlmUnavailableError(text), **facts)


def dawdling(
    seconds: float, text: str = "at last", time: VirtualTime | None = None
) -> Callable[[ChatRequest], Awaitable[str]]:
    """Return an answer that takes `seconds`, of `time` where it is given."""
    sleep = asyncio.sleep if time is None else time.sleep

    async def answer(request: ChatRequest) -> str:  # noqa: ARG001 - all take the same time
        await sleep(seconds)
        return text

    return answer


def at_random(seed: int, choices: list[Answer]) -> Callable[[ChatRequest], Awaitable[str]]:
    """Return an answer that is drawn anew for each request, after a short random time."""
    dice = random.Random(seed)  # noqa: S311 - no secret

    async def answer(request: ChatRequest) -> str:
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        choice = dice.choice(choices)
        if isinstance(choice, BaseException):
            raise type(choice)(*choice.args)
        return choice if isinstance(choice, str) else await choice(request)

    return answer
