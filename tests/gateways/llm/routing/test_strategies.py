"""Who is chosen, whatever the loads are."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.gateways.llm.routing.strategies import (
    STRATEGIES,
    cost,
    latency,
    least_in_flight,
    priority,
    round_robin,
)


@dataclass(eq=False)
class Seen:
    """A deployment as strategies see it."""

    weight: int = 1
    priority: int = 0
    in_flight: int = 0
    turn: int = 0
    credit: int = 0
    seconds: float | None = None
    price: float = 1.0

    def peak_seconds(self, now: float) -> float | None:  # noqa: ARG002 - it does not fade here
        return self.seconds


def free(_: Seen) -> float:
    return 0.0


def price(one: Seen) -> float:
    return one.price


seen = st.builds(
    Seen,
    weight=st.integers(1, 9),
    priority=st.integers(0, 3),
    in_flight=st.integers(0, 20),
    turn=st.integers(0, 50),
    seconds=st.none() | st.floats(0.001, 60.0),
    price=st.floats(0.0, 1e9),
)
several = st.lists(seen, min_size=1, max_size=8)


@given(several, st.sampled_from(sorted(STRATEGIES)))
@settings(max_examples=200)
def test_somebody_of_the_candidates_is_chosen(candidates: list[Seen], name: str) -> None:
    assert STRATEGIES[name](candidates, 0.0, price) in candidates  # type: ignore[index,arg-type,operator]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 3))
def test_in_turns_everybody_gets_exactly_its_weight(weights: list[int], rounds: int) -> None:
    candidates = [Seen(weight=weight) for weight in weights]
    chosen = Counter(id(round_robin(candidates, 0.0, free)) for _ in range(rounds * sum(weights)))
    assert [chosen[id(one)] for one in candidates] == [rounds * weight for weight in weights]


def test_turns_are_spread_and_not_in_blocks() -> None:
    heavy, first, second = Seen(weight=5), Seen(), Seen()
    names = {id(heavy): "h", id(first): "1", id(second): "2"}
    turns = [names[id(round_robin([heavy, first, second], 0.0, free))] for _ in range(7)]
    assert "".join(turns) == "hh1h2hh"


@given(several)
def test_least_in_flight_is_never_busier_than_another(candidates: list[Seen]) -> None:
    best = least_in_flight(candidates, 0.0, free)
    assert best.in_flight == min(one.in_flight for one in candidates)
    assert best.turn == min(o.turn for o in candidates if o.in_flight == best.in_flight)


@given(several)
def test_priority_is_the_operators_order_then_the_load(candidates: list[Seen]) -> None:
    best = priority(candidates, 0.0, free)
    tier = [one for one in candidates if one.priority == min(o.priority for o in candidates)]
    assert best in tier
    assert best.in_flight == min(one.in_flight for one in tier)


@given(several)
def test_cost_is_never_dearer_than_another(candidates: list[Seen]) -> None:
    best = cost(candidates, 0.0, price)
    assert best.price == min(one.price for one in candidates)


@given(several)
def test_latency_tries_who_is_new_and_idle_and_else_the_least_load(candidates: list[Seen]) -> None:
    best = latency(candidates, 0.0, free)
    idle = [one for one in candidates if one.seconds is None and one.in_flight == 0]
    if idle:
        assert best in idle
        return
    known = [one for one in candidates if one.seconds is not None]
    if known:
        loads = [one.seconds * (one.in_flight + 1) for one in known if one.seconds is not None]
        assert best.seconds is not None
        assert best.seconds * (best.in_flight + 1) == pytest.approx(min(loads))


def test_latency_does_not_flood_who_is_new() -> None:
    new, known = Seen(in_flight=1), Seen(seconds=30.0, in_flight=9)
    assert latency([new, known], 0.0, free) is known
