"""Contexts: within the budget whatever there is to say, alike from call to call, persona kept."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from soullink.modules.prompts.api import (
    Context,
    ContextBudget,
    ContextMessage,
    ContextParts,
    ContextTooSmallError,
    Entry,
    Memory,
)
from soullink.modules.prompts.domain.context import assemble, common_prefix
from soullink.modules.prompts.domain.growing import Growing

PERSONA = "You are Ada. You like maps."
BUDGET = ContextBudget(tokens=600, tail=80, memory=40, summary=100, block=4)


def by_four(text: str) -> int:
    return math.ceil(len(text) / 4)


def by_word(text: str) -> int:
    return len(text.split())


COUNTERS = (by_four, by_word, len)


def tail_of(memories: Sequence[str]) -> str:
    return "\n".join([*(f"> {memory}" for memory in memories), "Now: ask."])


def line(number: int, own: bool, words: str = "something about trains and bread") -> Entry:
    who = "you" if own else "Ben"
    return Entry(
        "assistant" if own else "user",
        f"{number} {words}" if own else f"> Ben: {number} {words}",
        who=who,
        did="asks",
        facts=(f"fact {number}",),
    )


def scene(number: int) -> Entry:
    return Entry("user", f"Scene {number}\n> a platform", heading=True, did=f"Scene {number}")


def course(turns: int, per_scene: int = 10) -> list[Entry]:
    entries: list[Entry] = []
    for turn in range(turns):
        if turn % per_scene == 0:
            entries.append(scene(turn // per_scene + 1))
        entries.append(line(turn, own=turn % 2 == 1))
    return entries


def parts(history: Sequence[Entry], memories: Sequence[Memory] = ()) -> ContextParts:
    return ContextParts(PERSONA, history, memories, tail_of, "Earlier:", "(Ben says nothing.)")


def made(turns: int, budget: ContextBudget = BUDGET) -> Context:
    return assemble(parts(course(turns)), budget, by_four)


entries = st.lists(
    st.one_of(
        st.builds(
            Entry,
            st.sampled_from(["user", "assistant"]),
            st.text(max_size=120),
            who=st.sampled_from(["you", "Ben"]),
            did=st.text(max_size=12),
            facts=st.lists(st.text(max_size=20), max_size=2).map(tuple),
        ),
        st.builds(
            Entry,
            st.just("user"),
            st.text(max_size=60),
            heading=st.just(True),
            did=st.text(max_size=20),
        ),
    ),
    max_size=60,
)
memories = st.lists(
    st.builds(
        Memory,
        st.text(max_size=60),
        st.floats(0, 1),
        st.one_of(st.none(), st.integers(0, 70)),
    ),
    max_size=8,
)
budgets = st.builds(
    ContextBudget,
    tokens=st.integers(60, 1500),
    tail=st.integers(0, 200),
    memory=st.integers(0, 100),
    summary=st.integers(0, 200),
    low=st.floats(0.1, 0.9),
    block=st.integers(1, 9),
    message=st.integers(0, 8),
)


@settings(max_examples=300)
@given(entries, memories, budgets, st.sampled_from(COUNTERS))
def test_a_context_never_exceeds_its_budget_and_keeps_the_persona(
    history: list[Entry],
    recalled: list[Memory],
    budget: ContextBudget,
    count: Callable[[str], int],
) -> None:
    given_parts = parts(history, recalled)
    try:
        context = assemble(given_parts, budget, count)
    except ContextTooSmallError:
        # Then not even the persona, the scene and the task have room.
        scenes = [count(entry.text) for entry in history if entry.heading]
        least = count(PERSONA) + count(tail_of(())) + sum(scenes)
        pause = count("(Ben says nothing.)")
        assert least + pause + 8 * len(scenes) + 4 * budget.message + 16 > budget.tokens
        return
    messages = context.messages
    assert context.total <= budget.tokens
    assert context.total == sum(count(m.content) + budget.message for m in messages)
    assert messages[0] == ContextMessage("system", PERSONA)
    assert [m.role for m in messages[1:]] == [
        "user" if place % 2 == 0 else "assistant" for place in range(len(messages) - 1)
    ]
    assert messages[-1].content.endswith("Now: ask.")
    assert 0 < context.stable <= context.total
    lines = sum(not entry.heading for entry in history)
    assert context.kept + context.condensed + context.dropped == lines
    assert context.told + context.untold == len(recalled)
    assert assemble(given_parts, budget, count) == context


@settings(max_examples=200)
@given(entries, memories, budgets, st.sampled_from(COUNTERS))
def test_a_conversation_that_grows_is_told_as_one_that_is_told_for_the_first_time(
    history: list[Entry],
    recalled: list[Memory],
    budget: ContextBudget,
    count: Callable[[str], int],
) -> None:
    def outcome(make: Callable[[], Context]) -> Context | str:
        try:
            return make()
        except ContextTooSmallError as error:
            return str(error)

    empty = parts([])
    growing = Growing(empty.earlier, empty.pause, empty.marks, budget, count)
    for number in range(len(history) + 1):
        if number:
            growing.add(history[number - 1])
        anew = parts(history[:number], recalled)
        assert outcome(lambda: growing.assemble(PERSONA, recalled, tail_of)) == outcome(
            lambda now=anew: assemble(now, budget, count)  # type: ignore[misc]
        )


def test_facts_are_asked_for_only_once_a_turn_is_condensed() -> None:
    asked: list[int] = []

    def lazy(number: int) -> Entry:
        def facts() -> tuple[str, ...]:
            asked.append(number)
            return (f"fact {number}",)

        return structs.replace(line(number, own=False), facts=facts)

    history = [lazy(number) for number in range(40)]
    assemble(parts(history[:3]), BUDGET, by_four)
    assert asked == []
    eager = [line(number, own=False) for number in range(40)]
    lazily = assemble(parts(history), BUDGET, by_four)
    assert lazily == assemble(parts(eager), BUDGET, by_four)
    assert 0 < len(set(asked)) == lazily.condensed + lazily.dropped < 40


def test_a_budget_too_small_for_the_persona_is_told_with_the_number_that_would_do() -> None:
    with pytest.raises(ContextTooSmallError, match=r"give at least \d+") as error:
        assemble(parts(course(3)), replace(BUDGET, tokens=20), by_four)
    needed = int(str(error.value).rsplit(" ", 1)[1].rstrip("."))
    context = assemble(parts(course(3)), replace(BUDGET, tokens=needed), by_four)
    assert (context.total, context.kept) == (needed, 0)


def test_what_never_changes_stands_first_and_what_is_new_last() -> None:
    context = assemble(parts(course(3), [Memory("He waited.", 1.0)]), BUDGET, by_four)
    roles = [message.role for message in context.messages]
    assert roles == ["system", "user", "assistant", "user"]
    first, last = context.messages[1].content, context.messages[-1].content
    assert first.startswith("Scene 1\n> a platform\n> Ben: 0 ")
    assert last.startswith("> Ben: 2 ")
    assert last.endswith("\n\n> He waited.\nNow: ask.")
    assert (context.kept, context.condensed, context.dropped) == (3, 0, 0)
    assert context.blocks["persona"] == by_four(PERSONA)
    assert context.blocks["scenario"] == by_four("Scene 1\n> a platform")
    assert context.blocks["memory"] == by_four("He waited.")


def test_who_speaks_twice_in_a_row_is_answered_by_a_pause() -> None:
    history = [scene(1), line(1, own=True), line(2, own=True)]
    messages = assemble(parts(history), BUDGET, by_four).messages
    assert [m.role for m in messages] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert messages[3].content == "(Ben says nothing.)"
    assert messages[5].content.startswith("(Ben says nothing.)\n\n")


def test_the_history_only_grows_between_compressions_which_are_far_apart() -> None:
    contexts = [made(turns) for turns in range(1, 200)]
    compressed = 0
    for before, after in pairwise(contexts):
        if after.condensed + after.dropped != before.condensed + before.dropped:
            compressed += 1
            continue
        same = common_prefix(before.messages, after.messages, by_four, BUDGET.message)
        # Of the last message the text is the same, its structure not yet; a joint is a token.
        assert same >= before.stable - BUDGET.message - 1
    assert 3 <= compressed <= len(contexts) / 12


def test_what_is_condensed_tells_who_did_what_and_which_scene_holds() -> None:
    context = made(60)
    assert context.condensed > 0
    told = context.messages[1].content
    assert told.startswith("Earlier:\n> Scene ")
    assert (
        "> Scene 4: Ben asks (fact 30), asks (fact 32); you asks (fact 31), asks (fact 33)" in told
    )
    shown = [m.content for m in context.messages[1:]]
    # The scene in force where the word-for-word part begins is said, once.
    first = next(word for word in "\n".join(shown).splitlines() if word.startswith("> Ben: "))
    number = int(first.split()[2]) // 10 + 1
    assert "\n".join(shown).count(f"Scene {number}\n> a platform") == 1
    assert context.dropped > 0
    assert context.kept + context.condensed + context.dropped == 60


def test_a_memory_is_told_only_once_its_turn_is_out_of_sight_and_the_dearest_first() -> None:
    history = course(60)
    sight = len(history) - 1
    recalled = [
        Memory("out of sight", 0.2, 1),
        Memory("in sight", 0.9, sight),
        Memory("of nowhere", 0.5),
    ]
    context = assemble(parts(history, recalled), BUDGET, by_four)
    last = context.messages[-1].content
    assert last.index("> of nowhere") < last.index("> out of sight")
    assert "in sight" not in last.replace("out of sight", "")
    assert (context.told, context.untold) == (2, 1)
    narrow = assemble(parts(history, recalled), replace(BUDGET, memory=4), by_four)
    assert narrow.told == 1
    assert "> of nowhere" in narrow.messages[-1].content


def test_a_tail_larger_than_its_reserve_costs_history_and_no_more_than_this_call() -> None:
    history = course(20)
    usual = made(20)
    long = replace(parts(history), tail=lambda _: "word " * 300)
    squeezed = assemble(long, BUDGET, by_four)
    assert squeezed.total <= BUDGET.tokens
    assert squeezed.kept < usual.kept
    assert made(20) == usual


def test_prefixes_are_counted_with_the_structure_of_messages() -> None:
    one = [ContextMessage("system", "abcd"), ContextMessage("user", "efgh ijkl")]
    other = [ContextMessage("system", "abcd"), ContextMessage("user", "efgh mnop")]
    assert common_prefix(one, one, by_four) == by_four("abcd") + by_four("efgh ijkl") + 8
    assert common_prefix(one, other, by_four) == by_four("abcd") + 4 + by_four("efgh ")
    swapped = [ContextMessage("user", "abcd")]
    assert common_prefix(one, swapped, by_four) == 0
