# ruff: noqa: F403, F405, C901, PLR0912, PLR0915 - rows by the score; one nest of loops
"""Many courses from their beginning to their end, tile by tile, counted as they go.

Plain Python made into source by `source.py`. `live` is the kernel's entry; it holds one tile of
state, so memory depends neither on pairs nor on replicas nor on turns.
"""

from typing import Any, NamedTuple

import numpy as np

from soullink.modules.simulation.domain.fast.beginning import begin
from soullink.modules.simulation.domain.fast.between import (
    close_episode,
    open_episode,
    pass_time,
)
from soullink.modules.simulation.domain.fast.cells import Rows, Words
from soullink.modules.simulation.domain.fast.choice import choose, set_base
from soullink.modules.simulation.domain.fast.draws import (
    draw_act,
    draw_answer,
    draw_floor,
    key_lanes,
)
from soullink.modules.simulation.domain.fast.happenings import (
    affect,
    arm,
    fire,
    first_unmet,
    found,
    give_outcome,
    log_acts,
    narrow,
    unfired,
)  # fmt: skip
from soullink.modules.simulation.domain.fast.lanes import finish_turn, resolve, respond, take_floor
from soullink.modules.simulation.domain.fast.maths import (
    UNROLL,
    clip,
    double_of,
    long_of,
    real,
    rint,
    tile_of,
    total_of,
    whole,
)
from soullink.modules.simulation.domain.fast.recollections import gather, recall, remember
from soullink.modules.simulation.domain.fast.rows import *


class Plan(NamedTuple):
    """Scenarios and interventions as arrays; E episodes, A acts. Made by `plans.plan_of`.

    counters: (E, turns + 1, 7) hashed counters of `plans.DRAWN`.
    numbers: (E, 7) minutes of a turn, decides, deadline, fewest, most, span, 1 where memories may
    be younger than the episode's beginning. gaps: (E, 2) days before it. odds: (E, person * role
    * A). demands: (E, 6). choices: (E, parameters, choices, 6); sizes: (E, parameters).
    pressures: (E, 4). pull: (E, 11). slots: (E,) place of the topic; topics: how many;
    relevance: (E, topics) of memories.
    Triggers and outcomes: how many in each episode, effects (…, 6), conditions by variable.
    extra, misreading: (2,) of an intervention.
    """

    counters: Any
    numbers: Any
    gaps: Any
    odds: Any
    demands: Any
    choices: Any
    sizes: Any
    pressures: Any
    pull: Any
    slots: Any
    relevance: Any
    topics: int
    triggers: Any
    trigger_ends: Any
    trigger_effects: Any
    trigger_counts: Any
    trigger_which: Any
    trigger_low: Any
    trigger_high: Any
    outcomes: Any
    successes: Any
    outcome_effects: Any
    outcome_counts: Any
    outcome_which: Any
    outcome_low: Any
    outcome_high: Any
    extra: Any
    misreading: Any


class Sink(NamedTuple):
    """Where counts and sums go; first axis: pairs. See `statistics.Statistics`."""

    sums: Any
    squares: Any
    histograms: Any
    acts: Any
    counts: Any
    again: Any
    ended: Any
    ended_by: Any
    endings: Any
    outcomes: Any
    resolutions: Any


class Trace(NamedTuple):
    """Every turn of few courses; all empty where none is wanted.

    turns: (trajectories, E, turns, 2) speaker and act, -1 where none. states: (…, 2, columns).
    ends: (trajectories, E + 1, 2, columns) at the beginning and after each episode.
    """

    turns: Any
    states: Any
    ends: Any


