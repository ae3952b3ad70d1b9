"""Embedding routes: one model at several addresses, in the order of priority."""

import pytest

from soullink.gateways.llm.port import (
    Attribution,
    EmbeddingRequest,
    LlmAuthError,
    LlmRequestError,
    LlmUnavailableError,
)
from soullink.gateways.llm.routing.port import EmbeddingDeployment, EmbeddingRoute
from soullink.gateways.llm.routing.router import Router
from tests.gateways.llm.routing.support import (
    COST,
    BookedInMemory,
    Played,
    VirtualTime,
    unavailable,
)

pytestmark = pytest.mark.anyio
ASKED = EmbeddingRequest(("a", "bc"), 7, 30.0, "test", Attribution(tenant="t"))


def stage(*models: Played) -> tuple[Router, BookedInMemory]:
    ledger, time = BookedInMemory(), VirtualTime()
    deployments = tuple(
        EmbeddingDeployment(model.name, model, priority=place) for place, model in enumerate(models)
    )
    router = Router(
        (),
        embeddings=[EmbeddingRoute("e", deployments)],
        ledger=ledger,
        monotonic=time,
        sleep=time.sleep,
        seed=1,
    )
    return router, ledger


async def test_texts_are_embedded_and_booked() -> None:
    model = Played("a")
    router, ledger = stage(model)
    reply = await router.embedder("e").embed(ASKED)
    assert reply.vectors == ((1.0, 1.0), (2.0, 1.0))
    assert (reply.attempts, reply.cost_nano_usd) == (1, COST)
    [sent] = model.requests
    [intent] = ledger.intents.values()
    assert (sent.request_id, intent.attribution.tenant) == (intent.attempt_id, "t")
    assert (sent.purpose, sent.timeout_seconds) == ("test", 30.0)
    assert [(s.outcome, s.cost_nano_usd) for _, s in ledger.booked] == [("answered", COST)]
    assert router.embedder("e").bound_nano_usd(ASKED) == 5000


async def test_the_next_address_is_asked_and_then_the_same_again() -> None:
    first, second = Played("a", LlmAuthError("key")), Played("b", unavailable(), "well")
    router, ledger = stage(first, second)
    reply = await router.embedder("e").embed(ASKED)
    assert reply.attempts == 3
    assert (len(first.requests), len(second.requests)) == (1, 2)
    assert [s.outcome for _, s in ledger.booked] == ["failed", "cut", "answered"]
    assert [state.circuit for state in router.states()] == ["open", "closed"]


async def test_what_cannot_be_embedded_is_said_with_the_attempts() -> None:
    router, ledger = stage(Played("a", unavailable()))
    with pytest.raises(LlmUnavailableError) as caught:
        await router.embedder("e").embed(ASKED)
    assert caught.value.attempts == 4
    router, ledger = stage(Played("a", LlmRequestError("no")), other := Played("b"))
    with pytest.raises(LlmRequestError):
        await router.embedder("e").embed(ASKED)
    assert other.requests == []
    assert ledger.open == []
    await router.close()
    assert other.closed == 1
