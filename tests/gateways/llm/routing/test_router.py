"""Where attempts go: choices, waits, retries and fallbacks."""

import asyncio
from collections import Counter

import pytest

from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.llm.port import (
    ChatReply,
    LlmBudgetError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    Message,
    Usage,
)
from soullink.gateways.llm.routing.port import CircuitRules, Deployment, RetryRules, Route
from soullink.gateways.llm.routing.reactions import REACTIONS
from soullink.gateways.llm.routing.router import Router
from soullink.kernel.errors import InvalidInputError, UnavailableError
from tests.gateways.llm.routing.support import (
    COST,
    BookedInMemory,
    Played,
    VirtualTime,
    dawdling,
    request,
    unavailable,
)

pytestmark = pytest.mark.anyio


def router_of(*routes: Route, time: VirtualTime | None = None, limit: int | None = None) -> Router:
    ledger = BookedInMemory(limit)
    if time is None:
        return Router(routes, ledger=ledger, seed=1)
    return Router(routes, ledger=ledger, monotonic=time, sleep=time.sleep, seed=1)


async def test_a_call_is_sent_with_its_own_id_and_the_time_that_is_left() -> None:
    time = VirtualTime()
    model = Played("a", unavailable(), "well")
    ledger = BookedInMemory()
    router = Router(
        [Route("r", (Deployment("a", model),))],
        ledger=ledger,
        monotonic=time,
        sleep=time.sleep,
        seed=1,
    )
    asked = request(purpose="test", seed=3, stop=("x",), top_p=0.5, temperature=0.1)
    reply = await router.model("r").complete(asked)
    first, second = model.requests
    assert (reply.text, reply.attempts) == ("well", 2)
    assert reply.latency_seconds == pytest.approx(sum(time.slept))
    assert first.timeout_seconds == 30.0
    assert second.timeout_seconds == pytest.approx(30.0 - sum(time.slept))
    assert [one.request_id for one in model.requests] == list(ledger.intents)
    assert {intent.call_id for intent in ledger.intents.values()} == {first.request_id}
    assert (second.messages, second.purpose, second.seed) == (asked.messages, "test", 3)
    assert (second.stop, second.top_p, second.temperature) == (("x",), 0.5, 0.1)


async def test_pauses_back_off_and_end_with_the_attempts() -> None:
    time = VirtualTime()
    model = Played("a", unavailable())
    rules = RetryRules(attempts=4, first_seconds=1.0, longest_seconds=8.0)
    router = router_of(
        Route("r", (Deployment("a", model),), retry=rules, circuit=CircuitRules(failures=9)),
        time=time,
    )
    with pytest.raises(LlmUnavailableError) as caught:
        await router.model("r").complete(request())
    assert caught.value.attempts == len(model.requests) == 4
    assert len(time.slept) == 3
    assert all(0 <= s <= c for s, c in zip(time.slept, (1.0, 2.0, 4.0), strict=True))


async def test_a_pause_that_would_outlast_the_call_is_not_begun() -> None:
    time = VirtualTime()
    model = Played("a", unavailable(retry_after_seconds=40.0))
    router = router_of(Route("r", (Deployment("a", model),)), time=time)
    with pytest.raises(LlmUnavailableError) as caught:
        await router.model("r").complete(request())
    assert (caught.value.attempts, time.slept) == (1, [])


async def test_everybody_is_asked_once_before_anybody_is_asked_twice() -> None:
    time = VirtualTime()
    models = [Played(name, unavailable()) for name in "abc"]
    deployments = tuple(Deployment(m.name, m) for m in models)
    route = Route("r", deployments, retry=RetryRules(attempts=5))
    with pytest.raises(LlmUnavailableError):
        await router_of(route, time=time).model("r").complete(request())
    assert sorted(len(model.requests) for model in models) == [1, 2, 2]


async def test_routes_fall_back_one_after_another_and_then_start_over() -> None:
    time = VirtualTime()
    a, b, c = (Played(name, unavailable()) for name in "abc")
    b.answers = [LlmRateLimitedError("slow")]
    router = router_of(
        Route("a", (Deployment("a", a),), fallbacks={"any": ("b",)}, retry=RetryRules(attempts=4)),
        Route("b", (Deployment("b", b),), fallbacks={"llm_rate_limited": ("a", "c")}),
        Route("c", (Deployment("c", c),)),
        time=time,
    )
    with pytest.raises(LlmUnavailableError):
        await router.model("a").complete(request())
    assert [len(model.requests) for model in (a, b, c)] == [2, 1, 1]


