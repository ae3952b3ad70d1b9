"""Reading speed dates for an audit."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink_ml.fairness import predictions, speed_dates
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


def test_race_reaches_no_score(file: Path) -> None:
    """Everybody's race is changed; every feature and every score stays as it was."""
    before = speed_dates.read(file)

    def change(row: dict[str, str]) -> None:
        row["race"] = {"4.0": "1.0", "2.0": "3.0"}[row["race"]]

    after = speed_dates.read(_changed(file, change))
    assert set(after.groups["race"]) == {"black", "latino"}
    assert np.array_equal(before.person_features, after.person_features)
    assert np.array_equal(before.pair_features, after.pair_features)
    scores = [predictions.out_of_wave(dates, predictions.plain) for dates in (before, after)]
    assert np.array_equal(*scores)


def test_no_feature_is_race_or_a_close_proxy_of_it() -> None:
    sensitive = {
        "race", "race_o", "samerace", "imprace", "imprelig", "from", "zipcode", "income",
        "undergra", "mn_sat", "tuition",
    }  # fmt: skip
    read = set(speed_dates.NEEDED) - {"race"}
    assert not sensitive & (read | set(speed_dates.FEATURES))


def test_importances_are_shares_whatever_the_scale(file: Path) -> None:
    before = speed_dates.read(file)

    def change(row: dict[str, str]) -> None:
        for name in speed_dates.WANTS:
            row[name] = str(float(row[name]) * 7)

    after = speed_dates.read(_changed(file, change))
    assert before.person_features == pytest.approx(after.person_features)


def test_what_was_not_answered_is_unknown(file: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["iid"] == "1":
            row["age"] = row["field_cd"] = row["race"] = ""

    dates = speed_dates.read(_changed(file, change))
    features = dates.person_features[0]
    assert np.isnan(features[speed_dates.FEATURES.index("age")])
    assert np.isnan(features[speed_dates.FEATURES.index("field_8")])
    assert dates.groups["race"][0] == dates.groups["race x gender"][0] == ""
    assert np.isfinite(predictions.out_of_wave(dates, predictions.plain)).all()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dec", "2", "neither 0 nor 1"),
        ("dec", "yes", "not a number"),
        ("gender", "", "has no gender"),
        ("pid", "", "no date that both people decided about"),
    ],
)
def test_a_wrong_file_gives_one_sentence(file: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        speed_dates.read(_changed(file, lambda row: row.update({name: value})))


def test_another_file_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInputError, match="no column iid"):
        speed_dates.read(tmp_path / "other.csv")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        speed_dates.read(tmp_path / "none.csv")


def test_the_real_dates_are_read_whole(data_samples: Path) -> None:
    dates = speed_dates.read(data_samples / "speed_dating" / "dates.csv")
    assert (dates.people, dates.viewer.size) == (360, 5480)
    assert dates.groups["race"].count("asian") == 85
    assert dates.said_yes.mean() == pytest.approx(0.419, abs=0.002)
