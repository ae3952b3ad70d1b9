# ruff: noqa: F403, F405, PLR0915 - rows by the score; one lane's whole turn is one loop
"""One turn of a tile of trajectories: the equations of `domain.turn`, a loop over lanes a step.

Written as plain Python over a tile x of shape (N_ROWS, L); `source.py` makes flat, typed source of
it that numba compiles. Equations and sources are those of the NumPy functions that each docstring
names; a property test keeps the two the same. Lanes whose episode is over keep what they have.
"""

import numpy as np

from soullink.modules.simulation.domain.fast.cells import Rows, both, one_of, put
from soullink.modules.simulation.domain.fast.maths import (
    at,
    clip,
    larger,
    log,
    normal,
    pick,
    sigmoid,
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
        bid = (
            0.5 * x[EXTRAVERSION, i]
            + 0.6 * (x[AROUSAL, i] - 0.3)
            + pick(begun, pick(second, addressed, going_on), 0.0)
        )
        other = (
            0.5 * x[P1 + EXTRAVERSION, i]
            + 0.6 * (x[P1 + AROUSAL, i] - 0.3)
            + 0.7 * log(x[P1 + FLOOR_ODDS, i] / x[FLOOR_ODDS, i])
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
        x[DISAGREEMENT, i] = pick(open_question, larger(apart, -apart) * 0.5 * decides, 0.0)


def respond(x: Rows, p: Rows) -> None:
    """Let the listener take the act and both change by it.

    `dynamics.misread_chance`, `read`, `hear`, `act_on_self`, `flow.moved`, the minute and
    `turn._count`. p: the free numbers.
    """
    mood_inertia, mood_influence = p[INDEX["mood_inertia"]], p[INDEX["mood_influence"]]
    gain_negative, gain_positive = p[INDEX["mood_gain_negative"]], p[INDEX["mood_gain_positive"]]
    noise_hearing, noise_speaking = p[INDEX["mood_noise_hearing"]], p[INDEX["mood_noise_speaking"]]
    trust_loss, trust_growth = p[INDEX["trust_loss"]], p[INDEX["trust_growth"]]
    closeness_growth, heating = p[INDEX["closeness_growth"]], p[INDEX["conflict_heating"]]
    stress_threat, stress_relief = p[INDEX["stress_threat"]], p[INDEX["stress_relief"]]
    hurt_gain = p[INDEX["hurt_gain"]]
    for i in range(L):
        live = x[LIVE, i] > 0.5
        one = x[NOW, i] > 0.5
        act = x[ACT, i]
        a = at(act)
        depth, valence_of, heat = A_DEPTH[a], A_VALENCE[a], A_HEAT[a]
        connects, frees, esteems = A_CONNECTION[a], A_AUTONOMY[a], A_ESTEEM[a]
        code = A_CODE[a]
        aspect = np.floor(code * 0.015625)
        code = code - 64.0 * aspect
        asks = pick(code >= 32.0, 1.0, 0.0)
        code = code - 32.0 * asks
        settles = code >= 16.0
        kind = pick(settles, code - 16.0, code)
        x[SETTLES, i] = pick(settles, 1.0, 0.0)
        x[ASPECT, i] = aspect - 1.0
        conflict, disagreement = x[CONFLICT, i], x[DISAGREEMENT, i]

        # The listener.
        mood = pick(one, x[MOOD, i], x[P1 + MOOD, i])
        arousal = pick(one, x[AROUSAL, i], x[P1 + AROUSAL, i])
        stress = pick(one, x[STRESS, i], x[P1 + STRESS, i])
        trust = pick(one, x[TRUST, i], x[P1 + TRUST, i])
        close = pick(one, x[CLOSENESS, i], x[P1 + CLOSENESS, i])
        neurotic = pick(one, x[NEUROTICISM, i], x[P1 + NEUROTICISM, i])
        anxious = pick(one, x[ANXIETY, i], x[P1 + ANXIETY, i])
        avoidant = pick(one, x[AVOIDANCE, i], x[P1 + AVOIDANCE, i])
        extravert = pick(one, x[EXTRAVERSION, i], x[P1 + EXTRAVERSION, i])
        agreeable = pick(one, x[AGREEABLENESS, i], x[P1 + AGREEABLENESS, i])
        sensitive = pick(one, x[SENSITIVITY, i], x[P1 + SENSITIVITY, i])
        strain = pick(one, x[STRAIN, i], x[P1 + STRAIN, i])
        chance = sigmoid(
            -3.1
            + 1.6 * (stress - 0.3)
            + 0.8 * (arousal - 0.3)
            + 0.2 * neurotic
            + 0.15 * anxious
            - 1.2 * (trust - 0.5)
            + 0.8 * conflict
        ) * pick(one, x[MISREADING, i], x[P1 + MISREADING, i])
        worse = x[U_SIGN, i] < sigmoid(
            0.6 + 0.6 * anxious + 0.3 * neurotic - 3.0 * (trust - 0.5) - 1.0 * mood
        )
        taken = C_TAKEN[at(pick(worse, kind + 9.0, kind))]
        perceived = pick(x[U_MISREAD, i] < chance, taken, kind)
        misread = perceived != kind
        looks = C_VALENCE[at(perceived)]
        valence = pick(misread, 0.5 * valence_of + 0.8 * looks, valence_of)
        signal = pick(one, x[SIGNAL, i], x[P1 + SIGNAL, i])
        heard = valence + 0.25 * (trust - 0.5) + 0.12 * mood + 0.12 * signal
        shift = pick(misread, 0.5 * (looks - valence_of), 0.0)
        connection = clip((connects + shift) * clip(1.0 + 0.25 * anxious, 0.3, 2.0), -1.0, 1.0)
        intimate = larger(connects, 0.0) * depth
        autonomy = clip(
            frees * clip(1.0 + 0.3 * avoidant, 0.3, 2.0) - 0.12 * avoidant * intimate, -1.0, 1.0
        )
        esteem = clip((esteems + shift) * clip(1.0 + 0.15 * neurotic, 0.3, 2.0), -1.0, 1.0)
        threat = clip(
            sensitive
            * (
                0.45 * larger(-connection, 0.0) * clip(1.0 + 0.35 * anxious, 0.2, 2.2)
                + 0.35 * larger(-autonomy, 0.0) * clip(1.0 + 0.35 * avoidant, 0.2, 2.2)
                + 0.45 * larger(-esteem, 0.0)
                + 0.12 * x[DEMAND_ROW, i] * clip(1.0 + 0.3 * neurotic, 0.2, 2.2)
            ),
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

        # What hearing it does.
        rest = clip(0.12 + 0.05 * extravert - 0.08 * neurotic + 0.02 * agreeable, -0.4, 0.5)
        point = rest - 0.18 * strain
        speaker_mood = pick(one, x[P1 + MOOD, i], x[MOOD, i])
        gain = pick(
            hurts,
            gain_negative * clip(1.0 + 0.22 * neurotic, 0.3, 2.0),
            gain_positive * clip(1.0 + 0.15 * extravert, 0.4, 1.8),
        )
        noise = normal(
            pick(one, x[NOISE_1, i], x[P1 + NOISE_1, i]),
            pick(one, x[NOISE_2, i], x[P1 + NOISE_2, i]),
        )
        new_mood = (
            point
            + clip(mood_inertia + 0.04 * neurotic, 0.1, 0.7) * (mood - point)
            + mood_influence * (speaker_mood - mood)
            + gain * affect
            + noise_hearing * clip(1.0 + 0.15 * neurotic, 0.5, 1.6) * noise
        )
        new_arousal = 0.78 * arousal + 0.22 * 0.25 + 0.3 * cold + 0.06 * warmth + 0.18 * threat
        new_stress = (
            stress
            + 0.03 * (0.15 + 0.6 * strain + 0.05 * neurotic - stress)
            + stress_threat * threat * clip(1.0 + 0.2 * neurotic, 0.4, 1.8)
            - stress_relief * warmth
        )
        trusting = clip(1.0 - 0.15 * anxious - 0.1 * avoidant, 0.4, 1.6)
        new_trust = trust + pick(
            hurts, trust_loss * affect * trust, trust_growth * affect * (1.0 - trust) * trusting
        )
        opening = clip(1.0 - 0.12 * avoidant, 0.3, 1.7)
        open_or_warm = (perceived == WARM) | (perceived == OPEN)
        disclosed = pick(one, x[DISCLOSED, i], x[P1 + DISCLOSED, i])
        met = pick(open_or_warm | (perceived == REPAIR), disclosed, 0.0)
        growth = (0.012 * warmth + 0.02 * depth * warmth + 0.03 * met * warmth) * opening
        loss = (0.03 * cold + pick(hostile | (perceived == DISTANT), 0.012, 0.0)) * close
        new_close = close + growth * (1.0 - close) * closeness_growth - loss
        new_connection = (
            0.85 * pick(one, x[CONNECTION, i], x[P1 + CONNECTION, i]) + 0.3 * connection
        )
        new_autonomy = 0.85 * pick(one, x[AUTONOMY, i], x[P1 + AUTONOMY, i]) + 0.3 * autonomy
        new_esteem = 0.85 * pick(one, x[ESTEEM, i], x[P1 + ESTEEM, i]) + 0.3 * esteem
        new_hurt = 0.88 * pick(one, x[HURT, i], x[P1 + HURT, i]) + hurt_gain * sensitive * larger(
            -affect - 0.2, 0.0
        )
        alike = pick(settles | (perceived == PLAYFUL) | (perceived == OPEN), 0.05, 0.0)
        alike = alike - pick(pressing, 0.06, 0.0)
        similar = clip(pick(one, x[SIMILARITY, i], x[P1 + SIMILARITY, i]) + alike * 0.5, 0.0, 1.0)
        felt = pick(one, x[FELT, i], x[P1 + FELT, i]) + affect
        heard_turns = pick(one, x[HEARD_TURNS, i], x[P1 + HEARD_TURNS, i]) + 1.0
        # What waited for an answer, for the counts.
        pressed = pick(one, x[PRESSED, i], x[P1 + PRESSED, i])
        warmed = pick(one, x[WARMED, i], x[P1 + WARMED, i])
        positive = valence_of > 0.15
        pursued = pick(one, x[PURSUED, i], x[P1 + PURSUED, i]) + pick(kind == DISTANT, pressed, 0.0)
        answered = pick(one, x[ANSWERED, i], x[P1 + ANSWERED, i]) + pick(
            (kind == WARM) | (kind == OPEN), disclosed, 0.0
        )
        matched = pick(one, x[MATCHED, i], x[P1 + MATCHED, i]) + pick(positive, warmed, 0.0)
        misreads = pick(one, x[MISREADS, i], x[P1 + MISREADS, i]) + pick(misread, 1.0, 0.0)

        # The speaker.
        s_arousal = pick(one, x[P1 + AROUSAL, i], x[AROUSAL, i])
        s_close = pick(one, x[P1 + CLOSENESS, i], x[CLOSENESS, i])
        s_hurt = pick(one, x[P1 + HURT, i], x[HURT, i])
        s_guilt = pick(one, x[P1 + GUILT, i], x[GUILT, i])
        s_agreeable = pick(one, x[P1 + AGREEABLENESS, i], x[AGREEABLENESS, i])
        s_avoidant = pick(one, x[P1 + AVOIDANCE, i], x[AVOIDANCE, i])
        s_neurotic = pick(one, x[P1 + NEUROTICISM, i], x[NEUROTICISM, i])
        s_extravert = pick(one, x[P1 + EXTRAVERSION, i], x[EXTRAVERSION, i])
        s_opened = pick(one, x[P1 + OPENED, i], x[OPENED, i])
        s_last = pick(one, x[P1 + LAST_ACT, i], x[LAST_ACT, i])
        s_spoken = pick(one, x[P1 + SPOKEN, i], x[SPOKEN, i])
        s_accepted = pick(one, x[P1 + ACCEPTED, i], x[ACCEPTED, i])
        s_point = clip(
            0.12 + 0.05 * s_extravert - 0.08 * s_neurotic + 0.02 * s_agreeable, -0.4, 0.5
        )
        s_noise = normal(
            pick(one, x[P1 + NOISE_1, i], x[NOISE_1, i]),
            pick(one, x[P1 + NOISE_2, i], x[NOISE_2, i]),
        )
        hit = pick(kind == HOSTILE, 1.0, 0.0)
        after_arousal = 0.9 * s_arousal + 0.1 * 0.25 + 0.08 * hit
        after_mood = (
            speaker_mood
            + 0.25 * (s_point - speaker_mood)
            + 0.04 * valence_of
            + noise_speaking * s_noise
        )
        after_guilt = clip(
            0.9 * s_guilt
            + 0.35 * hit * clip(0.6 + 0.25 * s_agreeable, 0.1, 1.2)
            - pick(act == APOLOGISE, 0.5, 0.0),
            0.0,
            1.0,
        )
        after_hurt = 0.95 * s_hurt * pick(act == FORGIVE, 0.3, 1.0)
        fresh = depth * (1.0 - s_opened)
        after_close = s_close + 0.025 * fresh * clip(1.0 - 0.12 * s_avoidant, 0.3, 1.7) * (
            1.0 - s_close
        )
        after_opened = clip(s_opened + 0.05 * fresh, 0.0, 0.9)
        reveals = pick(depth >= 0.4, 1.0, 0.0)
        presses = pick(kind == DEMAND, 1.0, 0.0)
        repairs = kind == REPAIR
        accepted = s_accepted + pick(repairs & (affect >= REPAIR_ACCEPTED), 1.0, 0.0)

        # Where both stand on the decision.
        s_position = pick(one, x[P1 + POSITION, i], x[POSITION, i])
        h_position = pick(one, x[POSITION, i], x[P1 + POSITION, i])
        gap = h_position - s_position
        away = pick(gap > 0.0, 1.0, pick(gap < 0.0, -1.0, 0.0))
        own, other = A_OWN[a], A_OTHER[a]
        new_s = clip(s_position + own * pick(own < 0.0, away, gap), -1.0, 1.0)
        new_h = clip(h_position - other * pick(other < 0.0, away, gap), -1.0, 1.0)

        # Who has what from now on: person 0 listened where `to`, person 1 where `from_`.
        to = live & one
        from_ = live & (not one)
        both(x, MOOD, i, to, from_, clip(new_mood, -1.0, 1.0), clip(after_mood, -1.0, 1.0))
        both(x, AROUSAL, i, to, from_, clip(new_arousal, 0.0, 1.0), clip(after_arousal, 0.0, 1.0))
        both(x, CLOSENESS, i, to, from_, clip(new_close, 0.0, 1.0), clip(after_close, 0.0, 1.0))
        both(x, HURT, i, to, from_, clip(new_hurt, 0.0, 1.0), after_hurt)
        both(x, POSITION, i, to, from_, new_h, new_s)
        both(x, DISCLOSED, i, to, from_, 0.0, reveals)
        both(x, PRESSED, i, to, from_, 0.0, presses)
        both(x, WARMED, i, to, from_, 0.0, pick(positive, 1.0, 0.0))
        one_of(x, STRESS, i, to, from_, clip(new_stress, 0.0, 1.0))
        one_of(x, TRUST, i, to, from_, clip(new_trust, 0.0, 1.0))
        one_of(x, CONNECTION, i, to, from_, clip(new_connection, -1.0, 1.0))
        one_of(x, AUTONOMY, i, to, from_, clip(new_autonomy, -1.0, 1.0))
        one_of(x, ESTEEM, i, to, from_, clip(new_esteem, -1.0, 1.0))
        one_of(x, HEARD, i, to, from_, perceived)
        one_of(x, THREAT, i, to, from_, threat)
        one_of(x, FELT, i, to, from_, felt)
        one_of(x, HEARD_TURNS, i, to, from_, heard_turns)
        one_of(x, SIMILARITY, i, to, from_, similar)
        one_of(x, PURSUED, i, to, from_, pursued)
        one_of(x, ANSWERED, i, to, from_, answered)
        one_of(x, MATCHED, i, to, from_, matched)
        one_of(x, MISREADS, i, to, from_, misreads)
        one_of(x, GUILT, i, from_, to, after_guilt)
        one_of(x, OPENED, i, from_, to, after_opened)
        one_of(x, LAST_ACT_2, i, from_, to, s_last)
        one_of(x, LAST_ACT, i, from_, to, act)
        one_of(x, SPOKEN, i, from_, to, s_spoken + 1.0)
        one_of(x, ACCEPTED, i, from_, to, accepted)

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
        put(x, AROUSAL, i, paused, larger(x[AROUSAL, i] - 0.15, 0.0))
        put(x, P1 + AROUSAL, i, paused, larger(x[P1 + AROUSAL, i] - 0.15, 0.0))
        put(x, CONFLICT, i, paused, x[CONFLICT, i] * 0.75)
        passed = minutes * (0.6 + 0.8 * x[U_MINUTE, i]) + pick(paused, PAUSE_MINUTES, 0.0)
        put(x, MINUTE, i, live, x[MINUTE, i] + passed)
        apart = x[POSITION, i] - x[P1 + POSITION, i]
        distance = larger(apart, -apart) * 0.5
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
        put(x, LIVE, i, over >= 0.0, 0.0)