@pytest.mark.parametrize("error", [LlmRequestError("no"), LlmBudgetError("no")])
async def test_what_is_wrong_everywhere_is_raised_at_once(error: Exception) -> None:
    a, b = Played("a", error), Played("b")
    router = router_of(
        Route(
            "r", (Deployment("a", a), Deployment("b", b, priority=1)), "priority", {"any": ("s",)}
        ),
        Route("s", (Deployment("s", b2 := Played("s")),)),
    )
    with pytest.raises(type(error)):
        await router.model("r").complete(request())
    assert (b.requests, b2.requests) == ([], [])
    assert router.states()[0].circuit == "closed"


async def test_a_budget_that_runs_out_between_attempts_ends_the_call() -> None:
    a, b = Played("a", unavailable(), bound=900), Played("b", bound=900)
    ledger = BookedInMemory(1500)
    router = Router(
        [Route("r", (Deployment("a", a), Deployment("b", b, priority=1)), "priority")],
        ledger=ledger,
    )
    with pytest.raises(LlmBudgetError) as caught:
        await router.model("r").complete(request())
    assert caught.value.attempts == 1
    assert b.requests == []
    assert (ledger.spent, ledger.open) == (900, [])
    assert [state.in_flight for state in router.states()] == [0, 0]


async def test_a_ledger_that_cannot_record_stops_the_call() -> None:
    ledger = BookedInMemory()
    model = Played("a")
    router = Router([Route("r", (Deployment("a", model),))], ledger=ledger)

    async def broken() -> None:
        raise UnavailableError("The database is away.")

    ledger.before_reserve = broken
    with pytest.raises(UnavailableError):
        await router.model("r").complete(request())
    assert model.requests == []
    assert router.states()[0].in_flight == 0


async def test_a_ledger_that_takes_all_the_time_leaves_nothing_to_send() -> None:
    time, ledger, model = VirtualTime(), BookedInMemory(), Played("a")
    router = Router(
        [Route("r", (Deployment("a", model),))], ledger=ledger, monotonic=time, sleep=time.sleep
    )

    async def slow() -> None:
        time.now += 31.0

    ledger.before_reserve = slow
    with pytest.raises(LlmTimeoutError) as caught:
        await router.model("r").complete(request())
    assert (caught.value.may_be_billed, caught.value.attempts) == (False, 0)
    assert model.requests == []
    assert [s.outcome for _, s in ledger.booked] == ["unsent"]


async def test_calls_wait_for_the_first_place_in_the_order_of_their_coming() -> None:
    model = Played("a", dawdling(0.01))
    router = router_of(Route("r", (Deployment("a", model, max_in_flight=2),)))
    ended: list[int] = []

    async def call(number: int) -> None:
        await router.model("r").complete(request(str(number)))
        ended.append(number)

    await asyncio.gather(*(call(number) for number in range(10)))
    assert model.most == 2
    assert ended == list(range(10))
    assert [one.messages[1].content for one in model.requests] == [str(n) for n in range(10)]


async def test_a_call_that_no_place_becomes_free_for_hears_so_in_time() -> None:
    model = Played("a", dawdling(5.0))
    router = router_of(Route("r", (Deployment("a", model, max_in_flight=1),)))
    first = asyncio.ensure_future(router.model("r").complete(request()))
    await asyncio.sleep(0)
    with pytest.raises(LlmTimeoutError, match="max_in_flight") as caught:
        await router.model("r").complete(request(timeout_seconds=0.05))
    assert caught.value.may_be_billed is False
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert len(model.requests) == 1
    assert router.states()[0].in_flight == 0


async def test_who_leaves_the_queue_passes_its_place_on() -> None:
    model = Played("a", dawdling(0.02))
    router = router_of(Route("r", (Deployment("a", model, max_in_flight=1),)))
    calls = [asyncio.ensure_future(router.model("r").complete(request())) for _ in range(4)]
    await asyncio.sleep(0.001)
    calls[1].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert [isinstance(result, ChatReply) for result in results] == [True, False, True, True]
    assert router.states()[0].in_flight == 0


async def test_a_place_is_not_lost_when_all_are_told_to_look_again() -> None:
    first, second = Played("a", dawdling(0.01)), Played("b", dawdling(0.01))

    async def fail(_: object) -> str:
        await asyncio.sleep(0.01)
        raise LlmRequestError("no")

    first.answers = [fail, "well"]
    router = router_of(
        Route(
            "r",
            (Deployment("a", first, max_in_flight=1), Deployment("b", second, max_in_flight=1)),
        )
    )
    asked = request(timeout_seconds=5.0)
    calls = [asyncio.ensure_future(router.model("r").complete(asked)) for _ in range(6)]
    ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 1.0)
    assert [type(one) for one in ended].count(LlmRequestError) == 1
    assert [type(one) for one in ended].count(ChatReply) == 5


