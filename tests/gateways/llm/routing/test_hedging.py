"""A second request where the first is slow."""

import asyncio

import pytest

from soullink.gateways.llm.port import LlmRequestError, LlmUnavailableError
from soullink.gateways.llm.routing.port import Deployment, RetryRules, Route
from soullink.gateways.llm.routing.router import Router
from tests.gateways.llm.routing.support import (
    BOUND,
    COST,
    Answer,
    BookedInMemory,
    Played,
    dawdling,
    request,
    unavailable,
)

pytestmark = pytest.mark.anyio


class Stage:
    def __init__(
        self, first: Answer, second: Answer, *, limit: int | None = None, attempts: int = 4
    ) -> None:
        self.ledger = BookedInMemory(limit)
        self.a, self.b = Played("a", first), Played("b", second)
        route = Route(
            "r",
            (Deployment("a", self.a), Deployment("b", self.b, priority=1)),
            "priority",
            hedge_after_seconds=0.02,
            retry=RetryRules(attempts=attempts, first_seconds=0.01),
        )
        self.router = Router([route], ledger=self.ledger, seed=1)
        self.model = self.router.model("r")

    @property
    def booked(self) -> list[tuple[str, int | None, bool]]:
        assert self.ledger.open == []
        assert self.ledger.repeated == []
        assert [state.in_flight for state in self.router.states()] == [0, 0]
        return [(s.outcome, s.cost_nano_usd, s.estimated) for _, s in self.ledger.booked]


ANSWERED = ("answered", COST, False)
CANCELLED = ("cancelled", BOUND, True)


async def test_a_quick_answer_needs_no_second_request() -> None:
    stage = Stage("quick", "never")
    reply = await stage.model.complete(request())
    assert (reply.text, reply.attempts, stage.b.requests) == ("quick", 1, [])
    assert stage.booked == [ANSWERED]


async def test_the_quicker_one_wins_and_the_other_is_booked_as_cancelled() -> None:
    stage = Stage(dawdling(30.0), dawdling(0.01, "second"))
    reply = await stage.model.complete(request())
    assert (reply.text, reply.attempts) == ("second", 2)
    assert stage.booked == [CANCELLED, ANSWERED]
    stage = Stage(dawdling(0.05, "first"), dawdling(30.0))
    reply = await stage.model.complete(request())
    assert (reply.text, reply.attempts) == ("first", 2)
    assert stage.booked == [ANSWERED, CANCELLED]


async def test_both_are_reserved_while_both_are_out() -> None:
    stage = Stage(dawdling(30.0), dawdling(30.0))
    call = asyncio.ensure_future(stage.model.complete(request()))
    await stage.b.asked.wait()
    assert stage.ledger.reserved == 2 * BOUND
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert stage.booked == [CANCELLED, CANCELLED]


async def test_without_budget_for_a_second_the_first_goes_on() -> None:
    stage = Stage(dawdling(0.05, "first"), "second", limit=BOUND)
    assert (await stage.model.complete(request())).text == "first"
    assert stage.b.requests == []
    assert stage.booked == [ANSWERED]


async def test_a_failure_of_one_is_made_up_by_the_other() -> None:
    async def down(_: object) -> str:
        await asyncio.sleep(0.03)
        raise unavailable()

    stage = Stage(down, dawdling(0.04, "second"))
    assert (await stage.model.complete(request())).text == "second"
    assert stage.booked == [("cut", BOUND, True), ANSWERED]
    stage = Stage(dawdling(0.06, "first"), unavailable())
    assert (await stage.model.complete(request())).text == "first"


async def test_a_failure_before_the_second_is_due_is_answered_as_ever() -> None:
    stage = Stage(unavailable(), "second")
    assert (await stage.model.complete(request())).text == "second"
    assert stage.booked == [("cut", BOUND, True), ANSWERED]
    stage = Stage(LlmRequestError("no"), "second")
    with pytest.raises(LlmRequestError):
        await stage.model.complete(request())
    assert stage.b.requests == []


async def test_when_both_fail_the_call_goes_on_up_to_its_attempts() -> None:
    async def down(_: object) -> str:
        await asyncio.sleep(0.03)
        raise unavailable()

    stage = Stage(down, down, attempts=3)
    with pytest.raises(LlmUnavailableError) as caught:
        await stage.model.complete(request())
    assert caught.value.attempts == 3
    assert [outcome for outcome, _, _ in stage.booked] == ["cut"] * 3


async def test_cancelling_the_call_cancels_and_books_both() -> None:
    stage = Stage(dawdling(30.0), dawdling(30.0))
    call = asyncio.ensure_future(stage.model.complete(request()))
    await stage.b.asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert stage.booked == [CANCELLED, CANCELLED]
