"""Our model of speed dates: answers, then people's effects, then what the evening has shown.

1. For each of five records (the decision, liking, three ratings) a person's actor and partner
   effect is regressed on sign-up answers (`groups`). Ratings are targets here, of training dates.
2. The social relations filter (`relations_filter`) begins there and hears the evening.
3. A small logistic regression turns expectations into chances. From profiles alone these are
   averaged, in log-odds, with those of the model that matching ships (`prior`), which reads the
   same answers without comparing them within an evening.
4. The product of the two chances of a pair, recalibrated, is that of a match: given both people's
   effects the decisions of a pair are all but independent (their residuals correlate by .05).

In training every step sees of a wave only what the others foretell of it.
Race and its proxies are not read.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink.modules.matching.domain.interest.model import InterestModel
from soullink_ml.datasets.moments import Moment, require
from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates
from soullink_ml.features import known, sign_up
from soullink_ml.features.registry import HEARD, PAIR, PERSON
from soullink_ml.training import effects, groups, logistic, prior, relations, relations_filter

Stage: TypeAlias = Literal["profiles", "profiles+earlier"]
STAGES: Final[tuple[Stage, ...]] = ("profiles", "profiles+earlier")

PENALTY: Final = 20.0
"""Ridge of the last step; about the weight of 80 decisions for each coefficient."""
REST_SHARE: Final = 0.65
"""Variance of a record that is of the pair, and error (SCIENCE: actor .19, partner .16)."""
GROUPS: Final[IntArray] = np.unique([one.group for one in PERSON], return_inverse=True)[1].astype(
    np.int64
)


@dataclass(frozen=True, slots=True)
class Chances:
    """decision: (rows,) that the decider says yes. match: (rows,) that both do, alike in both."""

    decision: FloatArray
    match: FloatArray


@dataclass(frozen=True, slots=True)
class OurModel:
    """A fitted model. answers: (PERSON, 2 x HEARD) coefficients, actor effects first.

    centre, spread: (HEARD,) of the records. shipped: the model of matching, fitted on the same.
    """

    scale: sign_up.Scale
    centre: FloatArray
    spread: FloatArray
    answers: FloatArray
    relations: relations.Relations
    decision: dict[Stage, logistic.Logistic]
    match: dict[Stage, logistic.Logistic]
    shipped: InterestModel

    def predict(self, dates: SpeedDates, stage: Stage, *, any_turn: bool = False) -> Chances:
        """Return chances of every row of `dates`; none of its waves was in the training data.

        any_turn: as if nobody knew at which turn of the evening the two meet.
        """
        x = sign_up.standardise(sign_up.raw(dates), dates, self.scale)
        expected = x @ self.answers
        pair = sign_up.pair(dates)
        if any_turn:
            pair[:, -2:] = np.nan
        found = None
        if stage != "profiles":
            heard = (_records(dates) - self.centre) / self.spread
            before = _expected(dates, expected)
            found = relations_filter.forecast(dates, heard, before, self.relations)
        log_odds = self.decision[stage].log_odds(_design(dates, expected, pair, found))
        if stage == "profiles":
            log_odds = (log_odds + logistic.log_odds(self._shipped(dates))) / 2.0
        yes = logistic.chance(log_odds)
        return Chances(yes, self.match[stage].chance(_both(yes, dates)))

    def _shipped(self, dates: SpeedDates) -> FloatArray:
        people = prior.people_of(dates)
        return self.shipped.chance(people.take(dates.decider), people.take(dates.about)).middle


def train(dates: SpeedDates) -> OurModel:
    """Fit on every wave of `dates`. Deterministic."""
    answered = sign_up.raw(dates)
    scale = sign_up.learn_scale(answered, dates)
    x = sign_up.standardise(answered, dates, scale)
    records = _records(dates)
    centre, spread = known.mean(records), known.spread(records)
    heard = (records - centre) / spread
    answers, of_people = _answers(dates, x, heard)
    expected = _expected(dates, of_people)
    variances = relations.learn(dates, heard, expected)
    pair = sign_up.pair(dates)
    forecast = relations_filter.forecast(dates, heard, expected, variances)
    designs: dict[Stage, FloatArray] = {
        "profiles": _design(dates, of_people, pair, None),
        "profiles+earlier": _design(dates, of_people, pair, forecast),
    }
    decision: dict[Stage, logistic.Logistic] = {}
    match: dict[Stage, logistic.Logistic] = {}
    listed = np.flatnonzero(dates.listed)
    once = dates.one_of_two[np.isfinite(dates.match[dates.one_of_two])]
    for stage, design in designs.items():
        decision[stage] = logistic.fit(design[listed], dates.decision[listed], PENALTY)
        both = _both(decision[stage].chance(design), dates)
        match[stage] = logistic.fit(both[once], dates.match[once], 0.0)
    shipped = InterestModel("", prior.train(dates).numbers)
    return OurModel(scale, centre, spread, answers, variances, decision, match, shipped)


def _records(dates: SpeedDates) -> FloatArray:
    for name in HEARD:
        require(name, Moment.DATE)
    return np.column_stack([dates.outcomes[name] for name in HEARD])


def _answers(dates: SpeedDates, x: FloatArray, heard: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (d, 2K) and what answers let expect of people (m, 2K), each person's
    from the waves that they were not in."""
    coefficients, expected = [], []
    targets = [effects.effects(dates, heard[:, k]) for k in range(heard.shape[1])]
    pairs = [(one.actor, one.given) for one in targets]
    pairs += [(one.partner, one.got) for one in targets]
    for target, count in pairs:
        there = count > 0
        if not there.any():  # nobody recorded this at all
            coefficients.append(np.zeros(x.shape[1]))
            expected.append(np.zeros(dates.people))
            continue
        noise = REST_SHARE / np.maximum(count, 1.0)
        fitted = groups.fit(x[there], GROUPS, target[there], noise[there])
        coefficients.append(fitted.mean)
        left_out = np.zeros(dates.people)
        for wave in dates.waves:
            others = there & (dates.wave != wave)
            mine = dates.wave == wave
            if others.any():
                mean, _ = groups.posterior(
                    x[others], fitted.spreads[GROUPS], target[others], fitted.rest + noise[others]
                )
                left_out[mine] = x[mine] @ mean
        expected.append(left_out)
    return np.column_stack(coefficients), np.column_stack(expected)


def _expected(dates: SpeedDates, of_people: FloatArray) -> FloatArray:
    k = len(HEARD)
    return np.asarray(of_people[dates.decider, :k] + of_people[dates.about, k:])


def _design(
    dates: SpeedDates,
    of_people: FloatArray,
    pair: FloatArray,
    found: relations_filter.Forecast | None,
) -> FloatArray:
    k = len(HEARD)
    parts = [of_people[dates.decider, :k], of_people[dates.about, k:], pair]
    if found is not None:
        parts += [found.mean, found.doubt[:, None]]
    return np.column_stack(parts)


def _both(yes: FloatArray, dates: SpeedDates) -> FloatArray:
    return logistic.log_odds(yes * yes[dates.reverse])[:, None]


NAMES: Final = (
    *(f"decider_expected_{name}" for name in HEARD),
    *(f"other_expected_{name}" for name in HEARD),
    *(one.name for one in PAIR),
    *(f"filtered_{name}" for name in HEARD),
    "filter_doubt",
)
"""The columns of the last step's design."""
