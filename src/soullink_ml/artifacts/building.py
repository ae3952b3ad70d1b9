"""Makes the artifact of the interest model: numbers, where they come from, how well they foretell.

Nothing of it depends on the clock: the same dates, seed and code give the same bytes.
"""

from importlib.metadata import version as version_of
from importlib.resources import files
from typing import Any, Final

import numpy as np

from soullink.kernel.canonical import digest
from soullink.modules.matching.domain.interest import artifact
from soullink.modules.matching.domain.interest.model import InterestModel
from soullink_ml.datasets.speed_dates import FloatArray, SpeedDates
from soullink_ml.evaluation import measures
from soullink_ml.training import prior
from soullink_ml.training.threads import one_thread

KIND: Final = "soullink interest model"
RESAMPLES: Final = 500
_CODE: Final = (
    ("soullink_ml.training", ("prior.py", "mixed.py", "logistic.py")),
    ("soullink_ml.datasets", ("moments.py", "speed_dates.py")),
    ("soullink.modules.matching.domain.interest", ("terms.py", "shrinkage.py", "model.py")),
)


def build(dates: SpeedDates, data_name: str, seed: int) -> dict[str, Any]:
    """Train on `dates` and return the sealed document. seed: of the intervals of its metrics."""
    with one_thread():
        return _build(dates, data_name, seed)


def _build(dates: SpeedDates, data_name: str, seed: int) -> dict[str, Any]:
    fitted = prior.train(dates)
    numbers = artifact.to_document(fitted.numbers)
    about = {
        "kind": KIND,
        "provenance": {
            "data": data_name,
            "data_digest": dates.digest,
            "waves": dates.waves,
            "people": dates.people,
            "decisions": int(dates.listed.sum()),
            "seed": seed,
            "code": version_of("soullink"),
            "code_digest": code_digest(),
        },
        "features": features(),
        "metrics": metrics(dates, fitted.variances, seed),
    }
    name = f"{artifact.FORMAT}-{digest({'numbers': numbers, **about})[:12]}"
    return artifact.sealed(numbers, {"version": name, **about})


def features() -> list[dict[str, Any]]:
    """Return what the model reads and when each is known, for the artifact and its card."""
    made: list[dict[str, Any]] = [
        {
            "name": term.name,
            "part": term.part,
            "column": term.column,
            "columns_of_file": list(prior.COLUMNS[term.column]),
            "known": "stated before anybody met",
        }
        for term in prior.TERMS
    ]
    made += [
        {
            "name": name,
            "part": part,
            "column": column,
            "columns_of_file": ["dec", "order"],
            "known": "decided strictly before the moment that is asked about",
        }
        for name, part, column in (
            ("actor.history", "choosiness_history", "said_yes, decided"),
            ("partner.history", "popularity_history", "got_yes, was_decided"),
        )
    ]
    return made


def metrics(dates: SpeedDates, variances: FloatArray, seed: int) -> list[dict[str, Any]]:
    """Return how well each wave is foretold by the others: cold, and with earlier decisions.

    variances: of the fit on all waves; a few shared numbers, so the fits here are quick.
    """
    chances = np.full((len(dates.decider), 2), np.nan)
    for wave in dates.waves:
        others = [one for one in dates.waves if one != wave]
        fitted = prior.train(dates.in_waves(others), variances)
        model = InterestModel("", fitted.numbers)
        test = dates.in_waves([wave])
        rows = np.flatnonzero(dates.wave_of_row == wave)
        people = prior.people_of(test)
        cold = model.chance(people.take(test.decider), people.take(test.about))
        warm = model.chance(*prior.with_history(test, people))
        chances[rows] = np.column_stack([cold.middle, warm.middle])
    made = []
    for index, stage in enumerate(("answers", "answers+earlier decisions")):
        for target, truth, rows, p in _targets(dates, chances[:, index]):
            y = truth[rows]
            found = measures.auc_over_people(
                y, p[rows], dates.decider[rows], dates.about[rows], seed, RESAMPLES
            )
            made.append(
                {
                    "target": target,
                    "features": stage,
                    "auc": round(found.value, 4),
                    "auc_low": round(found.low, 4),
                    "auc_high": round(found.high, 4),
                    "log_loss": round(measures.log_loss(y, p[rows]), 4),
                    "base_log_loss": round(measures.base_log_loss(y), 4),
                    "calibration_error": round(measures.calibration_error(y, p[rows]), 4),
                    "rows": len(y),
                }
            )
    return made


def _targets(dates: SpeedDates, chance: FloatArray) -> list[tuple[str, Any, Any, FloatArray]]:
    once = dates.one_of_two[np.isfinite(dates.match[dates.one_of_two])]
    return [
        ("decision", dates.decision, np.flatnonzero(dates.listed), chance),
        ("match", dates.match, once, chance * chance[dates.reverse]),
    ]


def code_digest() -> str:
    """Return a digest of the sources that made the numbers."""
    return digest(
        {
            f"{package}/{name}": files(package).joinpath(name).read_text(encoding="utf-8")
            for package, names in _CODE
            for name in names
        }
    )
