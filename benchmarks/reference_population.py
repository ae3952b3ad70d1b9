"""Lives through courses with couples in general and writes what is usual among them.

Run `python -m benchmarks.reference_population` after every change of the dynamics or of the
shipped scenarios (about a minute and a half on one core): it rewrites
src/soullink/modules/analysis/domain/reference.py. A test of that module notices when it is stale.

The population: traits, attachment and values standard normal and independent, likeness of
interests uniform on 0 to .6, life's loads as the dynamics draw them. Courses begin with a first
meeting and an early date and go on at random through the shipped scenarios.
"""

import sys
from pathlib import Path

import numpy as np

from soullink.modules.analysis.domain import measures
from soullink.modules.analysis.domain.counts import Counts, of_replicas
from soullink.modules.simulation.api import FloatArray, Scenario, Stage
from soullink.modules.simulation.domain import course, replicas
from soullink.modules.simulation.domain.layout import N_TRAIT
from soullink.modules.simulation.domain.version import DYNAMICS_VERSION
from soullink.modules.simulation.scenarios import document, reading

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/soullink/modules/analysis/domain/reference.py"
SIMULATION = ROOT / "src/soullink/modules/simulation"
TEMPLATES = SIMULATION / "scenarios/templates"

SEED = 20_260_301
LENGTHS = (1, 2, 3, 5, 8, 13)
PROBABILITIES = (0.001, 0.01, 0.025, *(step / 20 for step in range(1, 20)), 0.975, 0.99, 0.999)
MIXES, COUPLES, LIVES = 40, 50, 4
"""Courses of each length: random orders of scenarios, couples for each, lives of each couple."""
MIXES_TO_LEARN_FROM = 120
"""More orders of the middle length, to tell the scenarios' own effects apart."""
MIDDLE = LENGTHS.index(5)
RIDGE = 4.0


def shipped() -> list[Scenario]:
    return [
        document.from_document(reading.read_file(path), path.name)
        for path in sorted(TEMPLATES.glob("*.yaml"))
    ]


class Population:
    """Couples in general, living through random courses."""

    def __init__(self, scenarios: list[Scenario], seed: int = SEED) -> None:
        self.scenarios = scenarios
        self.random = np.random.default_rng(seed)

    def mix(self, length: int) -> list[Scenario]:
        begin = [Stage.FIRST_MEETING, Stage.EARLY_DATING][:length]
        chosen = [self._one([s for s in self.scenarios if s.stage is stage]) for stage in begin]
        later = [s for s in self.scenarios if s.stage is not Stage.FIRST_MEETING]
        while len(chosen) < length:
            chosen.append(self._one([s for s in later if s not in chosen[1:]]))
        return chosen

    def _one(self, among: list[Scenario]) -> Scenario:
        return among[int(self.random.integers(len(among)))]

    def live(self, mix: list[Scenario], couples: int, lives: int) -> Counts:
        """Return the courses of `couples`, each `lives` times in a row."""
        size = couples * lives
        means = np.repeat(self.random.normal(size=(couples, 2, N_TRAIT)), lives, axis=0)
        likeness = np.repeat(self.random.uniform(0.0, 0.6, couples), lives)
        keys = self.random.integers(0, 2**63, size=(size, 2)).astype(np.uint64)
        batch = course.begin(means, np.zeros_like(means), likeness, keys)
        return of_replicas(replicas.run(batch, ("a", "b"), mix, course.Conditions()))


def scenario_weights(
    name: str, counts: Counts, mix: list[Scenario], order: dict[str, int]
) -> FloatArray:
    """Return the weight of every shipped scenario in a measure, (R, scenarios)."""
    lived = counts.lived.astype(np.float64)
    kind = measures.reach(name)
    if kind == "mean":
        lived = lived / counts.lengths[:, None]
    if kind == "first":
        lived[:, 1:] = 0.0
    out = np.zeros((counts.size, len(order)))
    for column, scenario in enumerate(mix):
        out[:, order[scenario.id]] += lived[:, column]
    return out


def effects(
    name: str, courses: list[tuple[list[Scenario], Counts]], order: dict[str, int]
) -> FloatArray:
    """Return what each scenario adds to a measure (ridge regression), (scenarios,)."""
    x = np.concatenate([scenario_weights(name, counts, mix, order) for mix, counts in courses])
    y = np.concatenate([_flat(measures.measured(name, counts)) for _, counts in courses])
    lengths = np.concatenate([counts.lengths for _, counts in courses])
    for length in np.unique(lengths):  # courses that ended early are compared with their like
        here = lengths == length
        x[here] -= x[here].mean(axis=0)
        y[here] -= y[here].mean()
    return np.linalg.solve(x.T @ x + RIDGE * np.eye(len(order)), x.T @ y)


def _flat(value: FloatArray) -> FloatArray:
    return value if value.ndim == 1 else value.mean(axis=1)


