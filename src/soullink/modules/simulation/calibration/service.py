"""Calibrations: check where the free numbers stand, and fit them."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from soullink.kernel.canonical import digest
from soullink.kernel.clock import Clock
from soullink.modules.simulation.api import FloatArray
from soullink.modules.simulation.calibration import (
    dating,
    documents,
    fitting,
    simulating,
    split,
    targets,
    trades,
    worlds,
)
from soullink.modules.simulation.calibration.api import (
    CalibrationExistsError,
    CalibrationRow,
    CalibrationTable,
    Fit,
    FitProgress,
    FitSettings,
    Trade,
    Watch,
)
from soullink.modules.simulation.calibration.fitting import Plan, Progress
from soullink.modules.simulation.calibration.reading import UnusableDataError
from soullink.modules.simulation.calibration.search import Block, Problem
from soullink.modules.simulation.calibration.targets import Target
from soullink.modules.simulation.calibration.worlds import Size
from soullink.modules.simulation.domain import parameters
from soullink.modules.simulation.domain.parameters import BOUNDS, CURRENT, INDEX, NAMES, Parameters
from soullink.modules.simulation.domain.version import EQUATIONS

SPREAD: Final = 0.6
"""Standard deviation of the prior in logits: about a seventh of a number's width each way."""
WEIGHT: Final = 4.0
"""The figures count four times against the prior: sizes set by hand are little evidence."""
JUDGING: Final = Size(arcs=40, pairs=32, evenings=144, talks=240)
JUDGING_SEED: Final = 77_000
OF_DATES: Final = (
    "actor_share", "partner_share", "reciprocity", "choosiness", "experience_share",
    "yes_threshold", "similarity_liking",
)  # fmt: skip
"""Numbers that move nothing but who wants whom: fitted to first dates, the rest to all else."""
UNBOUND: Final = ("weight_conscientiousness", "weight_extraversion")
"""Numbers whose only figures are held out: they keep their size, and test the rest."""
THRESHOLDS: Final = np.linspace(-0.12, 0.12, 7)
"""Steps of the threshold of a yes, between which the fitted share of yes is found."""
OBJECTIVE: Final = (
    "mean squared distance of fitted figures, in standard errors of the published figure and of "
    "the simulated one together"
)
METHOD: Final = "ensemble smoother with multiple data assimilation (Emerick & Reynolds 2013)"


