"""soullink explain: what moved the outcome of a run."""

import pytest

from tests.cli.conftest import ADA, BEN, SHORT, Soullink

RUN = "01999999-0000-7000-8000-00000000aaaa"
SWAPPED = "01999999-0000-7000-8000-00000000bbbb"
FEW = ("--samples", "100", "--moments", "3")


@pytest.fixture
def lived(soullink_db: Soullink) -> Soullink:
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--seed", "7", "-q", "--run-id", RUN)
    assert ended.code == 0, ended.err
    return soullink_db


def test_it_shows_effects_shares_and_moments(lived: Soullink) -> None:
    said = lived("explain", "last", "--outcome", "satisfaction", *FEW)
    assert said.code == 0, said.err
    assert "What moved the outcome: satisfaction of both at the end" in said.out
    for words in ("From one end of its range", "make", "Shapley", "Neuroticism", "no advice"):
        assert words in said.out
    chinese = lived("explain", "last", *FEW, "--language", "zh")
    assert "是什么影响了结果：最后仍在交往" in chinese.out


def test_the_same_run_gives_the_same_bytes_and_moments_sum_up(lived: Soullink) -> None:
    asked = ("explain", RUN, "--outcome", "trust", *FEW, "--json")
    first, second = lived(*asked), lived(*asked)
    assert first.code == 0, first.err
    assert first.out == second.out
    found = first.document
    assert found["run_id"] == RUN
    assert found["outcome"] == "trust"
    assert len(found["factors"]) == 52
    sizes = [abs(one["change"]["value"]) for one in found["factors"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(found["moments"]) == 3
    shares = sum(one["change"]["value"] for one in found["moments"])
    assert shares == pytest.approx(found["with_moments"] - found["without_moments"], abs=5e-4)


def test_swapping_the_two_people_swaps_the_rows(lived: Soullink) -> None:
    ended = lived("simulate", BEN, ADA, *SHORT, "--seed", "7", "-q", "--run-id", SWAPPED)
    assert ended.code == 0, ended.err
    ways = [
        lived("explain", run, "--outcome", "satisfaction", *FEW, "--json").document
        for run in (RUN, SWAPPED)
    ]
    here, there = (
        {(one["name"], one["person"]): one["change"]["value"] for one in way["factors"]}
        for way in ways
    )
    for (name, person), value in here.items():
        turned = None if person is None else 1 - person
        assert there[name, turned] == pytest.approx(value, abs=2e-4), name
    assert [one["title"] for one in ways[0]["moments"]] == [
        one["title"] for one in ways[1]["moments"]
    ]


def test_what_the_profiles_leave_open_has_groups_of_traits_alone(lived: Soullink) -> None:
    said = lived(
        "explain", "last", *FEW, "--over", "profile", "--outcome", "satisfaction", "--json"
    )
    assert said.code == 0, said.err
    names = {group["name"] for group in said.document["groups"]}
    assert names <= {"personality", "attachment", "values"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nosuchrun", 2), ("\u202eevil", 2), ("'; DROP TABLE simulation_run; --", 2), ("", 2),
        ("../../etc/passwd", 2), ("dead", 3), ("01999999-0000-7000-8000-00000000dead", 3),
        ("a" * 5000, 3), ("last\n", 0),
    ],
)  # fmt: skip
def test_hostile_run_ids_are_one_sentence(lived: Soullink, name: str, code: int) -> None:
    ended = lived("explain", name, *FEW, "--json")
    assert ended.code == code, ended.err
    if code:
        assert ended.out == ""
        assert len(ended.err.strip().splitlines()) == 1
        assert len(ended.err) < 500
        assert "bug" not in ended.err


@pytest.mark.parametrize(
    "wrong", [("--samples", "0"), ("--moments", "99"), ("--outcome", "love"), ("--over", "all")]
)
def test_wrong_options_are_refused(soullink_db: Soullink, wrong: tuple[str, str]) -> None:
    ended = soullink_db("explain", "last", *wrong)
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1


def test_without_runs_it_says_how_to_begin(soullink_db: Soullink) -> None:
    ended = soullink_db("explain", "last")
    assert ended.code == 3
    assert "soullink simulate" in ended.err
