"""Files of speed dates: the evening's clock, missing rows and columns, and what is no such file."""

from pathlib import Path

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink_ml.datasets.speed_dates import from_rows, read
from soullink_ml.training import ours
from tests.soullink_ml.interest import made_up


def test_both_rows_of_a_date_share_a_round_and_nobody_is_at_two_tables() -> None:
    dates = made_up.dates(sides=((7, 5), (4, 6)))
    assert (dates.turn != dates.turn[dates.reverse]).any()  # uneven sides sit rounds out
    np.testing.assert_array_equal(dates.round, dates.round[dates.reverse])
    for person in range(dates.people):
        mine = np.flatnonzero(dates.decider == person)
        mine = mine[np.argsort(dates.turn[mine])]
        assert (np.diff(dates.round[mine]) > 0).all()


def test_the_real_evenings_keep_one_clock(data_samples: Path) -> None:
    dates = read(data_samples / "speed_dating" / "dates.csv")
    np.testing.assert_array_equal(dates.round, dates.round[dates.reverse])
    for person in range(dates.people):
        mine = np.flatnonzero(dates.decider == person)
        mine = mine[np.argsort(dates.turn[mine])]
        assert (np.diff(dates.round[mine]) > 0).all()


def test_a_decision_whose_row_is_missing_is_heard_but_not_evaluated() -> None:
    made = made_up.rows(sides=((3, 3), (4, 4)))
    gone = made[0]["pid"]
    for row in made:
        if row["pid"] == gone:
            row["pid"] = ""
    dates = from_rows([row for row in made if row["iid"] != gone], "half")
    assert (~dates.listed).sum() == 3
    assert dates.people == 14
    assert len(dates.one_of_two) == 9 + 16
    whole = from_rows(made_up.rows(sides=((3, 3), (4, 4))), "whole")
    assert dates.match[dates.one_of_two].sum() == whole.match[whole.one_of_two].sum()


def test_matches_are_where_both_said_yes() -> None:
    made = made_up.rows()
    dates = from_rows(made, "made up")
    np.testing.assert_array_equal(dates.match, [float(row["match"]) for row in made])


def test_columns_that_a_file_lacks_are_unknown_and_nothing_fails() -> None:
    kept = {"iid", "pid", "wave", "gender", "order", "dec", "age", "partner"}
    made = [{k: v for k, v in row.items() if k in kept} for row in made_up.rows(seed=3)]
    sparse = from_rows(made, "sparse")
    model = ours.train(made_up.dates())
    for stage in ours.STAGES:
        found = model.predict(sparse, stage)
        assert np.isfinite(found.decision).all()
        assert np.isfinite(found.match).all()
    again = ours.train(sparse).predict(made_up.dates(), "profiles+earlier")
    assert np.isfinite(again.decision).all()


def test_preferences_of_both_scales_are_shares() -> None:
    points = made_up.rows(sides=((3, 3), (4, 4)))
    rated = [
        {k: str(float(v) / 10.0) if k.endswith("1_1") else v for k, v in row.items()}
        for row in points
    ]
    model = ours.train(made_up.dates())
    np.testing.assert_allclose(
        model.predict(from_rows(points, "of 100"), "profiles").decision,
        model.predict(from_rows(rated, "of 10"), "profiles").decision,
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dec": "3"}, "dec is neither 0 nor 1"),
        ({"order": "first"}, "order is no whole number"),
        ({"gender": ""}, "gender is neither 0 nor 1"),
        ({"iid": ""}, "has no iid"),
        ({"wave": "x"}, "wave is no whole number"),
    ],
)
def test_a_bad_line_is_named(change: dict[str, str], said: str) -> None:
    made = made_up.rows(sides=((2, 2),))
    made[3] |= change
    with pytest.raises(InvalidInputError, match=f"Line 5 of made up.*{said}"):
        from_rows(made, "made up")


def test_a_decision_that_stands_twice_is_refused() -> None:
    made = made_up.rows(sides=((2, 2),))
    with pytest.raises(InvalidInputError, match="twice"):
        from_rows([*made, made[0]], "made up")


def test_no_file_and_no_dates_are_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read(tmp_path / "nothing.csv")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInputError, match="no column iid"):
        read(other)
    other.write_text("iid,pid,wave,gender,order,dec\n")
    with pytest.raises(InvalidInputError, match="holds no date"):
        read(other)


def test_a_file_reads_as_its_rows(tmp_path: Path) -> None:
    made = made_up.rows()
    found = read(made_up.write(tmp_path / "dates.csv", made))
    np.testing.assert_array_equal(found.decision, from_rows(made, "").decision)
    assert len(found.digest) == 64