@dataclass(frozen=True, slots=True)
class Figures:
    """What to hold the simulation against, and where its counted part comes from."""

    targets: tuple[Target, ...]
    origin: str
    split_seed: int
    digest: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the worlds are that members, centres and the table are simulated in."""

    fitting: Size = worlds.FITTING
    judging: Size = JUDGING
    checking: Size = worlds.CHECKING


class CalibrationService:
    """Implements calibration.api.Calibrations. version: of the code."""

    def __init__(self, clock: Clock, version: str, sizes: Sizes | None = None) -> None:
        self._clock = clock
        self._version = version
        self._sizes = sizes or Sizes()

    def check(self, data: Path | None, parameters: Path | None) -> CalibrationTable:
        return self._table(_read(parameters), _figures(data))

    def fit(
        self,
        settings: FitSettings,
        out: Path,
        data: Path | None,
        parameters: Path | None,
        watch: Watch,
        stopped: Callable[[], bool],
    ) -> Fit:
        began = time.monotonic()
        start, held = _read(parameters), _figures(data)
        key = digest(
            {
                "settings": {k: v for k, v in asdict(settings).items() if k != "workers"},
                "figures": held.digest,
                "start": start.digest(),
                "equations": EQUATIONS,
                "sizes": asdict(self._sizes),
            }
        )
        progress = documents.unfinished(out, key)
        in_the_way = [path for path in (out, documents.part_of(out)) if path.exists()]
        if progress is None and in_the_way:
            raise CalibrationExistsError(
                f"{in_the_way[0]} is there already and belongs to no unfinished fit with these "
                "settings; choose another --out."
            )
        problem, plan = self._problem(start, held, settings)
        known = [target.id for target in held.targets if target.id != "auc"]
        count = settings.workers or _processors()
        with simulating.workers(count) as pool, _one_thread():
            simulate = simulating.Simulator(known, self._sizes.fitting, pool)
            judge = simulating.Simulator(known, self._sizes.judging, pool)
            resumed = progress is not None
            if progress is None:
                progress = fitting.begun(problem, plan, start.as_array(), judge)
                documents.keep(out, key, progress)

            def tell(now: Progress, done: int) -> None:
                number = min(now.generation + 1, plan.generations)
                best, begin = now.best_misfit, now.start
                watch(
                    FitProgress(number, plan.generations, done, plan.members, begin, best, resumed)
                )

            finished = fitting.continued(
                problem, plan, progress, simulate, judge,
                lambda now: documents.keep(out, key, now), tell, stopped,
            )  # fmt: skip
            best = _rounded(Parameters.of(progress.best))
            if finished:
                best = _rounded(_with_threshold(best, held, self._sizes.judging))
            table: CalibrationTable | None = None
            found: tuple[Trade, ...] = ()
            if finished:
                table = self._table(best, held)
                found = self._trades(problem, plan, progress, held, best, table, judge)
        seconds = time.monotonic() - began
        provenance = self._provenance(settings, held, progress, start, finished, seconds)
        document = documents.calibration(best, provenance, _spread(problem, progress))
        if table is not None:
            document |= {"table": documents.shown(table), "trades": documents.traded(found)}
        documents.write(out, document)
        if finished:
            documents.part_of(out).unlink(missing_ok=True)
        return Fit(out, finished, progress.start, progress.best_misfit, seconds, table, found)

    def _problem(
        self, start: Parameters, held: Figures, settings: FitSettings
    ) -> tuple[Problem, Plan]:
        world = worlds.lived(start, JUDGING_SEED, self._sizes.fitting)
        noise = worlds.with_intervals(world)
        wanted = [(t, t.fit) for t in held.targets if t.fit is not None]
        errors = [np.hypot(span.scale, noise[t.id].scale) for t, span in wanted]
        dates = [k for k, (t, _) in enumerate(wanted) if t.source.startswith(targets.DATES)]
        others = [k for k in range(len(wanted)) if k not in dates]
        of_dates = [INDEX[name] for name in OF_DATES]
        blocks: tuple[Block, ...] = (
            (of_dates, dates),
            ([place for place, name in enumerate(NAMES) if name not in OF_DATES + UNBOUND], others),
        )
        problem = Problem(
            BOUNDS, np.array([span.value for _, span in wanted]), np.array(errors), blocks
        )
        known = [target.id for target in held.targets if target.id != "auc"]
        plan = Plan(
            generations=settings.generations,
            members=settings.members,
            seed=settings.seed,
            spread=SPREAD,
            fitted=[known.index(target.id) for target, _ in wanted],
            judging_seed=JUDGING_SEED,
            weight=WEIGHT,
        )
        return problem, plan

    def _table(self, p: Parameters, held: Figures) -> CalibrationTable:
        size = self._sizes.checking
        world = worlds.lived(p, worlds.CHECK_SEED, size)
        found = worlds.with_intervals(world)
        rows = tuple(
            CalibrationRow(
                id=target.id,
                what=target.what,
                source=target.source,
                role=target.role,
                fitted_to=None if target.fit is None else target.fit.value,
                published=target.check.value,
                low=target.check.low,
                high=target.check.high,
                approximate=target.approximate,
                simulated=found[target.id].value,
                simulated_low=found[target.id].low,
                simulated_high=found[target.id].high,
                inside=target.check.holds(found[target.id].value),
            )
            for target in held.targets
        )
        return CalibrationTable(
            rows=rows,
            equations=EQUATIONS,
            parameters=p.digest(),
            figures=held.origin,
            split_seed=held.split_seed,
            seed=worlds.CHECK_SEED,
            couples=world.people.size,
            evenings=len(world.evenings),
            quarrels=world.talks.size,
        )

    def _trades(
        self,
        problem: Problem,
        plan: Plan,
        progress: Progress,
        held: Figures,
        best: Parameters,
        table: CalibrationTable,
        judge: fitting.Simulate,
    ) -> tuple[Trade, ...]:
        known = [target for target in held.targets if target.id != "auc"]
        bad = {row.id for row in table.rows if not row.inside}
        return trades.measured(
            problem,
            known,
            plan.fitted,
            (np.array(progress.seen), np.array(progress.figures)),
            best.as_array(),
            [place for place, target in enumerate(known) if target.id in bad],
            judge,
            plan.judging_seed,
        )

    def _provenance(
        self,
        settings: FitSettings,
        held: Figures,
        progress: Progress,
        start: Parameters,
        finished: bool,
        seconds: float,
    ) -> dict[str, Any]:
        return {
            "made_by": "soullink calibrate",
            "code": self._version,
            "equations": EQUATIONS,
            "date": self._clock.now().date().isoformat(),
            "method": METHOD,
            "objective": OBJECTIVE,
            "figures": held.origin,
            "figures_digest": held.digest,
            "split_seed": held.split_seed,
            "fitted": [target.id for target in held.targets if target.fit is not None],
            "held_out": [target.id for target in held.targets if target.fit is None],
            "seed": settings.seed,
            "generations": [progress.generation, settings.generations],
            "members": settings.members,
            "start": start.digest(),
            "misfit": {
                "start": round(progress.start, 4),
                "by_generation": [round(value, 4) for value in progress.history],
                "best": round(progress.best_misfit, 4),
            },
            "finished": finished,
            "seconds": round(seconds),
        }


def _read(path: Path | None) -> Parameters:
    if path is None:
        return CURRENT
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise parameters.UnusableCalibrationError(
            f"{path} cannot be read: {error.strerror or error}."
        ) from None
    except UnicodeDecodeError:
        raise parameters.UnusableCalibrationError(f"{path} is not text.") from None
    return parameters.from_text(text, str(path))


def _figures(data: Path | None) -> Figures:
    if data is None:
        counted, origin = targets.shipped_counts(), "counted figures that ship with SoulLink"
    elif data.is_dir():
        counted, origin = split.counted(data), "counted from the data given"
    else:
        raise UnusableDataError(
            f"{data} is no folder; --data names the one with couples_acitelli and speed_dating."
        )
    rows = targets.of_counted(counted)
    return Figures(rows, origin, counted["split_seed"], digest([asdict(row) for row in rows])[:8])


def _rounded(p: Parameters) -> Parameters:
    return Parameters(**documents.rounded(p.as_dict()))


def _with_threshold(p: Parameters, held: Figures, size: Size) -> Parameters:
    """Return `p` with the threshold at which the fitted share says yes: an intercept, solved last.

    The threshold is found by interpolation between evenings lived with THRESHOLDS about it.
    """
    (wanted,) = (t.fit.value for t in held.targets if t.id == "yes_rate" and t.fit is not None)
    low, high = BOUNDS[INDEX["yes_threshold"]]
    tried = np.clip(p.yes_threshold + THRESHOLDS, low, high)
    many = [replace(p, yes_threshold=float(value)) for value in tried]
    lived = dating.simulated_under(many, JUDGING_SEED, size.evenings)
    shares = np.array([dating.summary(evenings)["yes_rate"] for evenings in lived])
    # The share falls as the threshold rises; interpolation wants it rising.
    found = float(np.interp(wanted, shares[::-1], tried[::-1]))
    return replace(p, yes_threshold=found)


def _spread(problem: Problem, progress: Progress) -> dict[str, list[float]]:
    shown: FloatArray = problem.shown(progress.members)
    low, high = np.quantile(shown, (0.05, 0.95), axis=0)
    return {
        name: [round(float(a), documents.DIGITS), round(float(b), documents.DIGITS)]
        for name, a, b in zip(NAMES, low, high, strict=True)
    }


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let workers that start now use one thread each: more would only contend."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
