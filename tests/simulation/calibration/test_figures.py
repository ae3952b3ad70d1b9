"""Figures counted from people with known answers; halves; hostile files."""

import csv
from pathlib import Path

import numpy as np
import pytest

from soullink.modules.simulation.calibration import couples, dating, reading, split, talk, targets
from soullink.modules.simulation.calibration.couples import Couples
from soullink.modules.simulation.calibration.reading import UnusableDataError


def evenings(random: np.random.Generator, count: int = 150) -> list[dating.Block]:
    """Blocks of a social relations model: latent shares .3, .2, .5 and mutual sparks (r = .4)."""
    out = []
    for _ in range(count):
        chooses, appeal = random.normal(size=(2, 2, 12))
        shared, one, two = random.normal(size=(3, 12, 12))
        sparks = [np.sqrt(0.4) * shared + np.sqrt(0.6) * own for own in (one, two)]
        yes = (
            np.sqrt(0.3) * chooses[0][:, None] + np.sqrt(0.2) * appeal[1] + np.sqrt(0.5) * sparks[0]
        )
        back = (
            np.sqrt(0.3) * chooses[1] + np.sqrt(0.2) * appeal[0][:, None] + np.sqrt(0.5) * sparks[1]
        )
        rest = random.random((12, 12))
        none = np.zeros((0, 0))
        out.append(
            dating.Block(yes, back, rest, yes + random.normal(size=(12, 12)), back, none, none)
        )
    return out


def test_shares_and_reciprocity_of_a_social_relations_model_are_found() -> None:
    found = dating.summary(evenings(np.random.default_rng(1)))
    assert found["actor"] == pytest.approx(0.3, abs=0.03)
    assert found["partner"] == pytest.approx(0.2, abs=0.03)
    assert found["pair"] == pytest.approx(0.5, abs=0.03)
    assert found["reciprocity"] == pytest.approx(0.4, abs=0.03)
    # Mutual sparks do not quite average out over twelve dates: (.5 x .4 / 12) / sqrt(.34 x .24).
    assert found["choosy_popular"] == pytest.approx(0.058, abs=0.04)
    assert found["actual"] == pytest.approx(0.0, abs=0.03)
    assert found["perceived"] > 0.7


def test_weights_of_satisfaction_are_found() -> None:
    random = np.random.default_rng(2)
    shared = random.normal(size=(4_000, 1))
    tension = np.sqrt(0.3) * shared + np.sqrt(0.7) * random.normal(size=(4_000, 2))
    view = random.normal(size=(4_000, 2))
    satisfaction = (
        0.4 * view + 0.1 * view[:, ::-1] - 0.3 * tension - 0.2 * tension[:, ::-1]
        + random.normal(size=(4_000, 2))
    )  # fmt: skip
    found = couples.figures(Couples(satisfaction, tension, view))
    scale = satisfaction.std()
    for name, weight in (
        ("own_view", 0.4), ("partner_view", 0.1), ("own_tension", -0.3), ("partner_tension", -0.2),
    ):  # fmt: skip
        assert found[name] == pytest.approx(weight / scale, abs=0.02), name
    assert found["tension"] == pytest.approx(0.3, abs=0.03)


def test_inertia_and_influence_are_found_and_at_two_seconds_are_the_fifth_root() -> None:
    random = np.random.default_rng(3)
    quick = np.array([[0.88, 0.03], [0.03, 0.88]])
    moods = np.zeros((300, 400, 2))
    state = np.zeros((300, 2))
    for turn in range(400):
        for _ in range(talk.RATINGS_IN_A_TURN):
            state = state @ quick + random.normal(size=(300, 2))
        moods[:, turn] = state
    found = talk.figures(moods)
    slow = np.linalg.matrix_power(quick, talk.RATINGS_IN_A_TURN)
    assert found["inertia"] == pytest.approx(slow[0, 0], abs=0.015)
    assert found["influence"] == pytest.approx(slow[0, 1], abs=0.015)
    assert found["inertia_2s"] == pytest.approx(0.88, abs=0.01)
    assert found["influence_2s"] == pytest.approx(0.03, abs=0.01)


def test_the_halves_are_disjoint_whole_and_follow_the_seed_and_not_the_order() -> None:
    names = [str(number) for number in range(148)]
    fit, check = split.halves(names)
    assert (len(fit), len(check)) == (74, 74)
    assert not set(fit) & set(check)
    assert set(fit) | set(check) == set(names)
    assert split.halves(names[::-1]) == (fit, check)
    assert split.halves(names, seed=5) != (fit, check)
    assert abs(len(split.halves(names[:7])[0]) - len(split.halves(names[:7])[1])) == 1


@pytest.mark.parametrize(
    ("freedom", "expected"), [(3, 3.1824), (6, 2.4469), (13, 2.1604), (73, 1.9930)]
)
def test_the_quantile_of_t_is_near_its_table(freedom: int, expected: float) -> None:
    assert split.quantile_of_t(freedom) == pytest.approx(expected, rel=0.01)