async def test_when_one_rests_the_others_places_are_waited_for() -> None:
    busy, down = Played("busy", dawdling(0.03)), Played("down", unavailable())
    router = router_of(
        Route(
            "r",
            (Deployment("busy", busy, max_in_flight=1), Deployment("down", down, priority=1)),
            "priority",
            retry=RetryRules(first_seconds=20.0, longest_seconds=20.0),
        )
    )
    first = asyncio.ensure_future(router.model("r").complete(request()))
    await asyncio.sleep(0.001)
    second = await router.model("r").complete(request())
    assert (second.text, second.attempts) == ("at last", 2)
    await first


async def test_a_deployment_keeps_its_own_requests_a_minute() -> None:
    time = VirtualTime()
    limited, other = Played("a"), Played("b")
    limit = RateLimit(requests_per_minute=60)
    router = router_of(
        Route(
            "r",
            (Deployment("a", limited, limit=limit), Deployment("b", other, priority=1)),
            "priority",
        ),
        Route("alone", (Deployment("a", limited, limit=limit),)),
        time=time,
    )
    for _ in range(30):
        await router.model("r").complete(request())
    assert (len(limited.requests), len(other.requests)) == (10, 20)
    started = time.now
    for _ in range(30):
        await router.model("alone").complete(request())
    assert time.now - started == pytest.approx(30.0, abs=1.1)


async def test_a_deployment_keeps_its_own_tokens_a_minute_and_gives_unused_ones_back() -> None:
    time = VirtualTime()
    model = Played("a")  # counts 120 tokens a call
    limit = RateLimit(tokens_per_minute=12_000)
    router = router_of(Route("r", (Deployment("a", model, limit=limit),)), time=time)
    started = time.now
    for _ in range(200):
        await router.model("r").complete(request(max_output_tokens=1000))
    assert (200 * 120 - 2000) / 200 <= time.now - started <= 200 * 120 / 200 + 10


async def test_a_rate_that_allows_nothing_in_time_is_said_at_once() -> None:
    time = VirtualTime()
    limit = RateLimit(requests_per_minute=1)
    router = router_of(Route("r", (Deployment("a", Played("a"), limit=limit),)), time=time)
    await router.model("r").complete(request())
    with pytest.raises(LlmRateLimitedError) as caught:
        await router.model("r").complete(request())
    assert caught.value.retry_after_seconds == pytest.approx(60.0)
    assert time.slept == []


async def test_what_is_too_long_goes_where_there_is_room() -> None:
    small, large, spare = Played("small"), Played("large"), Played("spare")
    router = router_of(
        Route(
            "r",
            (
                Deployment("small", small, context_tokens=1000),
                Deployment("large", large, priority=1, context_tokens=5000),
            ),
            "priority",
            {"llm_context_too_long": ("s",)},
        ),
        Route("s", (Deployment("spare", spare, context_tokens=100_000),)),
    )
    model = router.model("r")
    assert (await model.complete(request("short"))).text == "This is small."
    assert (await model.complete(request("word " * 2000))).text == "This is large."
    assert (await model.complete(request("word " * 20_000))).text == "This is spare."
    with pytest.raises(LlmContextTooLongError, match="100000 tokens at most") as caught:
        await model.complete(request("word " * 200_000))
    assert (caught.value.attempts, caught.value.may_be_billed) == (0, False)


async def test_answers_that_cannot_be_read_are_asked_for_once_more_only() -> None:
    time = VirtualTime()
    a, b, c = (Played(name, LlmOutputError("?")) for name in "abc")
    route = Route("r", (Deployment("a", a), Deployment("b", b), Deployment("c", c)))
    with pytest.raises(LlmOutputError) as caught:
        await router_of(route, time=time).model("r").complete(request())
    assert caught.value.attempts == 2
    assert time.slept == []


async def test_cheaper_is_chosen_by_what_calls_really_cost() -> None:
    # a's list price is lower; but it talks so much that b costs less in the end.
    a, b = Played("a", bound=1000, cost=900), Played("b", bound=1500, cost=150)
    router = router_of(Route("r", (Deployment("a", a), Deployment("b", b)), "cost"))
    for _ in range(20):
        await router.model("r").complete(request())
    assert len(a.requests) <= 2
    unknown = Played("c", bound=None, cost=None)
    router = router_of(Route("r", (Deployment("c", unknown), Deployment("b", b)), "cost"))
    await router.model("r").complete(request())
    assert unknown.requests == []