def live(
    seed: Any, names: Words, pair: Words, replica: Words, size: int, means: Rows, sds: Rows,
    likeness: Rows, p: Rows, w_base: Rows, tables: Rows, plan: Plan, sink: Sink, trace: Trace,
) -> None:  # fmt: skip
    """Live `size` courses, lane i of them replica[i] of pair[i]; the arrays are whole tiles."""
    # Whole cache lines more than is needed, so that every row can begin with one.
    held = np.zeros((N_ROWS + 4) * L, real)  # type: ignore[call-overload]
    held_keys, held_log = np.zeros(5 * L, np.uint64), np.zeros((TURNS_MOST + 4) * L, np.uint8)
    held_sums = np.zeros((3 * N_NOTED + 2) * L, np.int64)
    held_counts = np.zeros(4 * N_LOGGED + L, np.int64)
    spent = np.zeros(TRIGGERS_MOST, np.uint8)  # 1 where a trigger has fired in all that go on
    x, k, log, s = tile_of(held), tile_of(held_keys), tile_of(held_log), tile_of(held_sums)
    tally = tile_of(held_counts)
    for n in range(len(tables)):
        x[TABLES * L + n] = tables[n]
    of = -1
    for first in range(0, len(pair), L):
        key_lanes(k, seed, replica, pair, names, first)
        begin(x, k, p, pair, means, sds, likeness, first, plan.topics)
        for lane in range(L):
            if first + lane >= size:
                x[ALIVE, lane] = 0.0
        note_ends(x, first, 0, trace)
        for e in range(len(plan.sizes)):
            number = e + 1
            slot, topics = plan.slots[e], plan.topics
            minutes, decides, deadline = plan.numbers[e, 0], plan.numbers[e, 1], plan.numbers[e, 2]
            fewest, most, span = plan.numbers[e, 3], plan.numbers[e, 4], plan.numbers[e, 5]
            exact = plan.numbers[e, 6] > 0.5
            if e > 0:
                pass_time(x, k, p, number, plan.gaps[e], plan.extra, topics)
            open_episode(
                x, k, number, decides, plan.demands[e], plan.choices[e], plan.sizes[e],
                plan.pressures[e], plan.pull[e], plan.misreading, slot,
            )  # fmt: skip
            set_base(x, w_base, plan.odds[e])
            gather(x, topics, slot, plan.relevance[e])
            turn = 0
            spent[:] = 0
            while found(x, LIVE):
                done = real(turn)
                turn += 1
                late = min(max((done - fewest) / span, 0.0), 1.0)
                start = 1.0 if turn == 1 else 0.0
                if exact:
                    gather(x, topics, slot, plan.relevance[e])
                # Draws and what else can wait for nothing stand where a processor has to wait.
                recall(x)
                draw_floor(x, k, plan.counters, e, turn)
                take_floor(x, decides)
                draw_act(x, k, plan.counters, e, turn)
                choose(x, start, late, done < fewest, done < 4.0, done > 1.0, decides)
                draw_answer(x, k, plan.counters, e, turn)
                respond(x, p)
                remember(x)
                log_acts(x, log, turn - 1)
                resolve(x, minutes, decides, deadline)
                bit = 1.0
                for n in range(plan.triggers[e]):
                    if spent[n] == 0 and may_fire(plan, e, n, turn):
                        unfired(x, bit)
                        if not found(x, HIT):
                            spent[n] = 1
                        for c in range(plan.trigger_counts[e, n]):
                            narrow(
                                x, plan.trigger_which[e, n, c], plan.trigger_low[e, n, c],
                                plan.trigger_high[e, n, c],
                            )  # fmt: skip
                        arm(x, bit)
                    bit = bit * 2.0
                bit = 1.0
                for n in range(plan.triggers[e] if found(x, FIRING) else 0):
                    fire(x, bit, plan.trigger_ends[e, n])
                    bit = bit * 2.0
                    if found(x, HIT):
                        effects = plan.trigger_effects
                        affect(
                            x, effects[e, n, 0], effects[e, n, 1], effects[e, n, 2],
                            effects[e, n, 3], effects[e, n, 4], effects[e, n, 5],
                        )  # fmt: skip
                if first < len(trace.turns):
                    note_turn(x, first, e, turn - 1, trace)
                finish_turn(x, most)
            for n in range(plan.outcomes[e]):
                first_unmet(x)
                for c in range(plan.outcome_counts[e, n]):
                    narrow(
                        x, plan.outcome_which[e, n, c], plan.outcome_low[e, n, c],
                        plan.outcome_high[e, n, c],
                    )  # fmt: skip
                if found(x, HIT):
                    give_outcome(x, real(n), plan.successes[e, n])
                    effects = plan.outcome_effects
                    affect(
                        x, effects[e, n, 0], effects[e, n, 1], effects[e, n, 2], effects[e, n, 3],
                        effects[e, n, 4], effects[e, n, 5],
                    )  # fmt: skip
            close_episode(x, k, p, number, decides, topics, slot)
            of = count_acts(log, tally, of, turn, first, pair, size, sink)
            note_ends(x, first, e + 1, trace)
            count_episode(x, e, first, pair, sink)
        count_course(x, s, first, pair, size, sink)
    hand_over(tally, of, sink)
    # The tiles are addresses: what they are in must still be there.
    held[0], held_keys[0], held_log[0], held_sums[0], held_counts[0] = 0.0, 0, 0, 0, 0


