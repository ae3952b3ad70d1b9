# ruff: noqa: F403, F405, PLR0915 - rows by the score; one lane's whole turn is one loop
"""One turn of a tile of trajectories: the equations of `domain.turn`, a loop over lanes a step.

Written as plain Python over a tile x of shape (N_ROWS, L); `source.py` makes flat, typed source of
it that numba compiles. Equations and sources are those of the NumPy functions that each docstring
names; a property test keeps the two the same. Lanes whose episode is over keep what they have.
"""

from soullink.modules.simulation.domain.fast.cells import Rows, both, one_of, put
from soullink.modules.simulation.domain.fast.maths import (
    clip,
    larger,
    look_up_16,
    look_up_32,
    look_up_48,
    magnitude,
    odds_against,
    pick,
    whole,
)  # fmt: skip
from soullink.modules.simulation.domain.fast.rows import *
from soullink.modules.simulation.domain.flow import (
    CONSENSUS_DISTANCE,
    ESCALATED_AT,
    PAUSE_MINUTES,
    SILENCES_ALLOWED,
)  # fmt: skip
from soullink.modules.simulation.domain.parameters import INDEX
from soullink.modules.simulation.domain.replicas import REPAIR_ACCEPTED


def take_floor(x: Rows, decides: float) -> None:
    """Find who speaks and what was said just before: `flow.floor` and the head of `take_turn`."""
    for i in range(L):
        last = x[SPEAKER, i]
        second = last > 0.5
        anxious = pick(second, x[P1 + ANXIETY, i], x[ANXIETY, i])
        addressed = 1.9 + 1.2 * x[ASKED, i] + 4.0 * x[CLOSING, i]
        going_on = -0.3 + 0.35 * x[PURSUING, i] * anxious - pick(x[ROW, i] >= 2.0, 6.0, 0.0)
        begun = last >= 0.0
        bid = x[BIDS, i] + 0.6 * x[AROUSAL, i] + pick(begun, pick(second, addressed, going_on), 0.0)
        other = (
            x[P1 + BIDS, i]
            + 0.6 * x[P1 + AROUSAL, i]
            + 0.7 * x[FLOOR_ODDS, i]
            + pick(begun, pick(second, going_on, addressed), 0.0)
        )
        now = pick(other > bid, 1.0, 0.0)
        double = last == now
        x[NOW, i] = now
        x[DOUBLE, i] = pick(double, 1.0, 0.0)
        said = pick(now > 0.5, x[LAST_ACT, i], x[P1 + LAST_ACT, i])
        x[PREVIOUS, i] = pick(begun & (not double), said, NO_ACT * 1.0)
        apart = x[POSITION, i] - x[P1 + POSITION, i]
        open_question = (x[AGREED, i] + x[ARBITRATED, i]) == 0.0
        x[DISAGREEMENT, i] = pick(open_question, magnitude(apart) * 0.5 * decides, 0.0)