async def test_a_warm_cache_counts_in_the_expected_cost() -> None:
    class Caching(Played):
        """Reads a beginning that it knows at a tenth of the price."""

        def _reply(self, text: str) -> ChatReply:
            beginnings = [one.messages[0].content for one in self.requests]
            warm = beginnings.count(beginnings[-1]) > 1
            cost = 100 if warm else 1000
            return ChatReply(text, self.name, "played", "stop", Usage(100, 20), cost, 0.0, 1)

    a, b = Caching("a", bound=2000), Caching("b", bound=2000)
    router = router_of(Route("r", (Deployment("a", a), Deployment("b", b)), "cost"))
    for turn in range(8):
        for person in "xyz":
            rules = f"You are {person}. " * 400
            await router.model("r").complete(request(str(turn), messages=_said(rules, turn)))
    homes: Counter[str] = Counter()
    for model in (a, b):
        for beginning, count in Counter(o.messages[0].content for o in model.requests).items():
            homes[beginning] = max(homes[beginning], count)
    assert len(homes) == 3
    assert all(count >= 7 for count in homes.values())


def _said(rules: str, turn: int) -> tuple[Message, ...]:
    return (Message("system", rules), Message("user", f"turn {turn}"))


async def test_prompts_with_one_beginning_stay_together() -> None:
    models = {name: Played(name) for name in "abcd"}
    deployments = tuple(Deployment(name, model) for name, model in models.items())
    router = router_of(Route("r", deployments, affinity=True))
    for turn in range(5):
        for person in range(20):
            rules = f"You are person {person}. " * 300
            await router.model("r").complete(request("", messages=_said(rules, turn)))
    for model in models.values():
        counts = Counter(one.messages[0].content for one in model.requests)
        assert set(counts.values()) <= {5}
    assert sum(bool(model.requests) for model in models.values()) >= 3


async def test_new_deployments_are_tried_and_slow_ones_left() -> None:
    time = VirtualTime()
    slow = Played("slow", dawdling(0.03, time=time))
    quick = Played("quick", dawdling(0.001, time=time))
    router = router_of(
        Route("r", (Deployment("slow", slow), Deployment("quick", quick)), "latency"), time=time
    )
    for _ in range(12):
        await router.model("r").complete(request())
    assert (len(slow.requests), len(quick.requests)) == (1, 11)
    states = {state.id: state for state in router.states()}
    assert (states["slow"].latency_seconds or 0) > 5 * (states["quick"].latency_seconds or 1)


async def test_states_count_and_closing_closes_every_model() -> None:
    a, b = Played("a", unavailable(), "well"), Played("b")
    deployment = Deployment("a", a)
    time = VirtualTime()
    router = router_of(
        Route("r", (deployment,)), Route("s", (deployment, Deployment("b", b))), time=time
    )
    await router.model("r").complete(request())
    first, second = router.states()
    assert (first.id, first.model, first.requests, first.errors) == ("a", "played:a", 2, 1)
    assert (first.failures, first.in_flight, second.requests) == (0, 0, 0)
    assert second.latency_seconds is None
    await router.close()
    await router.close()
    assert (a.closed, b.closed) == (2, 2)


async def test_a_route_is_bound_by_its_dearest_deployment() -> None:
    a, b, c = Played("a", bound=5), Played("b", bound=9), Played("c", bound=None)
    router = router_of(
        Route("r", (Deployment("a", a), Deployment("b", b))),
        Route("s", (Deployment("a", a), Deployment("c", c))),
    )
    assert router.model("r").name == "r"
    assert router.model("r").bound_nano_usd(request()) == 9
    assert router.model("s").bound_nano_usd(request()) is None


async def test_routes_that_cannot_work_are_refused() -> None:
    one = Deployment("a", Played("a"))
    with pytest.raises(InvalidInputError, match="no deployments"):
        router_of(Route("r", ()))
    with pytest.raises(InvalidInputError, match="its own id"):
        router_of(Route("r", (one, Deployment("a", Played("b")))))
    with pytest.raises(InvalidInputError, match="no route"):
        router_of(Route("r", (one,), fallbacks={"any": ("x",)}))
    with pytest.raises(LlmRequestError, match="'x'"):
        router_of(Route("r", (one,))).model("x")
    with pytest.raises(LlmRequestError, match="'x'"):
        router_of(Route("r", (one,))).embedder("x")


async def test_every_error_that_goes_elsewhere_has_a_reaction_and_no_other() -> None:
    codes = {kind.code for kind in _kinds() if kind.elsewhere}
    assert set(REACTIONS) == codes


def _kinds() -> list[type[LlmError]]:
    found: list[type[LlmError]] = []
    todo: list[type[LlmError]] = [LlmError]
    while todo:
        kind = todo.pop()
        found.append(kind)
        todo += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == LlmError.__module__]


async def test_a_price_that_vanishes_with_the_answer_is_booked_as_the_bound() -> None:
    ledger = BookedInMemory()
    model = Played("a", cost=None)
    router = Router([Route("r", (Deployment("a", model),))], ledger=ledger)
    await router.model("r").complete(request())
    [(_, settlement)] = ledger.booked
    assert (settlement.cost_nano_usd, settlement.estimated) == (5000, True)
    assert COST != 5000
