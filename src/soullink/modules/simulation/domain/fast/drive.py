# ruff: noqa: F403, F405, C901, PLR0912, PLR0915 - rows by the score; one nest of loops
"""Many courses from their beginning to their end, tile by tile, counted as they go.

Plain Python made into source by `source.py`. `live` is the kernel's entry; it holds one tile of
state, so memory depends neither on pairs nor on replicas nor on turns.
"""

from typing import Any, NamedTuple

import numpy as np

from soullink.modules.simulation.domain.fast.between import (
    begin,
    close_episode,
    open_episode,
    pass_time,
)
from soullink.modules.simulation.domain.fast.cells import Rows, Words
from soullink.modules.simulation.domain.fast.choice import choose, set_base
from soullink.modules.simulation.domain.fast.draws import draw_floor, draw_turn, key_lanes
from soullink.modules.simulation.domain.fast.happenings import (
    affect,
    anywhere,
    arm,
    fire,
    first_unmet,
    give_outcome,
    log_acts,
    narrow,
    unfired,
)  # fmt: skip
from soullink.modules.simulation.domain.fast.lanes import finish_turn, resolve, respond, take_floor
from soullink.modules.simulation.domain.fast.maths import UNROLL, real
from soullink.modules.simulation.domain.fast.recollections import gather, recall, remember
from soullink.modules.simulation.domain.fast.rows import *


class Plan(NamedTuple):
    """Scenarios and interventions as arrays; E episodes, A acts. Made by `plans.plan_of`.

    numbers: (E, 7) minutes of a turn, decides, deadline, fewest, most, span, 1 where memories may
    be younger than the episode's beginning. gaps: (E, 2) days before it. odds: (E, person * role
    * A). demands: (E, 6). choices: (E, parameters, choices, 6); sizes: (E, parameters).
    pressures: (E, 4). pull: (E, 11). slots: (E,) place of the topic; topics: how many;
    relevance: (E, topics) of memories.
    Triggers and outcomes: how many in each episode, effects (…, 6), conditions by variable.
    extra, misreading: (2,) of an intervention.
    """

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
    likeness: Rows, p: Rows, w_base: Rows, w: Rows, plan: Plan, sink: Sink, trace: Trace,
) -> None:  # fmt: skip
    """Live `size` courses, lane i of them replica[i] of pair[i]; the arrays are whole tiles."""
    x = np.zeros(N_ROWS * L, real)  # type: ignore[call-overload]
    k = np.zeros(3 * L, np.uint64)
    log = np.zeros(TURNS_MOST * L, np.uint8)
    for first in range(0, len(pair), L):
        key_lanes(k, seed, replica, pair, names, first)
        begin(x, k, p, pair, means, sds, likeness, first)
        for i in range(L):
            if first + i >= size:
                x[ALIVE, i] = 0.0
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
            while anywhere(x, LIVE):
                done = real(turn)
                turn += 1
                late = min(max((done - fewest) / span, 0.0), 1.0)
                start = 1.0 if turn == 1 else 0.0
                draw_floor(x, k, number, turn)
                take_floor(x, decides)
                draw_turn(x, k, number, turn)
                if exact:
                    gather(x, topics, slot, plan.relevance[e])
                recall(x)
                choose(x, w, start, late, done < fewest, done < 4.0, done > 1.0, decides)
                log_acts(x, log, turn - 1)
                respond(x, p)
                remember(x)
                resolve(x, minutes, decides, deadline)
                bit, firing = 1.0, False
                for n in range(plan.triggers[e]):
                    unfired(x, bit)
                    for c in range(plan.trigger_counts[e, n]):
                        narrow(
                            x, plan.trigger_which[e, n, c], plan.trigger_low[e, n, c],
                            plan.trigger_high[e, n, c],
                        )  # fmt: skip
                    if anywhere(x, HIT):
                        arm(x, bit)
                        firing = True
                    bit = bit * 2.0
                bit = 1.0
                for n in range(plan.triggers[e] if firing else 0):
                    fire(x, bit, plan.trigger_ends[e, n])
                    bit = bit * 2.0
                    if anywhere(x, HIT):
                        effects = plan.trigger_effects
                        affect(
                            x, effects[e, n, 0], effects[e, n, 1], effects[e, n, 2],
                            effects[e, n, 3], effects[e, n, 4], effects[e, n, 5],
                        )  # fmt: skip
                note_turn(x, first, e, turn - 1, trace)
                finish_turn(x, most)
            for n in range(plan.outcomes[e]):
                first_unmet(x)
                for c in range(plan.outcome_counts[e, n]):
                    narrow(
                        x, plan.outcome_which[e, n, c], plan.outcome_low[e, n, c],
                        plan.outcome_high[e, n, c],
                    )  # fmt: skip
                if anywhere(x, HIT):
                    give_outcome(x, real(n), plan.successes[e, n])
                    effects = plan.outcome_effects
                    affect(
                        x, effects[e, n, 0], effects[e, n, 1], effects[e, n, 2], effects[e, n, 3],
                        effects[e, n, 4], effects[e, n, 5],
                    )  # fmt: skip
            close_episode(x, k, p, number, decides, topics, slot)
            count_acts(log, turn, first, pair, size, sink)
            note_ends(x, first, e + 1, trace)
            count_episode(x, e, first, pair, sink)
        count_course(x, first, pair, size, sink)


