"""Every attempt is settled once: streams, consumers that leave, cancellation anywhere, bugs."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    LlmBudgetError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmTimeoutError,
    LlmUnavailableError,
    Usage,
)
from soullink.gateways.llm.response.port import Judged
from soullink.gateways.llm.routing.port import CircuitRules, Deployment, RetryRules, Route
from soullink.gateways.llm.routing.router import Router
from tests.gateways.llm.routing.support import (
    BOUND,
    COST,
    Answer,
    BookedInMemory,
    Played,
    at_random,
    dawdling,
    failing,
    request,
    unavailable,
)

pytestmark = pytest.mark.anyio


def stage(*answers: Answer) -> tuple[Router, BookedInMemory, Played]:
    ledger, model = BookedInMemory(), Played("a", *answers)
    rules = RetryRules(first_seconds=0.001, longest_seconds=0.001)
    return (
        Router([Route("r", (Deployment("a", model),), retry=rules)], ledger=ledger),
        ledger,
        model,
    )


def booked(ledger: BookedInMemory) -> list[tuple[str, int | None, bool]]:
    assert (ledger.open, ledger.repeated) == ([], [])
    return [(s.outcome, s.cost_nano_usd, s.estimated) for _, s in ledger.booked]


def chunks_of(router: Router) -> AsyncGenerator[ChatChunk, None]:
    return cast("AsyncGenerator[ChatChunk, None]", router.model("r").stream(request()))


async def test_a_stream_is_passed_on_and_booked_before_its_last_chunk() -> None:
    router, ledger, _ = stage("one two three")
    words = ""
    async for chunk in chunks_of(router):
        words += chunk.text
        if chunk.reply is not None:
            assert booked(ledger) == [("answered", COST, False)]
            assert chunk.reply.attempts == 1
    assert words.split() == ["one", "two", "three"]
    assert router.states()[0].in_flight == 0


async def test_a_stream_that_fails_before_a_word_is_tried_again() -> None:
    router, ledger, model = stage(unavailable(may_be_billed=False, attempts=1), "CUT", "well done")
    words = "".join([chunk.text async for chunk in chunks_of(router)])
    assert (words.split(), len(model.requests)) == (["well", "done"], 3)
    assert booked(ledger) == [
        ("failed", 0, False),
        ("cut", BOUND, True),
        ("answered", COST, False),
    ]


@pytest.mark.parametrize("answer", ["well CUT", "well UNFINISHED"])
async def test_a_stream_that_breaks_after_a_word_is_the_callers(answer: str) -> None:
    router, ledger, model = stage(answer)
    heard: list[str] = []

    async def listen() -> None:
        async for chunk in chunks_of(router):
            heard.append(chunk.text)  # noqa: PERF401 - what came before the error is kept

    with pytest.raises(LlmUnavailableError) as caught:
        await listen()
    assert heard[0] == "well "
    assert (caught.value.attempts, len(model.requests)) == (1, 1)
    assert booked(ledger) == [("cut", BOUND, True)]


async def test_a_consumer_that_stops_is_booked_as_cancelled_at_once() -> None:
    router, ledger, _ = stage("one two three")
    chunks = chunks_of(router)
    assert (await anext(chunks)).text == "one "
    await chunks.aclose()
    assert booked(ledger) == [("cancelled", BOUND, True)]
    assert router.states()[0].in_flight == 0


async def test_a_cancelled_consumer_is_booked_as_cancelled() -> None:
    router, ledger, _ = stage(dawdling(30.0))
    task = asyncio.ensure_future(anext(chunks_of(router)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert booked(ledger) == [("cancelled", BOUND, True)]


async def test_a_slow_reader_does_not_make_the_deployment_look_slow() -> None:
    router, ledger, _ = stage("one two")
    async for _ in chunks_of(router):
        await asyncio.sleep(0.05)
    assert ledger.booked[0][1].latency_seconds < 0.05


async def test_what_the_provider_counted_before_it_failed_is_exact() -> None:
    counted = Usage(50, 5)
    router, ledger, _ = stage(failing(LlmRefusedError("no"), usage=counted, cost_nano_usd=321))
    with pytest.raises(LlmRefusedError):
        await router.model("r").complete(request())
    assert booked(ledger) == [("refused", 321, False)]
    assert ledger.booked[0][1].usage == counted


async def test_a_bug_is_booked_as_lost_and_not_hidden() -> None:
    router, ledger, _ = stage(ZeroDivisionError("bug"))
    with pytest.raises(ZeroDivisionError):
        await router.model("r").complete(request())
    assert booked(ledger) == [("lost", BOUND, True)]
    assert router.states()[0].in_flight == 0


class Scoring:
    """Mends and scores; what says "bug" breaks it."""

    def check(self, request: ChatRequest, reply: ChatReply) -> Judged:
        assert not request.request_id
        if "bug" in reply.text:
            raise ZeroDivisionError
        if "unreadable" in reply.text:
            raise LlmOutputError("unreadable")
        return Judged(reply, {"schema": 0.5})


async def test_scores_reach_the_ledger_and_the_caller() -> None:
    ledger = BookedInMemory()
    route = Route("r", (Deployment("a", Played("a", "unreadable", "fine", "fine", "bug")),))
    router = Router([route], ledger=ledger, check=Scoring())
    reply = await router.model("r").complete(request())
    assert (reply.text, reply.attempts, reply.quality) == ("fine", 2, {"schema": 0.5})
    last = [chunk async for chunk in chunks_of(router)][-1]
    assert last.reply is not None
    assert last.reply.quality == {"schema": 0.5}
    with pytest.raises(ZeroDivisionError):
        await router.model("r").complete(request())
    assert booked(ledger) == [
        ("unreadable", COST, False),
        ("answered", COST, False),
        ("answered", COST, False),
        ("answered", COST, False),
    ]
    assert [s.quality for _, s in ledger.booked] == [{}, {"schema": 0.5}, {"schema": 0.5}, {}]
    assert router.states()[0].errors == 0


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_ledger_that_never_answers_ends_with_the_call(*, cancelled: bool) -> None:
    router, ledger, model = stage("never")

    async def slow() -> None:
        await asyncio.sleep(0.001)
        await asyncio.sleep(30.0)

    ledger.before_reserve = slow
    task = asyncio.ensure_future(router.model("r").complete(request(timeout_seconds=0.02)))
    if cancelled:
        await asyncio.sleep(0.005)
        task.cancel()
    with pytest.raises(asyncio.CancelledError if cancelled else LlmTimeoutError):
        await task
    assert (model.requests, ledger.intents, ledger.unknown) == ([], {}, [])
    assert router.states()[0].in_flight == 0


async def test_a_ledger_that_waits_a_while_is_waited_for() -> None:
    router, ledger, _ = stage("well")

    async def committing() -> None:
        await asyncio.sleep(0.005)
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(asyncio.sleep(30.0), 0.001)
        except TimeoutError:
            return

    ledger.before_reserve = committing
    assert (await router.model("r").complete(request())).text == "well"
    assert booked(ledger) == [("answered", COST, False)]


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_leaks_whatever_is_cancelled_and_whatever_fails(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    ledger = BookedInMemory(limit_nano_usd=60 * BOUND)

    async def committing() -> None:
        for _ in range(dice.randrange(3)):
            await asyncio.sleep(0)

    ledger.before_reserve = committing
    answers: list[Answer] = [
        "well said",
        "well CUT",
        "and UNFINISHED",
        dawdling(0.002),
        LlmUnavailableError("down"),
        LlmRateLimitedError("slow down"),
        LlmTimeoutError("late"),
        LlmRefusedError("no"),
        LlmOutputError("?"),
        ZeroDivisionError("bug"),
    ]
    models = [Played(f"m{n}", at_random(seed + n, answers)) for n in range(4)]
    rules = RetryRules(first_seconds=0.001, longest_seconds=0.002)
    circuit = CircuitRules(failures=3, cooldown_seconds=0.002, longest_seconds=0.004)
    first, second, third, fourth = (
        Deployment(model.name, model, max_in_flight=3) for model in models
    )
    router = Router(
        [
            Route("r", (first, second), "latency", {"any": ("s",)}, 0.001, retry=rules,
                  circuit=circuit),
            Route("s", (third, fourth), "cost", {"llm_refused": ("r",)}, retry=rules,
                  circuit=circuit),
        ],
        ledger=ledger,
        seed=seed,
    )  # fmt: skip

    async def call() -> None:
        model = router.model(dice.choice("rs"))
        asked = request(timeout_seconds=dice.choice((0.005, 1.0)))
        if dice.random() < 0.5:
            await model.complete(asked)
            return
        chunks = cast("AsyncGenerator[ChatChunk, None]", model.stream(asked))
        try:
            async for _ in chunks:
                if dice.random() < 0.1:
                    break
        finally:
            await chunks.aclose()

    async def cancelled_at_random(task: "asyncio.Task[None]") -> None:
        for _ in range(dice.randrange(40)):
            await asyncio.sleep(0)
        task.cancel()

    calls = [asyncio.ensure_future(call()) for _ in range(150)]
    await asyncio.gather(*(cancelled_at_random(task) for task in dice.sample(calls, 60)))
    results = await asyncio.gather(*calls, return_exceptions=True)

    unexpected = [
        result
        for result in results
        if not isinstance(result, LlmError | asyncio.CancelledError | ZeroDivisionError | None)
    ]
    assert unexpected == []
    assert (ledger.open, ledger.reserved, ledger.repeated) == ([], 0, [])
    assert ledger.limit is not None
    assert ledger.spent <= ledger.limit
    assert len(ledger.settlements) == len(ledger.intents)
    sent = [one.request_id for model in models for one in model.requests]
    assert len(sent) == len(set(sent))
    assert set(sent) <= set(ledger.intents)
    unsent = set(ledger.intents) - set(sent)
    outcomes = {ledger.settlements[one].outcome for one in unsent}
    assert outcomes <= {"unsent", "cancelled"}
    assert all(state.in_flight == 0 for state in router.states())
    assert any(isinstance(result, LlmBudgetError | LlmError) for result in results)

    # Nobody is locked out: when all is well again, every deployment answers.
    ledger.limit = None
    await asyncio.sleep(0.01)
    for model in models:
        model.answers = ["well again"]
    for name in "rs":
        replies = await asyncio.gather(*(router.model(name).complete(request()) for _ in range(12)))
        assert {reply.text for reply in replies} == {"well again"}
    assert {state.circuit for state in router.states()} == {"closed"}
