"""Where prompts with the same beginning go."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.llm.port import ChatRequest, Message
from soullink.gateways.llm.routing.affinity import LOAD_FACTOR, hash_text, prefer, prefix_key


@dataclass(eq=False)
class Server:
    hash: int
    weight: int = 1
    in_flight: int = 0


def servers(count: int, *, weights: tuple[int, ...] | None = None) -> list[Server]:
    shares = weights or (1,) * count
    return [Server(hash_text(f"server {n}"), weight=shares[n]) for n in range(count)]


KEYS = [hash_text(f"persona {n}") for n in range(3000)]


def test_only_the_keys_of_a_server_that_leaves_move() -> None:
    all_five = servers(5)
    before = {key: prefer(key, all_five) for key in KEYS}
    for gone in all_five:
        rest = [server for server in all_five if server is not gone]
        for key in KEYS:
            if before[key] is gone:
                assert prefer(key, rest) is not gone
            else:
                assert prefer(key, rest) is before[key]


def test_keys_are_shared_by_weight() -> None:
    five = servers(5)
    counts = Counter(id(prefer(key, five)) for key in KEYS)
    assert all(0.85 < counts[id(server)] / (len(KEYS) / 5) < 1.15 for server in five)
    unequal = servers(3, weights=(1, 2, 3))
    counts = Counter(id(prefer(key, unequal)) for key in KEYS)
    for server in unequal:
        assert 0.85 < counts[id(server)] / (len(KEYS) * server.weight / 6) < 1.15


@given(st.lists(st.integers(0, 40), min_size=2, max_size=8), st.integers(0, 2**64 - 1))
def test_nobody_gets_more_than_its_bounded_share(loads: list[int], key: int) -> None:
    several = servers(len(loads))
    for server, load in zip(several, loads, strict=True):
        server.in_flight = load
    chosen = prefer(key, several)
    mean = (sum(loads) + 1) / len(loads)
    assert chosen.in_flight + 1 <= LOAD_FACTOR * mean + 1


def test_one_hot_key_spills_over_to_the_same_second_choice() -> None:
    four = servers(4)
    first = prefer(KEYS[0], four)
    first.in_flight = 3
    second = prefer(KEYS[0], four)
    assert second is not first
    assert prefer(KEYS[0], [s for s in four if s is not first]) is second
    first.in_flight = 0
    assert prefer(KEYS[0], four) is first


def request(*messages: tuple[str, str]) -> ChatRequest:
    return ChatRequest(tuple(Message(role, content) for role, content in messages))  # type: ignore[arg-type]


def test_a_conversation_keeps_its_key_while_it_grows() -> None:
    start = (("system", "You are Ada."), ("user", "Hello!"))
    grown = (*start, ("assistant", "Hello you."), ("user", "How was your day?"))
    assert prefix_key(request(*start)) == prefix_key(request(*grown))
    other = (("system", "You are Ada."), ("user", "Good evening."))
    assert prefix_key(request(*start)) != prefix_key(request(*other))


def test_a_long_system_message_alone_decides() -> None:
    rules = "You are Ada. " * 500
    assert prefix_key(request(("system", rules), ("user", "a"))) == prefix_key(
        request(("system", rules), ("user", "b"))
    )
    assert prefix_key(request(("system", rules), ("user", "a"))) != prefix_key(
        request(("system", rules.replace("Ada", "Bo")), ("user", "a"))
    )


def test_what_cannot_be_encoded_still_has_a_key() -> None:
    assert prefix_key(request(("user", "\ud800"))) == prefix_key(request(("user", "\ud800")))
