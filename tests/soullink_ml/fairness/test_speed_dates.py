"""Reading speed dates for an audit."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink_ml.datasets.moments import MOMENTS, Moment
from soullink_ml.fairness import predictions, speed_dates
from soullink_ml.fairness.dates import Dates, Scores
from soullink_ml.features.registry import PAIR, PERSON
from tests.soullink_ml.fairness.made_up import WORLD, write

Change = Callable[[dict[str, str]], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "dates.csv")


def _changed(file: Path, change: Change) -> Path:
    with file.open(encoding="latin-1", newline="") as opened:
        reader = csv.DictReader(opened)
        names, rows = list(reader.fieldnames or ()), list(reader)
    for row in rows:
        change(row)
    with file.open("w", encoding="latin-1", newline="") as opened:
        writer = csv.DictWriter(opened, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_both_directions_of_every_date_are_read(file: Path) -> None:
    dates = speed_dates.read(file)
    assert dates.people == WORLD.waves * WORLD.side * 2
    assert dates.viewer.size == WORLD.waves * WORLD.side**2 * 2
    assert (dates.viewer[dates.reverse] == dates.shown).all()
    assert (dates.side[dates.viewer] != dates.side[dates.shown]).all()
    assert set(dates.groups["race"]) == {"white", "asian"}
    assert set(dates.groups["race x gender"]) == {
        f"{race} {gender}" for race in ("white", "asian") for gender in ("woman", "man")
    }


@pytest.mark.parametrize("model", predictions.MODELS)
def test_race_reaches_no_score(file: Path, model: predictions.Model) -> None:
    """Everybody's race is changed; every feature and every score stays as it was."""
    before = speed_dates.read(file)

    def change(row: dict[str, str]) -> None:
        row["race"] = {"4.0": "1.0", "2.0": "3.0"}[row["race"]]

    after = speed_dates.read(_changed(file, change))
    assert set(after.groups["race"]) == {"black", "latino"}
    assert np.array_equal(before.person_features, after.person_features, equal_nan=True)
    assert np.array_equal(before.pair_features, after.pair_features, equal_nan=True)
    first, second = (_scored(dates, model) for dates in (before, after))
    assert np.array_equal(first.decision, second.decision)
    assert np.array_equal(first.match, second.match)


def _scored(dates: Dates, model: predictions.Model) -> Scores:
    rows = np.arange(dates.viewer.size)
    inside = dates.wave_of_row == 1
    found = predictions.MODELS[model](dates, rows[~inside], dates, rows[inside])
    for chances in (found.decision, found.match):
        assert chances.size == inside.sum()
        assert ((chances > 0) & (chances < 1)).all()
    other = predictions.inside(dates, rows[inside])
    assert found.match == pytest.approx(found.match[other])
    return found


def test_no_feature_reads_race_or_a_close_proxy_of_it() -> None:
    features = [
        one
        for one in (*PERSON, *PAIR)
        if one.name in (*speed_dates.PERSON_FEATURES, *speed_dates.PAIR_FEATURES)
    ]
    assert len(features) == len(speed_dates.PERSON_FEATURES) - 1 + len(speed_dates.PAIR_FEATURES)
    for feature in features:
        for column in feature.columns:
            assert MOMENTS[column] in {Moment.SIGN_UP, Moment.PLAN}, column
    for column in ("race", "samerace", "imprace", "imprelig", "from", "zipcode", "income"):
        assert MOMENTS[column] is Moment.WITHHELD


def test_what_was_not_answered_is_unknown(file: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["iid"] == "1":
            row["age"] = row["field_cd"] = row["race"] = ""

    dates = speed_dates.read(_changed(file, change))
    unknown = np.flatnonzero(np.array(dates.groups["race"]) == "")
    assert unknown.size == 1
    assert dates.groups["race x gender"][unknown[0]] == ""
    features = dates.person_features[unknown[0]]
    assert np.isnan(features[speed_dates.PERSON_FEATURES.index("age")])
    assert np.isfinite(_scored(dates, "logistic").decision).all()


def test_everybody_keeps_their_own_race(file: Path) -> None:
    """Rows in another order, one of them without a partner's number: people stay who they are."""

    def marked(row: dict[str, str]) -> None:
        row["race"] = "4.0" if float(row["age"]) >= 6 else "2.0"

    for change in (marked, lambda row: row.update(pid="") if row["pid"] == "13.0" else None):
        dates = speed_dates.read(_changed(file, change))
        age = dates.person_features[:, speed_dates.PERSON_FEATURES.index("age")]
        assert dates.groups["race"] == tuple("asian" if one >= 6 else "white" for one in age)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dec", "2", "neither 0 nor 1"),
        ("gender", "", "neither 0 nor 1"),
        ("order", "soon", "no whole number"),
    ],
)
def test_a_wrong_file_gives_one_sentence(file: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        speed_dates.read(_changed(file, lambda row: row.update({name: value})))


def test_another_file_gives_one_sentence(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInputError, match="no column iid"):
        speed_dates.read(tmp_path / "other.csv")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        speed_dates.read(tmp_path / "none.csv")
    text = file.read_text("latin-1").replace("race", "rase")
    file.write_text(text, "latin-1")
    with pytest.raises(InvalidInputError, match="no column race"):
        speed_dates.read(file)


def test_the_real_dates_are_read_whole(data_samples: Path) -> None:
    dates = speed_dates.read(data_samples / "speed_dating" / "dates.csv")
    assert (dates.people, dates.viewer.size) == (360, 5480)
    assert dates.groups["race"].count("asian") == 85
    assert dates.said_yes.mean() == pytest.approx(0.419, abs=0.002)
