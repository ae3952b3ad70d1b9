"""Measures of behaviour, worked out by hand."""

import numpy as np
import pytest

from soullink.modules.analysis.domain.behaviour import ORDER, behaviours, measured
from soullink.modules.analysis.domain.counts import Counts, of_course, of_replicas
from soullink.modules.analysis.domain.wording.behaviour import NOTES, TITLES
from soullink.modules.simulation.api import ACTS, Act
from tests.analysis import lived as scene
from tests.analysis import made

NAMES = ("Ada", "Ben")


def pair(first: int, second: int) -> np.ndarray:
    return np.array([[first, second]], dtype=np.int64)


def one(name: str, **fields: np.ndarray) -> tuple[list[float], float]:
    each, both = measured(name, of_replicas(made.replicas(**fields)))
    return each[0].tolist(), float(both[0])


def test_positivity_is_a_ratio_of_each_and_of_both() -> None:
    each, both = one("positivity", positive=pair(12, 6), negative=pair(3, 1))
    assert each == [4.0, 6.0]
    assert both == pytest.approx(18 / 4)


def test_a_talk_without_a_negative_turn_counts_one() -> None:
    each, both = one("positivity", positive=pair(12, 6))
    assert each == [12.0, 6.0]
    assert both == 18.0


def test_reciprocity_divides_by_the_turns_that_could_be_answered() -> None:
    each, both = one("reciprocity", positive=pair(10, 5), matched=pair(4, 5))
    assert each == [0.4, 1.0]
    assert both == pytest.approx(9 / 15)


def test_misreadings_are_shares_of_what_was_heard() -> None:
    acts = np.zeros((1, 2, len(ACTS)), dtype=np.int64)
    acts[0, :, ACTS.index(Act.ASK)] = (20, 10)
    each, both = one("misreadings", acts=acts, misreads=pair(1, 3))
    assert each == [0.1, 0.15]
    assert both == pytest.approx(4 / 30)


def test_talk_share_of_the_pair_is_the_first_persons() -> None:
    acts = np.zeros((1, 2, len(ACTS)), dtype=np.int64)
    acts[0, :, ACTS.index(Act.ASK)] = (30, 10)
    assert one("talk_share", acts=acts) == ([0.75, 0.25], 0.75)


@pytest.mark.parametrize("name", ["positivity", "repair_success", "responsiveness", "reciprocity"])
def test_what_never_happened_is_unknown_and_not_zero(name: str) -> None:
    each, both = one(name)
    assert np.isnan([*each, both]).all()


def test_no_case_anywhere_is_shown_as_unknown() -> None:
    counts = of_replicas(made.replicas(3))
    by_name = {b.name: b for b in behaviours(counts, counts, [], NAMES, "en")}
    repair = by_name["repair_success"]
    assert (repair.here, repair.median, repair.low, repair.high) == ((None, None), None, None, None)
    assert by_name["pursue_withdraw"].median == 0.0


def test_replicas_without_a_case_are_left_out_of_the_interval() -> None:
    repairs = np.array([[0, 0], [2, 0], [4, 0]], dtype=np.int64)
    accepted = np.array([[0, 0], [1, 0], [4, 0]], dtype=np.int64)
    many = of_replicas(made.replicas(3, repairs=repairs, repairs_accepted=accepted))
    found = {b.name: b for b in behaviours(many, many, [], NAMES, "en")}["repair_success"]
    assert found.median == pytest.approx(0.75)
    assert found.low == pytest.approx(0.55)


def test_every_measure_has_a_title_and_a_source_in_both_languages() -> None:
    assert set(TITLES) == set(NOTES) == set(ORDER)
    for name in ORDER:
        for language in ("en", "zh"):
            assert TITLES[name][language]
            assert any(str(year) in NOTES[name][language] for year in range(1970, 2026)) or (
                name == "interruptions"
            ), name


@pytest.fixture(scope="module")
def quarrel() -> scene.Lived:
    return scene.lived(
        (
            scene.person("ada", scene.HOSTILE, scene.INSECURE),
            scene.person("ben", scene.HOSTILE, scene.INSECURE),
        ),
        count=20,
    )


def test_evidence_fits_the_measure(quarrel: scene.Lived) -> None:
    here, many = of_course(quarrel.course), of_replicas(quarrel.replicas)
    turns = {(t.episode, t.sequence): t for t in quarrel.course.turns}
    found = {b.name: b for b in behaviours(here, many, quarrel.course.turns, NAMES, "en")}
    for seen in found["misreadings"].evidence:
        assert turns[seen.episode, seen.turn].appraisal.misread
    for seen in found["interruptions"].evidence:
        assert turns[seen.episode, seen.turn].interrupted
    assert found["demands"].evidence
    cut_in = [sum(t.interrupted for t in turns.values() if t.speaker == who) for who in (0, 1)]
    assert found["interruptions"].here == tuple(float(count) for count in cut_in)
    for behaviour in found.values():
        for seen in behaviour.evidence:
            assert seen.quote == turns[seen.episode, seen.turn].speech.words


def test_evidence_shows_both_sides_where_there_are_both(quarrel: scene.Lived) -> None:
    here: Counts = of_course(quarrel.course)
    found = behaviours(here, here, quarrel.course.turns, NAMES, "en")
    acts = {Act(seen.act) for seen in found[0].evidence}
    assert len(found[0].evidence) == 4
    reasons = {seen.why for seen in found[0].evidence}
    assert reasons == {"A warm turn.", "A turn that was hard to hear."}, acts
