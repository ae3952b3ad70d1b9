"""How well sign-up answers tell people's race: what a model could use without being told."""

import numpy as np

from soullink_ml.fairness import logistic, measures
from soullink_ml.fairness.draws import Draws, Group
from soullink_ml.fairness.figures import Figures, Key
from soullink_ml.fairness.resampling import FloatArray

_RIDGE = 30.0


def race_from_answers(draws: Draws, groups: list[Group]) -> Figures:
    """Return the AUC of telling each race from all others, out of wave; .5 is not at all."""
    made: dict[Key, FloatArray] = {}
    dates = draws.dates
    for group in groups:
        if group.group_by != "race" or not group.large_enough:
            continue
        known = group.members | group.others
        scores = np.zeros(dates.people)
        for wave in np.unique(dates.wave):
            train = known & (dates.wave != wave)
            test = dates.wave == wave
            standard = logistic.Standard.of(dates.person_features[train])
            coefficients = logistic.fitted(
                standard.applied(dates.person_features[train]),
                group.members[train].astype(np.float64),
                _RIDGE,
            )
            scores[test] = logistic.predicted(
                standard.applied(dates.person_features[test]), coefficients
            )
        key = Key("race", group.name, "market", "race", "auc_from_answers", group.size)
        made[key] = measures.area_under_curve(
            scores[known], group.members[known].astype(np.float64), draws.people[:, known]
        )
    return made