def count_acts(log: Words, turns: int, first: int, pair: Words, size: int, sink: Sink) -> None:
    """Count who did what, each lane with its pair."""
    counts = np.zeros(4 * N_LOGGED, np.int64)
    lane, end = 0, min(L, size - first)
    while lane < end:
        n, start = pair[first + lane], lane
        while lane < end and pair[first + lane] == n:
            lane += 1
        counts[:] = 0
        for turn in range(turns):
            # Four tables, so that an increment need not wait for the one before.
            for i in range(start, lane):
                counts[(i & 3) * N_LOGGED + log[turn * L + i]] += 1
        for table in range(4):
            for act in range(N_ACT):
                sink.acts[n, 0, act] += counts[table * N_LOGGED + act]
                sink.acts[n, 1, act] += counts[table * N_LOGGED + N_ACT + act]


def count_episode(x: Rows, e: int, first: int, pair: Words, sink: Sink) -> None:
    """Count how the episode ended."""
    for i in range(L):
        if x[LIVED, i] > 0.5:
            n = pair[first + i]
            sink.endings[n, e, int(x[ENDING, i])] += 1
            sink.resolutions[n, e, int(x[RESOLUTION, i])] += 1
            outcome = int(x[OUTCOME, i])
            if outcome >= 0:
                sink.outcomes[n, e, outcome] += 1


def note(sink: Sink, n: int, variable: int, value: float, low: float, high: float) -> None:
    """Add one value to the sums and the histogram of a variable, exactly: sums are integers."""
    v = np.float64(value)
    sink.sums[n, variable] += np.int64(np.rint(v * SCALE))
    sink.squares[n, variable] += np.int64(np.rint(v * v * SCALE))
    place = int((v - low) / (high - low) * BINS)
    sink.histograms[n, variable, min(max(place, 0), BINS - 1)] += 1


def count_course(x: Rows, first: int, pair: Words, size: int, sink: Sink) -> None:
    """Count how the courses ended, each with its pair."""
    for i in range(min(L, size - first)):
        n = pair[first + i]
        for who in UNROLL(2):
            note(sink, n, 9 * who, x[P1 * who + MOOD, i], -1.0, 1.0)
            for state in UNROLL(5):
                note(sink, n, 9 * who + 1 + state, x[P1 * who + 1 + state, i], 0.0, 1.0)
            note(sink, n, 9 * who + 6, x[P1 * who + SATISFACTION, i], 0.0, 1.0)
            note(sink, n, 9 * who + 7, x[P1 * who + SIMILARITY, i], 0.0, 1.0)
            note(sink, n, 9 * who + 8, x[P1 * who + DRAWN, i], -3.0, 3.0)
            sink.counts[n, who, 0] += int(x[P1 * who + ACCEPTED, i])
            sink.counts[n, who, 1] += int(x[P1 * who + PURSUED, i])
            sink.counts[n, who, 2] += int(x[P1 * who + ANSWERED, i])
            sink.counts[n, who, 3] += int(x[P1 * who + MATCHED, i])
            sink.counts[n, who, 4] += int(x[P1 * who + MISREADS, i])
        note(sink, n, 18, x[HIGHEST, i], 0.0, 1.0)
        note(sink, n, 19, x[SUCCESSES, i] / x[EPISODES, i], -1.0, 1.0)
        sink.again[n, int(x[AGAIN, i]) + 2 * int(x[P1 + AGAIN, i])] += 1
        sink.ended[n, int(x[ENDED, i])] += 1
        by = int(x[ENDED_BY, i])
        if by >= 0:
            sink.ended_by[n, by] += 1


def note_turn(x: Rows, first: int, e: int, turn: int, trace: Trace) -> None:
    """Keep a turn of the courses that are traced."""
    for i in range(min(L, len(trace.turns) - first)):
        if x[LIVE, i] > 0.5:
            trace.turns[first + i, e, turn, 0] = x[NOW, i]
            trace.turns[first + i, e, turn, 1] = x[ACT, i]
            for row in range(TRACED):
                trace.states[first + i, e, turn, 0, row] = x[row, i]
                trace.states[first + i, e, turn, 1, row] = x[P1 + row, i]
            trace.states[first + i, e, turn, 0, TRACED] = x[CONFLICT, i]
            trace.states[first + i, e, turn, 1, TRACED] = x[MINUTE, i]


def note_ends(x: Rows, first: int, e: int, trace: Trace) -> None:
    """Keep how both stand before the first and after each episode."""
    for i in range(min(L, len(trace.ends) - first)):
        for row in range(TRACED):
            trace.ends[first + i, e, 0, row] = x[row, i]
            trace.ends[first + i, e, 1, row] = x[P1 + row, i]
        trace.ends[first + i, e, 0, TRACED] = x[ALIVE, i]
        trace.ends[first + i, e, 1, TRACED] = x[OUTCOME, i]