class Reference:
    """What is usual, as tables; see `text` for their names."""

    def __init__(self) -> None:
        scenarios = shipped()
        self.order = {scenario.id: row for row, scenario in enumerate(scenarios)}
        people = Population(scenarios)
        self.courses = []
        for place, length in enumerate(LENGTHS):
            mixes = MIXES_TO_LEARN_FROM if place == MIDDLE else MIXES
            self.courses.append(
                [
                    (m, people.live(m, COUPLES, LIVES))
                    for m in (people.mix(length) for _ in range(mixes))
                ]
            )
        self.names = measures.names()
        self.effects = {n: effects(n, self.courses[MIDDLE], self.order) for n in self.names}
        self.means: dict[str, list[float]] = {}
        self.spreads: dict[str, list[float]] = {}
        for name in self.names:
            left = [self._left(name, place) for place in range(len(LENGTHS))]
            self.means[name] = [float(np.mean(values)) for values in left]
            self.spreads[name] = [float(np.std(values)) for values in left]

    def _left(self, name: str, place: int) -> FloatArray:
        """Return a measure less the scenarios' effects in all courses of one length."""
        return np.concatenate(
            [self._without(name, mix, counts) for mix, counts in self.courses[place]]
        )

    def _without(self, name: str, mix: list[Scenario], counts: Counts) -> FloatArray:
        value = measures.measured(name, counts)
        shift = scenario_weights(name, counts, mix, self.order) @ self.effects[name]
        return value - (shift if value.ndim == 1 else shift[:, None])

    def quantiles(self, dimension: str, place: int) -> list[float]:
        parts = [f"{dimension}.{part}" for part in measures.COMPONENTS[dimension]]
        weights = np.array([measures.WEIGHTS.get(name, 1.0) for name in parts])
        scores = np.stack(
            [(self._left(n, place) - self.means[n][place]) / self.spreads[n][place] for n in parts]
        )
        return [float(q) for q in np.quantile(weights @ scores / weights.sum(), PROBABILITIES)]

    def between_people(self, part: str) -> float:
        """Return the standard deviation between people of what they do in the long run.

        Variance of the means over a couple's lives, less what chance leaves in them.
        """
        left = self._left(f"person.{part}", MIDDLE).reshape(-1, LIVES, 2)
        between = left.mean(axis=1).var(ddof=1) - left.var(axis=1, ddof=1).mean() / LIVES
        return float(np.sqrt(max(between, 1e-6)))


def text(reference: Reference) -> str:
    lines = [
        '"""What is usual among couples in general. Made by a program, not by hand.',
        "",
        "Run `python -m benchmarks.reference_population` to make it anew; what the numbers mean is",
        'said there and in standing.py."""',
        "# ruff: noqa: E501 - a table reads best one row a line",
        "",
        "from typing import Final",
        "",
        f'DYNAMICS: Final = "{DYNAMICS_VERSION}"',
        f"LENGTHS: Final = {LENGTHS}",
        f"PROBABILITIES: Final = {_row(PROBABILITIES)}",
        "",
        "# fmt: off",
        "MEASURES: Final[tuple[str, ...]] = (",
        *(f'    "{name}",' for name in reference.names),
        ")",
    ]
    lines += _mapping("MEANS", reference.means, "Mean by measure, one number for each of LENGTHS.")
    lines += _mapping("SPREADS", reference.spreads, "Standard deviation between courses, likewise.")
    lines += ["", "QUANTILES: Final[dict[str, tuple[tuple[float, ...], ...]]] = {"]
    for dimension in measures.COMPONENTS:
        lines.append(f'    "{dimension}": (')
        lines += [
            f"        {_row(reference.quantiles(dimension, p))}," for p in range(len(LENGTHS))
        ]
        lines.append("    ),")
    lines += [
        "}",
        '"""Quantiles of the combined score at PROBABILITIES, a row for each of LENGTHS."""',
    ]
    between = {part: [reference.between_people(part)] for part in measures.PERSONAL}
    lines += ["", "BETWEEN_PEOPLE: Final[dict[str, float]] = {"]
    lines += [f'    "{part}": {value[0]:.5g},' for part, value in between.items()]
    lines += ["}", '"""Standard deviation between people of what they do in the long run."""']
    rows = {
        scenario: [float(reference.effects[name][row]) for name in reference.names]
        for scenario, row in reference.order.items()
    }
    lines += _mapping("SCENARIOS", rows, "What each scenario adds to each of MEASURES.")
    return "\n".join([*lines, "# fmt: on", ""])


def _mapping(name: str, rows: dict[str, list[float]], meaning: str) -> list[str]:
    body = [f'    "{key}": {_row(values)},' for key, values in rows.items()]
    return ["", f"{name}: Final[dict[str, tuple[float, ...]]] = {{", *body, "}", f'"""{meaning}"""']


def _row(values: "tuple[float, ...] | list[float]") -> str:
    return "(" + ", ".join(f"{value + 0.0:.4g}" for value in values) + ")"


def main() -> int:
    TARGET.write_text(text(Reference()), encoding="utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)} for dynamics {DYNAMICS_VERSION}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