def respond(x: Rows, p: Rows) -> None:
    """Let the listener take the act and both change by it.

    `dynamics.misread_chance`, `read`, `hear`, `act_on_self`, `flow.moved`, the minute and
    `turn._count`. p: the free numbers.
    """
    mood_influence, noise_speaking = p[INDEX["mood_influence"]], p[INDEX["mood_noise_speaking"]]
    trust_loss, stress_relief = p[INDEX["trust_loss"]], p[INDEX["stress_relief"]]
    closeness_growth, heating = p[INDEX["closeness_growth"]], p[INDEX["conflict_heating"]]
    for i in range(L):
        live = x[LIVE, i] > 0.5
        one = x[NOW, i] > 0.5
        # Person 0 listens where `to`, person 1 where `from_`.
        to = live & one
        from_ = live & (not one)
        act = x[ACT, i]
        number = whole(act)
        depth = look_up_48(x, A_DEPTH * L, number)
        valence_of = look_up_48(x, A_VALENCE * L, number)
        heat = look_up_48(x, A_HEAT * L, number)
        connects = look_up_48(x, A_CONNECTION * L, number)
        frees = look_up_48(x, A_AUTONOMY * L, number)
        esteems = look_up_48(x, A_ESTEEM * L, number)
        kind = look_up_48(x, A_KIND * L, number)
        settles = look_up_48(x, A_SETTLES * L, number) > 0.5
        asks = look_up_48(x, A_ASKS * L, number)
        x[SETTLES, i] = pick(settles, 1.0, 0.0)
        conflict = x[CONFLICT, i]
        disagreement = x[DISAGREEMENT, i]

        # The listener.
        mood = pick(one, x[MOOD, i], x[P1 + MOOD, i])
        arousal = pick(one, x[AROUSAL, i], x[P1 + AROUSAL, i])
        stress = pick(one, x[STRESS, i], x[P1 + STRESS, i])
        trust = pick(one, x[TRUST, i], x[P1 + TRUST, i])
        close = pick(one, x[CLOSENESS, i], x[P1 + CLOSENESS, i])
        unlikely = odds_against(
            1.6 * stress
            + 0.8 * arousal
            - 1.2 * trust
            + 0.8 * conflict
            + pick(one, x[MISREADS_AT, i], x[P1 + MISREADS_AT, i])
        )
        likely = x[U_MISREAD, i] * (1.0 + unlikely) < pick(
            one, x[MISREADING, i], x[P1 + MISREADING, i]
        )
        better = odds_against(pick(one, x[WORSE_AT, i], x[P1 + WORSE_AT, i]) - 3.0 * trust - mood)
        worse = x[U_SIGN, i] * (1.0 + better) < 1.0
        taken = look_up_32(x, C_TAKEN * L, pick(worse, kind + 9.0, kind))
        perceived = pick(likely, taken, kind)
        misread = perceived != kind
        looks = look_up_16(x, C_VALENCE * L, perceived)
        valence = pick(misread, 0.5 * valence_of + 0.8 * looks, valence_of)
        signal = pick(one, x[SIGNAL, i], x[P1 + SIGNAL, i])
        heard = valence + 0.25 * (trust - 0.5) + 0.12 * mood + 0.12 * signal
        shift = pick(misread, 0.5 * (looks - valence_of), 0.0)
        connection = clip(
            (connects + shift) * pick(one, x[CONNECTS, i], x[P1 + CONNECTS, i]), -1.0, 1.0
        )
        intimate = larger(connects, 0.0) * depth
        autonomy = clip(
            frees * pick(one, x[FREES, i], x[P1 + FREES, i])
            - pick(one, x[LESS_FREE, i], x[P1 + LESS_FREE, i]) * intimate,
            -1.0,
            1.0,
        )
        esteem = clip((esteems + shift) * pick(one, x[ESTEEMS, i], x[P1 + ESTEEMS, i]), -1.0, 1.0)
        threat = clip(
            pick(one, x[THREAT_CONNECTION, i], x[P1 + THREAT_CONNECTION, i])
            * larger(-connection, 0.0)
            + pick(one, x[THREAT_AUTONOMY, i], x[P1 + THREAT_AUTONOMY, i]) * larger(-autonomy, 0.0)
            + pick(one, x[THREAT_ESTEEM, i], x[P1 + THREAT_ESTEEM, i]) * larger(-esteem, 0.0)
            + pick(one, x[THREAT_DEMAND, i], x[P1 + THREAT_DEMAND, i]),
            0.0,
            1.0,
        )
        hostile = perceived == HOSTILE
        demanding = perceived == DEMAND
        pressing = demanding | hostile | (perceived == BOUNDARY)
        values = clip(
            pick(pressing, -disagreement, pick(settles, 0.4 * disagreement, 0.0)), -1.0, 1.0
        )
        affect = clip(
            0.55 * heard + 0.2 * connection + 0.1 * autonomy + 0.15 * esteem + 0.15 * values,
            -1.0,
            1.0,
        )
        hurts = affect < 0.0
        warmth = larger(affect, 0.0)
        cold = larger(-affect, 0.0)

        one_of(x, HEARD, i, to, from_, perceived)
        one_of(x, THREAT, i, to, from_, threat)
        one_of(x, FELT, i, to, from_, pick(one, x[FELT, i], x[P1 + FELT, i]) + affect)
        one_of(
            x, HEARD_TURNS, i, to, from_, pick(one, x[HEARD_TURNS, i], x[P1 + HEARD_TURNS, i]) + 1.0
        )

        # What hearing and saying it do. What is found is put down at once: registers are few.
        point = pick(one, x[POINT, i], x[P1 + POINT, i])
        speaker_mood = pick(one, x[P1 + MOOD, i], x[MOOD, i])
        gain = pick(
            hurts,
            pick(one, x[GAIN_BAD, i], x[P1 + GAIN_BAD, i]),
            pick(one, x[GAIN_GOOD, i], x[P1 + GAIN_GOOD, i]),
        )
        new_mood = (
            point
            + pick(one, x[INERTIA, i], x[P1 + INERTIA, i]) * (mood - point)
            + mood_influence * (speaker_mood - mood)
            + gain * affect
            + pick(one, x[NOISY, i], x[P1 + NOISY, i]) * pick(one, x[NOISE, i], x[P1 + NOISE, i])
        )
        after_mood = (
            speaker_mood
            + 0.25 * (pick(one, x[P1 + REST, i], x[REST, i]) - speaker_mood)
            + 0.04 * valence_of
            + noise_speaking * pick(one, x[P1 + NOISE, i], x[NOISE, i])
        )
        both(x, MOOD, i, to, from_, clip(new_mood, -1.0, 1.0), clip(after_mood, -1.0, 1.0))
        new_arousal = 0.78 * arousal + 0.22 * 0.25 + 0.3 * cold + 0.06 * warmth + 0.18 * threat
        hits = kind == HOSTILE
        after_arousal = 0.9 * pick(one, x[P1 + AROUSAL, i], x[AROUSAL, i]) + pick(
            hits, 0.1 * 0.25 + 0.08, 0.1 * 0.25
        )
        both(x, AROUSAL, i, to, from_, clip(new_arousal, 0.0, 1.0), clip(after_arousal, 0.0, 1.0))
        new_stress = (
            0.97 * stress
            + pick(one, x[STRESS_POINT, i], x[P1 + STRESS_POINT, i])
            + pick(one, x[STRESSED, i], x[P1 + STRESSED, i]) * threat
            - stress_relief * warmth
        )
        one_of(x, STRESS, i, to, from_, clip(new_stress, 0.0, 1.0))
        new_trust = trust + affect * pick(
            hurts, trust_loss * trust, (1.0 - trust) * pick(one, x[TRUSTS, i], x[P1 + TRUSTS, i])
        )
        one_of(x, TRUST, i, to, from_, clip(new_trust, 0.0, 1.0))
        new_connection = (
            0.85 * pick(one, x[CONNECTION, i], x[P1 + CONNECTION, i]) + 0.3 * connection
        )
        one_of(x, CONNECTION, i, to, from_, clip(new_connection, -1.0, 1.0))
        new_autonomy = 0.85 * pick(one, x[AUTONOMY, i], x[P1 + AUTONOMY, i]) + 0.3 * autonomy
        one_of(x, AUTONOMY, i, to, from_, clip(new_autonomy, -1.0, 1.0))
        new_esteem = 0.85 * pick(one, x[ESTEEM, i], x[P1 + ESTEEM, i]) + 0.3 * esteem
        one_of(x, ESTEEM, i, to, from_, clip(new_esteem, -1.0, 1.0))
        open_or_warm = (perceived == WARM) | (perceived == OPEN)
        disclosed = pick(one, x[DISCLOSED, i], x[P1 + DISCLOSED, i])
        met = pick(open_or_warm | (perceived == REPAIR), disclosed, 0.0)
        growth = (
            (0.012 + 0.02 * depth + 0.03 * met) * warmth * pick(one, x[OPENS, i], x[P1 + OPENS, i])
        )
        loss = (0.03 * cold + pick(hostile | (perceived == DISTANT), 0.012, 0.0)) * close
        new_close = close + growth * (1.0 - close) * closeness_growth - loss
        s_opened = pick(one, x[P1 + OPENED, i], x[OPENED, i])
        fresh = depth * (1.0 - s_opened)
        one_of(x, OPENED, i, from_, to, clip(s_opened + 0.05 * fresh, 0.0, 0.9))
        s_close = pick(one, x[P1 + CLOSENESS, i], x[CLOSENESS, i])
        after_close = s_close + 0.025 * fresh * pick(one, x[P1 + OPENS, i], x[OPENS, i]) * (
            1.0 - s_close
        )
        both(x, CLOSENESS, i, to, from_, clip(new_close, 0.0, 1.0), clip(after_close, 0.0, 1.0))
        new_hurt = 0.88 * pick(one, x[HURT, i], x[P1 + HURT, i]) + pick(
            one, x[HURTS, i], x[P1 + HURTS, i]
        ) * larger(-affect - 0.2, 0.0)
        after_hurt = pick(one, x[P1 + HURT, i], x[HURT, i]) * pick(act == FORGIVE, 0.95 * 0.3, 0.95)
        both(x, HURT, i, to, from_, clip(new_hurt, 0.0, 1.0), after_hurt)
        alike = pick(settles | (perceived == PLAYFUL) | (perceived == OPEN), 0.025, 0.0)
        alike = alike - pick(pressing, 0.03, 0.0)
        one_of(
            x,
            SIMILARITY,
            i,
            to,
            from_,
            clip(pick(one, x[SIMILARITY, i], x[P1 + SIMILARITY, i]) + alike, 0.0, 1.0),
        )
        after_guilt = clip(
            0.9 * pick(one, x[P1 + GUILT, i], x[GUILT, i])
            + pick(hits, pick(one, x[P1 + GUILTY, i], x[GUILTY, i]), 0.0)
            - pick(act == APOLOGISE, 0.5, 0.0),
            0.0,
            1.0,
        )
        one_of(x, GUILT, i, from_, to, after_guilt)
        one_of(x, LAST_ACT_2, i, from_, to, pick(one, x[P1 + LAST_ACT, i], x[LAST_ACT, i]))
        one_of(x, LAST_ACT, i, from_, to, act)
        one_of(x, SPOKEN, i, from_, to, pick(one, x[P1 + SPOKEN, i], x[SPOKEN, i]) + 1.0)

        # What waited for an answer, for the counts.
        answers = pick((kind == WARM) | (kind == OPEN), disclosed, 0.0)
        one_of(x, ANSWERED, i, to, from_, pick(one, x[ANSWERED, i], x[P1 + ANSWERED, i]) + answers)
        reveals = pick(depth >= 0.4, 1.0, 0.0)
        both(x, DISCLOSED, i, to, from_, 0.0, reveals)
        pursued = pick(one, x[PURSUED, i], x[P1 + PURSUED, i]) + pick(
            kind == DISTANT, pick(one, x[PRESSED, i], x[P1 + PRESSED, i]), 0.0
        )
        one_of(x, PURSUED, i, to, from_, pursued)
        presses = pick(kind == DEMAND, 1.0, 0.0)
        both(x, PRESSED, i, to, from_, 0.0, presses)
        positive = valence_of > 0.15
        matched = pick(one, x[MATCHED, i], x[P1 + MATCHED, i]) + pick(
            positive, pick(one, x[WARMED, i], x[P1 + WARMED, i]), 0.0
        )
        one_of(x, MATCHED, i, to, from_, matched)
        both(x, WARMED, i, to, from_, 0.0, pick(positive, 1.0, 0.0))
        one_of(
            x,
            MISREADS,
            i,
            to,
            from_,
            pick(one, x[MISREADS, i], x[P1 + MISREADS, i]) + pick(misread, 1.0, 0.0),
        )
        repairs = kind == REPAIR
        accepted = pick(one, x[P1 + ACCEPTED, i], x[ACCEPTED, i]) + pick(
            repairs & (affect >= REPAIR_ACCEPTED), 1.0, 0.0
        )
        one_of(x, ACCEPTED, i, from_, to, accepted)

        # Where both stand on the decision.
        s_position = pick(one, x[P1 + POSITION, i], x[POSITION, i])
        h_position = pick(one, x[POSITION, i], x[P1 + POSITION, i])
        gap = h_position - s_position
        away = pick(gap > 0.0, 1.0, pick(gap < 0.0, -1.0, 0.0))
        own = look_up_48(x, A_OWN * L, number)
        other = look_up_48(x, A_OTHER * L, number)
        new_s = clip(s_position + own * pick(own < 0.0, away, gap), -1.0, 1.0)
        new_h = clip(h_position - other * pick(other < 0.0, away, gap), -1.0, 1.0)
        both(x, POSITION, i, to, from_, new_h, new_s)

        # The pair.
        felt_heat = pick(misread, 0.5 * heat + 0.3 * cold, heat)
        rise = pick(
            felt_heat > 0.0,
            heating * felt_heat * (1.0 - conflict),
            0.5 * felt_heat * conflict,
        )
        hotter = clip(0.96 * conflict + rise, 0.0, 1.0)
        quiet = (kind == DISTANT) & (act != LEAVE)
        closing = x[CLOSING, i]
        x[WAS_CLOSING, i] = closing
        put(x, CLOSING, i, live, pick(act == CLOSE, 1.0, closing))
        put(x, CONFLICT, i, live, hotter)
        put(x, PEAK, i, live, larger(x[PEAK, i], hotter))
        put(x, TURNS, i, live, x[TURNS, i] + 1.0)
        put(x, ROW, i, live, pick(x[DOUBLE, i] > 0.5, x[ROW, i] + 1.0, 1.0))
        put(x, SPEAKER, i, live, x[NOW, i])
        put(x, POSITIVE, i, live, x[POSITIVE, i] + pick(positive, 1.0, 0.0))
        put(x, NEGATIVE, i, live, x[NEGATIVE, i] + pick(valence_of < -0.2, 1.0, 0.0))
        put(x, SILENCE, i, live, pick(quiet, x[SILENCE, i] + 1.0, 0.0))
        put(x, REPAIRS, i, live, x[REPAIRS, i] + pick(repairs, 1.0, 0.0))
        put(x, DISCLOSURES, i, live, x[DISCLOSURES, i] + reveals)
        put(x, ASKED, i, live, asks)
        put(x, PURSUING, i, live, presses)
        x[VALUE, i] = affect
        x[HIT, i] = threat