def may_fire(plan: Plan, e: int, n: int, turn: int) -> bool:
    """Return whether a trigger may fire in this turn, which is the same for all who go on."""
    for c in range(plan.trigger_counts[e, n]):
        early, late = turn < plan.trigger_low[e, n, c], turn > plan.trigger_high[e, n, c]
        if plan.trigger_which[e, n, c] == 0 and (early or late):  # a condition on the turn
            return False
    return True


def count_acts(
    log: Words, tally: Words, of: int, turns: int, first: int, pair: Words, size: int, sink: Sink
) -> int:
    """Count who did what, each lane with its pair; return whose counts are still to be handed over.

    tally: four tables to count in, of pair number `of`, -1 for none.
    """
    lane, end = 0, min(L, size - first)
    while lane < end:
        n, start = pair[first + lane], lane
        while lane < end and pair[first + lane] == n:
            lane += 1
        if n != of:
            hand_over(tally, of, sink)
            of = n
        # Four tables, so that an increment need not wait for the one before.
        if lane - start == L:
            for turn in range(turns):
                for one in UNROLL(L):
                    tally[one % 4 * N_LOGGED + log[turn, one]] += 1
        else:
            for turn in range(turns):
                for one in range(start, lane):
                    tally[(one & 3) * N_LOGGED + log[turn, one]] += 1
    return of


def hand_over(tally: Words, of: int, sink: Sink) -> None:
    """Add the acts that were counted to those of pair number `of`, if there is one."""
    if of >= 0:
        for act in range(N_ACT):
            for table in range(4):
                sink.acts[of, 0, act] += tally[table * N_LOGGED + act]
                sink.acts[of, 1, act] += tally[table * N_LOGGED + N_ACT + act]
    for n in range(4 * N_LOGGED):
        tally[n] = 0


def count_episode(x: Rows, e: int, first: int, pair: Words, sink: Sink) -> None:
    """Count how the episode ended."""
    for lane in range(L):
        if x[LIVED, lane] > 0.5:
            n = pair[first + lane]
            sink.endings[n, e, int(x[ENDING, lane])] += 1
            sink.resolutions[n, e, int(x[RESOLUTION, lane])] += 1
            outcome = int(x[OUTCOME, lane])
            if outcome >= 0:
                sink.outcomes[n, e, outcome] += 1


def note(s: Words, variable: int, value: Any, low: float, high: float) -> None:
    """Put a variable, its square and the number of its bin into a row each, as integers."""
    for i in range(L):
        v = double_of(value)
        place = (v - low) * np.float64(BINS / (high - low))
        s[variable, i] = long_of(rint(v * np.float64(SCALE)))
        s[N_NOTED + variable, i] = long_of(rint(v * v * np.float64(SCALE)))
        s[2 * N_NOTED + variable, i] = long_of(clip(place, np.float64(0.0), np.float64(BINS - 1.0)))


