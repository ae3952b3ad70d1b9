"""Made-up evenings in the columns of the Columbia experiment."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from soullink_ml.datasets.moments import ACTIVITIES, ATTRIBUTES, MOMENTS, TRAITS, Moment
from soullink_ml.datasets.speed_dates import SpeedDates, from_rows

Rows = list[dict[str, str]]
SIDES = ((6, 6), (7, 5), (5, 6), (6, 6), (8, 8))
"""Men and women of each wave; an uneven side sits rounds out."""
LAST = ("match_es", "satis_2", "attr7_2", "attr1_3", "you_call", "attr3_s")


def rows(seed: int = 1, sides: Sequence[tuple[int, int]] = SIDES, first_wave: int = 1) -> Rows:
    """Return rows as `csv.DictReader` would: sought after people say so, choosy ones date less."""
    generator = np.random.default_rng(seed)
    made: Rows = []
    number = 1000 * first_wave
    for wave, (men, women) in enumerate(sides, start=first_wave):
        answers = [_answers(generator) for _ in range(men + women)]
        people = [str(number + index) for index in range(men + women)]
        number += men + women
        effect = generator.normal(0.0, 1.0, (men + women, 2))
        effect[:, 0] -= 0.5 * np.array([float(one["date"]) - 4.0 for one in answers])
        effect[:, 1] += 0.6 * np.array([float(one["attr3_1"]) - 7.0 for one in answers])
        seats = max(men, women)
        turns = dict.fromkeys(people, 0)
        for evening_round in range(seats):
            for seat in range(seats):
                man, woman = seat, (seat + evening_round) % seats
                if man >= men or woman >= women:
                    continue
                pair = (man, men + woman)
                said = {}
                for who in pair:
                    turns[people[who]] += 1
                for a, b in (pair, pair[::-1]):
                    like = effect[a, 0] + effect[b, 1] + generator.normal()
                    said[a] = (like > 0.2, like)
                for a, b in (pair, pair[::-1]):
                    row = dict(answers[a])
                    row |= {
                        "iid": people[a],
                        "pid": people[b],
                        "partner": str(b),
                        "wave": str(wave),
                        "gender": "1" if a < men else "0",
                        "order": str(turns[people[a]]),
                        "match": str(int(said[a][0] and said[b][0])),
                        "met": "2",
                        "race": str(generator.integers(1, 7)),
                    }
                    for name, one in (("", a), ("_o", b)):
                        row |= _recorded(name, said[one], generator)
                    made.append(row)
    return made


def dates(seed: int = 1, sides: Sequence[tuple[int, int]] = SIDES) -> SpeedDates:
    """Return the same as arrays."""
    return from_rows(rows(seed, sides), "made up")


def write(path: Path, made: Sequence[Mapping[str, str]]) -> Path:
    """Write rows as a CSV file."""
    with path.open("w", newline="", encoding="latin-1") as file:
        writer = csv.DictWriter(file, sorted({name for row in made for name in row}))
        writer.writeheader()
        writer.writerows(made)
    return path


def _answers(generator: np.random.Generator) -> dict[str, str]:
    made = {
        "age": str(generator.integers(20, 35)),
        "field_cd": str(generator.integers(1, 14)),
        "goal": str(generator.integers(1, 7)),
        "date": str(generator.integers(1, 8)),
        "go_out": str(generator.integers(1, 8)),
        "exphappy": str(generator.integers(1, 11)),
    }
    made |= {name: str(generator.integers(1, 11)) for name in ACTIVITIES}
    made |= {f"{name}3_1": str(generator.integers(4, 11)) for name in TRAITS}
    for kind in ("1_1", "2_1"):
        shares = generator.multinomial(100, np.ones(6) / 6)
        made |= {f"{n}{kind}": str(s) for n, s in zip(ATTRIBUTES, shares, strict=True)}
    made |= {name: str(generator.integers(1, 11)) for name in LAST}
    return made


def _recorded(
    suffix: str, said: tuple[bool, float], generator: np.random.Generator
) -> dict[str, str]:
    def rating() -> str:
        return str(int(np.clip(round(6.0 + said[1] + generator.normal()), 1, 10)))

    made = {f"{name}{suffix}": rating() for name in (*ATTRIBUTES, "like", "prob")}
    return {**made, f"dec{suffix}": str(int(said[0]))}


def scrambled(made: Rows, moments: frozenset[Moment], seed: int = 9) -> Rows:
    """Return the rows with every column of these moments replaced by noise."""
    generator = np.random.default_rng(seed)
    return [
        {
            name: str(generator.integers(1, 11))
            if MOMENTS[name] in moments and name not in {"dec", "dec_o"}
            else value
            for name, value in row.items()
        }
        for row in made
    ]
