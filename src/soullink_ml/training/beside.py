"""The models that ours stands beside, with the same knowledge: registry features in one matrix.

scikit-learn is the extra `ml`; it is imported where these are fitted, so that reading dates and
our own model need numpy only.
"""

from typing import Any, Final

import numpy as np

from soullink.kernel.errors import UnavailableError
from soullink_ml.datasets.speed_dates import FloatArray, SpeedDates
from soullink_ml.features import earlier, known, sign_up
from soullink_ml.training import logistic
from soullink_ml.training.ours import Chances, Stage

MODELS: Final = ("logistic regression", "gradient boosting", "popularity alone")
STRENGTH: Final[dict[Stage, float]] = {"profiles": 0.001, "profiles+earlier": 0.003}
"""C of the logistic regression: the best of a grid on these very waves, which favours it."""
ROUNDS = 120
"""Trees of gradient boosting."""
_POPULARITY: Final = 1
"""Where `earlier.running` holds the yeses that the other got so far."""
_OWN_POPULARITY: Final = 2


def knows(model: str, stage: Stage) -> bool:
    """Tell whether `model` has anything to go by at `stage`: nobody is popular beforehand."""
    return model != "popularity alone" or stage != "profiles"


def compare(model: str, stage: Stage, training: SpeedDates, test: SpeedDates, seed: int) -> Chances:
    """Fit `model` on `training` and return its chances of the rows of `test`.

    Raises UnavailableError where scikit-learn is not installed.
    """
    scale = sign_up.learn_scale(sign_up.raw(training), training)
    means = earlier.learn_means(training)
    fitting = _matrix(model, stage, training, scale, means)
    asked = _matrix(model, stage, test, scale, means)
    use = training.listed & np.isfinite(training.match)
    decision = _fit(model, stage, fitting[use], training.decision[use], asked, seed)
    match = _fit(model, stage, fitting[use], training.match[use], asked, seed)
    return Chances(decision, (match + match[test.reverse]) / 2.0)


def _matrix(
    model: str, stage: Stage, dates: SpeedDates, scale: sign_up.Scale, means: FloatArray
) -> FloatArray:
    if model == "popularity alone":
        found = earlier.running(dates, means)
        return found[:, [_POPULARITY, _OWN_POPULARITY]]
    x = sign_up.standardise(sign_up.raw(dates), dates, scale)
    parts = [x[dates.decider], x[dates.about], sign_up.pair(dates)]
    if stage != "profiles":
        parts.append(earlier.running(dates, means))
    return np.column_stack(parts)


def _fit(
    model: str, stage: Stage, x: FloatArray, y: FloatArray, asked: FloatArray, seed: int
) -> FloatArray:
    if model == "popularity alone":
        return logistic.fit(x, y, 1.0).chance(asked)
    if model == "gradient boosting":
        estimator = _boosting(seed)
    else:
        centre, spread = known.mean(x), known.spread(x)
        x, asked = (np.nan_to_num((one - centre) / spread) for one in (x, asked))
        estimator = _linear(STRENGTH[stage])
    estimator.fit(x, y)
    return np.asarray(estimator.predict_proba(asked)[:, 1], dtype=np.float64)


def _boosting(seed: int) -> Any:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (extra)
    except ImportError as error:
        raise UnavailableError(_MISSING) from error
    return HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=0.04,
        max_leaf_nodes=8,
        min_samples_leaf=80,
        l2_regularization=20.0,
        max_features=0.3,
        early_stopping=False,
        random_state=seed % 2**32,
    )


def _linear(strength: float) -> Any:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (extra)
    except ImportError as error:
        raise UnavailableError(_MISSING) from error
    return LogisticRegression(C=strength, max_iter=1_000)


_MISSING: Final = (
    "The models that ours stands beside need scikit-learn: install the extra soullink[ml]."
)