def count_course(x: Rows, s: Words, first: int, pair: Words, size: int, sink: Sink) -> None:
    """Count how the courses ended, each with its pair; sums are of integers, so exact."""
    for i in range(L):
        for who in UNROLL(2):
            note(s, 9 * who, x[P1 * who + MOOD, i], -1.0, 1.0)
            for state in UNROLL(5):
                note(s, 9 * who + 1 + state, x[P1 * who + 1 + state, i], 0.0, 1.0)
            note(s, 9 * who + 6, x[P1 * who + SATISFACTION, i], 0.0, 1.0)
            note(s, 9 * who + 7, x[P1 * who + SIMILARITY, i], 0.0, 1.0)
            note(s, 9 * who + 8, x[P1 * who + DRAWN, i], -3.0, 3.0)
        note(s, 18, x[HIGHEST, i], 0.0, 1.0)
        note(s, 19, x[SUCCESSES, i] / x[EPISODES, i], -1.0, 1.0)
    end = min(L, size - first)
    n = pair[first]
    if end == L and n == pair[first + L - 1]:  # all of one pair: pairs come one after the other
        for i in range(L):
            for variable in UNROLL(N_NOTED):
                sink.sums[n, variable] += total_of(s[variable, i])
                sink.squares[n, variable] += total_of(s[N_NOTED + variable, i])
            for who in UNROLL(2):
                sink.counts[n, who, 0] += total_of(whole(x[P1 * who + ACCEPTED, i]))
                sink.counts[n, who, 1] += total_of(whole(x[P1 * who + PURSUED, i]))
                sink.counts[n, who, 2] += total_of(whole(x[P1 * who + ANSWERED, i]))
                sink.counts[n, who, 3] += total_of(whole(x[P1 * who + MATCHED, i]))
                sink.counts[n, who, 4] += total_of(whole(x[P1 * who + MISREADS, i]))
        for variable in range(N_NOTED):
            for lane in range(L):
                sink.histograms[n, variable, s[2 * N_NOTED + variable, lane]] += 1
    else:
        count_lanes(x, s, first, pair, end, sink)
    for lane in range(end):
        n = pair[first + lane]
        sink.again[n, int(x[AGAIN, lane]) + 2 * int(x[P1 + AGAIN, lane])] += 1
        sink.ended[n, int(x[ENDED, lane])] += 1
        by = int(x[ENDED_BY, lane])
        if by >= 0:
            sink.ended_by[n, by] += 1


def count_lanes(x: Rows, s: Words, first: int, pair: Words, end: int, sink: Sink) -> None:
    """Count how courses of several pairs ended, lane by lane."""
    for lane in range(end):
        n = pair[first + lane]
        for variable in range(N_NOTED):
            sink.sums[n, variable] += s[variable, lane]
            sink.squares[n, variable] += s[N_NOTED + variable, lane]
            sink.histograms[n, variable, s[2 * N_NOTED + variable, lane]] += 1
        for who in UNROLL(2):
            sink.counts[n, who, 0] += int(x[P1 * who + ACCEPTED, lane])
            sink.counts[n, who, 1] += int(x[P1 * who + PURSUED, lane])
            sink.counts[n, who, 2] += int(x[P1 * who + ANSWERED, lane])
            sink.counts[n, who, 3] += int(x[P1 * who + MATCHED, lane])
            sink.counts[n, who, 4] += int(x[P1 * who + MISREADS, lane])


def note_turn(x: Rows, first: int, e: int, turn: int, trace: Trace) -> None:
    """Keep a turn of the courses that are traced."""
    for lane in range(min(L, len(trace.turns) - first)):
        if x[LIVE, lane] > 0.5:
            trace.turns[first + lane, e, turn, 0] = x[NOW, lane]
            trace.turns[first + lane, e, turn, 1] = x[ACT, lane]
            for row in range(TRACED):
                trace.states[first + lane, e, turn, 0, row] = x[row, lane]
                trace.states[first + lane, e, turn, 1, row] = x[P1 + row, lane]
            trace.states[first + lane, e, turn, 0, TRACED] = x[CONFLICT, lane]
            trace.states[first + lane, e, turn, 1, TRACED] = x[MINUTE, lane]


def note_ends(x: Rows, first: int, e: int, trace: Trace) -> None:
    """Keep how both stand before the first and after each episode."""
    for lane in range(min(L, len(trace.ends) - first)):
        for row in range(TRACED):
            trace.ends[first + lane, e, 0, row] = x[row, lane]
            trace.ends[first + lane, e, 1, row] = x[P1 + row, lane]
        trace.ends[first + lane, e, 0, TRACED] = x[ALIVE, lane]
        trace.ends[first + lane, e, 1, TRACED] = x[OUTCOME, lane]