def test_an_interval_over_few_units_covers_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(4)
    covered = 0
    for number in range(300):
        units = list(random.normal(size=7))
        spans = split.resampled(lambda some: {"mean": float(np.mean(some))}, units, number, 200)
        covered += spans["mean"].low <= 0.0 <= spans["mean"].high
    assert 0.91 <= covered / 300 <= 0.985


def test_every_row_has_a_source_and_a_role_and_enough_are_of_each() -> None:
    rows = targets.of_counted(targets.shipped_counts())
    assert len({row.id for row in rows}) == len(rows) >= 15
    for row in rows:
        assert row.source
        assert row.check.low <= row.check.value <= row.check.high
        assert (row.fit is None) == (row.role == targets.HELD_OUT)
    roles = [row.role for row in rows]
    assert roles.count(targets.SPLIT) == 15
    assert roles.count(targets.HELD_OUT) >= roles.count(targets.FITTED)


# ---- hostile files -------------------------------------------------------------------------

COUPLE = ("CoupleID", *(f"{n}_{w}" for n in ("Satisfaction", "Tension", "OtherPos") for w in "AP"))


def couples_file(path: Path, rows: int = 40, **wrong: str) -> Path:
    random = np.random.default_rng(5)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COUPLE)
        for number in range(rows):
            writer.writerow([number, *random.normal(size=6)])
        if wrong:
            writer.writerow([wrong.get(name, "1") for name in COUPLE])
    return path


def test_a_table_of_couples_is_read(tmp_path: Path) -> None:
    ids, said = couples.read_acitelli(couples_file(tmp_path / "a.csv"))
    assert (len(ids), said.size) == (40, 40)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column 'CoupleID'"),
        (b"CoupleID,Satisfaction_A\n1,2\n", "no column 'Satisfaction_P'"),
        (b"\xff\xfe\x00bad", "is not text in utf-8"),
        (",".join(COUPLE).encode() + b"\n", "has no rows"),
        (",".join(COUPLE).encode() + b"\n1,2\n", "line 2: there are too few columns"),
        (",".join(COUPLE).encode() + b'\n"1,2', "is not a table"),
        (",".join(COUPLE).encode() + b"\n1,2,2,2,2,2,2\n", "fewer than 20 couples"),
    ],
)
def test_a_file_that_is_no_table_of_couples_is_refused(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "acitelli.csv"
    path.write_bytes(content)
    with pytest.raises(UnusableDataError, match=says) as raised:
        couples.read_acitelli(path)
    assert str(raised.value).count("\n") == 0


@pytest.mark.parametrize("cell", ["many", "nan", "inf", "", "1e999"])
def test_a_cell_that_is_no_number_is_named(tmp_path: Path, cell: str) -> None:
    path = couples_file(tmp_path / "a.csv", Tension_P=cell, CoupleID="x")
    with pytest.raises(UnusableDataError, match="in column Tension_P is no number"):
        couples.read_acitelli(path)


def test_people_who_all_say_the_same_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    rows = "\n".join(f"{n},3,3,1,2,1,2" for n in range(30))
    path.write_text(",".join(COUPLE) + "\n" + rows, encoding="utf-8")
    with pytest.raises(UnusableDataError, match="Satisfaction is the same for everybody"):
        couples.read_acitelli(path)


def dates(waves: int, side: int = 5, dec: str = "1") -> str:
    lines = [",".join(dating.COLUMNS)]
    for wave in range(waves):
        for man in range(side):
            for woman in range(side):
                a, b = 100 * wave + man, 100 * wave + 50 + woman
                yes = dec if (man, woman) == (0, 0) else str((man + woman) % 2)
                lines.append(f"{wave},{a},{b},1,{yes},0.1,6")
                lines.append(f"{wave},{b},{a},0,{(man * woman) % 2},0.1,")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (dates(2), "fewer than 4 waves"),
        (dates(4, side=2), "fewer than three people"),
        (dates(4, dec="2"), "dec must be 0 or 1"),
        (dates(4, dec="maybe"), "in column dec is no number"),
        ("wave,iid\n1,2", "has no column 'pid'"),
    ],
)
def test_dates_that_cannot_be_counted_are_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "dates.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UnusableDataError, match=says):
        dating.waves(path)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(UnusableDataError, match="--data names the folder"):
        split.counted(tmp_path)
    path = couples_file(tmp_path / "a.csv")
    monkeypatch.setattr(reading, "LARGEST", 100)
    with pytest.raises(UnusableDataError, match="larger than"):
        couples.read_acitelli(path)


def test_the_shipped_counts_are_those_of_the_real_data(data_samples: Path) -> None:
    assert split.counted(data_samples) == targets.shipped_counts()