def resolve(x: Rows, minutes: float, decides: float, deadline: float) -> None:
    """Let time pass, call a pause, settle the decision: `turn._resolve`."""
    for i in range(L):
        live = x[LIVE, i] > 0.5
        loud = live & (x[CONFLICT, i] >= ESCALATED_AT)
        paused = loud & (x[ESCALATED, i] == 0.0)
        put(x, ESCALATED, i, loud, 1.0)
        # Whole rows, which the next turn can read at once.
        calmer = pick(paused, 0.15, 0.0)
        x[AROUSAL, i] = larger(x[AROUSAL, i] - calmer, 0.0)
        x[P1 + AROUSAL, i] = larger(x[P1 + AROUSAL, i] - calmer, 0.0)
        x[CONFLICT, i] = x[CONFLICT, i] * pick(paused, 0.75, 1.0)
        passed = minutes * (0.6 + 0.8 * x[U_MINUTE, i]) + pick(paused, PAUSE_MINUTES, 0.0)
        put(x, MINUTE, i, live, x[MINUTE, i] + passed)
        apart = x[POSITION, i] - x[P1 + POSITION, i]
        distance = magnitude(apart) * 0.5
        undecided = live & (decides > 0.5) & ((x[AGREED, i] + x[ARBITRATED, i]) == 0.0)
        agreed = (
            undecided
            & (distance < CONSENSUS_DISTANCE)
            & (x[SETTLES, i] > 0.5)
            & (x[TURNS, i] >= 4.0)
        )
        put(x, AGREED, i, agreed, 1.0)
        put(x, ARBITRATED, i, undecided & (not agreed) & (x[TURNS, i] >= deadline), 1.0)
        x[ENDS, i] = 0.0
        x[FIRING, i] = 0.0


def finish_turn(x: Rows, most: float) -> None:
    """End the episode where it is over: `flow.ending`."""
    for i in range(L):
        live = x[LIVE, i] > 0.5
        act = x[ACT, i]
        over = pick(x[TURNS, i] >= most, 0.0, -1.0)
        over = pick(x[SILENCE, i] > SILENCES_ALLOWED - 0.5, 4.0, over)
        over = pick(x[WAS_CLOSING, i] > 0.0, 1.0, over)
        over = pick(act == LEAVE, 2.0, over)
        over = pick((over < 0.0) & (x[ENDS, i] > 0.5), 3.0, over)
        left = live & (over == 2.0)
        put(x, LEFT, i, left, 1.0)
        put(x, LEFT_BY, i, left, x[NOW, i])
        put(x, ENDING, i, live & (over >= 0.0), over)
        x[LIVE, i] = pick(live & (over < 0.0), 1.0, 0.0)
