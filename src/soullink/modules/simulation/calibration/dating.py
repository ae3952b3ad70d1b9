"""First dates in blocks: everybody of one side meets everybody of the other.

Variance of yes and no splits into who chooses, who is chosen, and the pair with chance, by the
two-way analysis of variance without replication (the social relations model of Kenny & La Voie
1984 for a block design); the same code reads simulated blocks and the Columbia speed dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray, Stage
from soullink.modules.simulation.calibration import reading
from soullink.modules.simulation.calibration.estimates import correlation
from soullink.modules.simulation.domain import course, randomness
from soullink.modules.simulation.domain.layout import N_TRAIT, Person
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters, together
from soullink.modules.simulation.scenarios import library

SIDE: Final = 10
BLOCKS: Final = 144


@dataclass(frozen=True, slots=True)
class Block:
    """One evening. All matrices have a row per person of one side, a column per other side.

    yes: (m, w) decisions of the rows about the columns; yes_back: (m, w) of the columns about
    the rows. alike: (m, w) actual likeness. seems, seems_back: perceived likeness.
    traits, traits_back: of the people, (m, 11) and (w, 11); empty where unknown.
    """

    yes: FloatArray
    yes_back: FloatArray
    alike: FloatArray
    seems: FloatArray
    seems_back: FloatArray
    traits: FloatArray
    traits_back: FloatArray


def simulated(seed: int, blocks: int = BLOCKS) -> list[Block]:
    """Return simulated evenings by the numbers in use."""
    return simulated_under((CURRENT,), seed, blocks)[0]


def simulated_under(
    many: Sequence[Parameters], seed: int, blocks: int = BLOCKS
) -> list[list[Block]]:
    """Return simulated evenings, over all shipped first meetings in turn, for each of `many`.

    A person keeps traits, choosiness and appeal; what happens on a date is the pair's own.
    """
    random = np.random.default_rng(seed)
    scenes = [s for s in library.shipped() if s.stage is Stage.FIRST_MEETING]
    each = blocks // len(scenes)
    out: list[list[Block]] = [[] for _ in many]
    for scene in scenes:
        traits = random.normal(size=(each, 2, SIDE, N_TRAIT))
        own = random.integers(0, 2**63, size=(each, 2, SIDE)).astype(np.uint64)
        shape = (each, SIDE, SIDE)
        means = np.stack(
            [
                np.broadcast_to(traits[:, 0, :, None], (*shape, N_TRAIT)),
                np.broadcast_to(traits[:, 1, None, :], (*shape, N_TRAIT)),
            ],
            axis=3,
        ).reshape(-1, 2, N_TRAIT)
        actors = np.stack(
            [np.broadcast_to(own[:, 0, :, None], shape), np.broadcast_to(own[:, 1, None], shape)],
            axis=3,
        ).reshape(-1, 2)
        alike = random.uniform(0.0, 0.6, size=shape)
        keys = random.integers(0, 2**63, size=actors.shape).astype(np.uint64)
        members = len(many)
        p = many[0] if members == 1 else together(many, keys.shape[0])
        batch = course.begin(
            np.tile(means, (members, 1, 1)),
            np.zeros((members * means.shape[0], *means.shape[1:])),
            np.tile(alike.ravel(), members),
            np.tile(randomness.mix(keys), (members, 1)),
            np.tile(actors, (members, 1)),
            p,
        )
        calm = course.Conditions()
        record, situation = course.open_episode(batch, scene, None, 1, calm)
        for _ in course.live_turns(batch, scene, 1, situation, record, calm):
            pass
        course.close_episode(batch, scene, 1, record)
        all_yes = batch.again.reshape(members, *shape, 2).astype(np.float64)
        all_seems = batch.people[..., Person.SIMILARITY].reshape(members, *shape, 2)
        for store, yes, seems in zip(out, all_yes, all_seems, strict=True):
            store += [
                Block(
                    yes[k, ..., 0], yes[k, ..., 1], alike[k], seems[k, ..., 0], seems[k, ..., 1],
                    traits[k, 0], traits[k, 1],
                )
                for k in range(each)
            ]  # fmt: skip
    return out


COLUMNS: Final = ("wave", "iid", "pid", "gender", "dec", "int_corr", "shar")
LEAST_WAVES: Final = 4


def columbia(path: Path) -> list[Block]:
    """Return the Columbia speed dates, one block a wave; people who missed dates are left out."""
    return list(waves(path).values())


def waves(path: Path) -> dict[str, Block]:
    """Return the blocks of a file of speed dates by the name of their wave.

    Raises UnusableDataError where the file is not there or not what it should be.
    """
    rows: dict[str, dict[tuple[str, str], tuple[float, float, float]]] = {}
    men: dict[str, set[str]] = {}
    for row in reading.table(path, COLUMNS, "latin-1"):
        if not row["pid"].strip():
            continue
        me, other = (str(reading.number(row, name, path)) for name in ("iid", "pid"))
        yes = reading.number(row, "dec", path)
        if yes not in (0.0, 1.0):
            raise reading.UnusableDataError(f"{path}: dec must be 0 or 1, not {yes:g}.")
        rows.setdefault(row["wave"], {})[me, other] = (
            yes,
            reading.number(row, "int_corr", path, blank=True),
            reading.number(row, "shar", path, blank=True),
        )
        if row["gender"] == "1":
            men.setdefault(row["wave"], set()).add(me)
    found = {name: _wave(dates, men.get(name, set())) for name, dates in rows.items()}
    for name, block in found.items():
        if min(block.yes.shape) < 3:
            raise reading.UnusableDataError(
                f"{path}: wave {name} has fewer than three people of a side who met all others."
            )
    if len(found) < LEAST_WAVES:
        raise reading.UnusableDataError(f"{path} has fewer than {LEAST_WAVES} waves.")
    return found


def _wave(dates: dict[tuple[str, str], tuple[float, float, float]], men: set[str]) -> Block:
    rows = sorted({a for a, _ in dates if a in men})
    columns = sorted({a for a, _ in dates if a not in men})
    while True:  # leave out whoever missed most dates, until all met all
        missed = {
            person: sum((a, b) not in dates or (b, a) not in dates for a, b in met)
            for person, met in (
                *((r, [(r, c) for c in columns]) for r in rows),
                *((c, [(r, c) for r in rows]) for c in columns),
            )
        }
        worst = max(missed, key=lambda person: missed[person], default=None)
        if worst is None or missed[worst] == 0:
            break
        rows, columns = [r for r in rows if r != worst], [c for c in columns if c != worst]
    shape = (len(rows), len(columns), 3)
    there = np.array([[dates[r, c] for c in columns] for r in rows]).reshape(shape)
    back = np.array([[dates[c, r] for c in columns] for r in rows]).reshape(shape)
    none = np.zeros((0, 0))
    return Block(
        there[..., 0], back[..., 0], there[..., 1], there[..., 2], back[..., 2], none, none
    )


def components(y: FloatArray) -> FloatArray:
    """Return the variances (rows, columns, rest) of a matrix, by expected mean squares."""
    m, w = y.shape
    grand, rows, columns = y.mean(), y.mean(axis=1), y.mean(axis=0)
    rest = y - rows[:, None] - columns[None, :] + grand
    residual = float((rest**2).sum() / ((m - 1) * (w - 1)))
    of_rows = (w * ((rows - grand) ** 2).sum() / (m - 1) - residual) / w
    of_columns = (m * ((columns - grand) ** 2).sum() / (w - 1) - residual) / m
    return np.array([of_rows, of_columns, residual])


def summary(blocks: list[Block]) -> dict[str, float]:
    """Return the figures of first dates over all blocks."""
    size = np.array([float(b.yes.size) for b in blocks])
    total = np.zeros(3)
    rest: list[FloatArray] = []
    rest_back: list[FloatArray] = []
    appeal, choice = [], []
    for block, weight in zip(blocks, size, strict=True):
        # The chooser is the row in one direction and the column in the other.
        back = components(block.yes_back)[[1, 0, 2]]
        total += weight * (components(block.yes) + back) / 2.0
        for store, y in ((rest, block.yes), (rest_back, block.yes_back)):
            left = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0, keepdims=True) + y.mean()
            store.append(left.ravel())
        for chosen, chose in (
            (block.yes_back.mean(axis=1), block.yes.mean(axis=1)),
            (block.yes.mean(axis=0), block.yes_back.mean(axis=0)),
        ):
            appeal.append(chosen - chosen.mean())
            choice.append(chose - chose.mean())
    shares = total / total.sum()
    yes = np.concatenate([np.concatenate([b.yes.ravel(), b.yes_back.ravel()]) for b in blocks])
    back = np.concatenate([np.concatenate([b.yes_back.ravel(), b.yes.ravel()]) for b in blocks])
    alike = np.concatenate([np.tile(b.alike.ravel(), 2) for b in blocks])
    seems = np.concatenate(
        [np.concatenate([b.seems.ravel(), b.seems_back.ravel()]) for b in blocks]
    )
    return {
        "actor": float(shares[0]),
        "partner": float(shares[1]),
        "pair": float(shares[2]),
        "reciprocity": correlation(np.concatenate(rest), np.concatenate(rest_back)),
        "within_pair": correlation(yes, back),
        "choosy_popular": correlation(np.concatenate(appeal), np.concatenate(choice)),
        "yes_rate": float(yes.mean()),
        "actual": _known(alike, yes),
        "perceived": _known(seems, yes),
    }


def _known(x: FloatArray, y: FloatArray) -> float:
    known = ~np.isnan(x)
    return correlation(x[known], y[known])


def with_intervals(
    blocks: list[Block], seed: int, draws: int = 200
) -> dict[str, tuple[float, float, float]]:
    """Return (value, low, high) of every figure; the interval from a bootstrap over blocks."""
    random = np.random.default_rng(seed)
    drawn = [
        summary([blocks[k] for k in random.integers(0, len(blocks), len(blocks))])
        for _ in range(draws)
    ]
    out = {}
    for name, value in summary(blocks).items():
        low, high = np.quantile([values[name] for values in drawn], (0.025, 0.975))
        out[name] = (value, float(low), float(high))
    return out


def match_auc(blocks: list[Block], ridge: float = 30.0) -> float:
    """Return the AUC of mutual yes from both profiles and likeness alone, on unseen evenings.

    A logistic regression (Newton's method) learns on every other evening.
    """
    x, y = zip(*(_profiles(block) for block in blocks), strict=True)
    train_x, train_y = np.concatenate(x[::2]), np.concatenate(y[::2])
    test_x, test_y = np.concatenate(x[1::2]), np.concatenate(y[1::2])
    weights = np.zeros(train_x.shape[1])
    penalty = ridge * np.eye(train_x.shape[1])
    penalty[0, 0] = 0.0
    for _ in range(12):
        p = 1.0 / (1.0 + np.exp(-train_x @ weights))
        gradient = train_x.T @ (train_y - p) - penalty @ weights
        curvature = train_x.T @ (train_x * (p * (1.0 - p))[:, None]) + penalty
        weights += np.linalg.solve(curvature, gradient)
    rank = np.argsort(np.argsort(test_x @ weights)) + 1.0
    hits = test_y > 0
    pairs = hits.sum() * (~hits).sum()
    return float((rank[hits].sum() - hits.sum() * (hits.sum() + 1) / 2) / pairs)


def _profiles(block: Block) -> tuple[FloatArray, FloatArray]:
    m, w = block.yes.shape
    width = block.traits.shape[1]
    one = np.broadcast_to(block.traits[:, None], (m, w, width)).reshape(m * w, width)
    two = np.broadcast_to(block.traits_back[None], (m, w, width)).reshape(m * w, width)
    x = np.concatenate(
        [np.ones((m * w, 1)), one, two, one * two, block.alike.reshape(-1, 1)], axis=1
    )
    return x, (block.yes * block.yes_back).ravel()
