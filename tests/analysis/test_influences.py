"""What would change the outcome most: in words, in order, the same whoever comes first."""

from collections.abc import Mapping

import pytest

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.analysis.api import Influences, Moved, Report
from soullink.modules.analysis.domain import influences
from soullink.modules.analysis.domain.wording.influences import FACTORS, RANGES
from soullink.modules.analysis.render.page import page
from soullink.modules.analysis.wiring import build
from soullink.modules.simulation.domain.sensitivity.factors import FACTORS_VARIED
from soullink.modules.simulation.sensitivity.api import (
    OUTCOMES,
    Change,
    FactorEffect,
    TurningPoint,
    TurningPoints,
)
from tests.analysis.lived import FIVE, PERSONALITY, Lived, lived, person
from tests.analysis.promises import promises
from tests.analysis.sample import sample_report

ADA, BEN = person("ada", name="Ada"), person("ben", name="Ben {x}")
AT_ALL = {name: Change(0.0, -0.01, 0.01) for name in OUTCOMES}


def changes(value: float, sure: bool = True) -> Mapping[str, Change]:
    room = abs(value) / 2 if sure else 2 * abs(value)
    return {name: Change(value, value - room, value + room) for name in OUTCOMES}


def effect(who: int, name: str, value: float, sure: bool = True) -> FactorEffect:
    kind = next(factor.kind for factor in FACTORS_VARIED if factor.name == name)
    known = 0.4 if kind == "trait" else None
    return FactorEffect(who, name, kind, 1.0, known, changes(value, sure))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def course() -> Lived:
    return lived((ADA, BEN), FIVE[:2], count=60, alternatives=True)


def points(course: Lived, *shares: float) -> TurningPoints:
    turns = course.course.turns[: len(shares)]
    return TurningPoints(
        tuple(
            TurningPoint(
                turn.episode, turn.sequence, turn.speaker, str(turn.act), "joke", None,
                changes(share),  # type: ignore[arg-type]
            )
            for turn, share in zip(turns, shares, strict=True)
        ),
        dict.fromkeys(OUTCOMES, 0.6),
        dict.fromkeys(OUTCOMES, 0.6 - sum(shares)),
        12,
    )  # fmt: skip


def report(course: Lived, moved: Moved | None, language: Language = "en") -> Report:
    return build(PERSONALITY).report(
        course.course, course.replicas, course.alternatives, language, moved=moved
    )


def found(course: Lived, moved: Moved, language: Language = "en") -> Influences:
    made = report(course, moved, language).influences
    assert made is not None
    return made


def test_the_strongest_comes_first_and_conduct_is_among_them(course: Lived) -> None:
    made = found(
        course,
        Moved(
            (effect(0, "neuroticism", -0.9), effect(1, "trust", 0.8), effect(1, "mood", 0.0)),
            400,
            points(course, 0.02, -0.05),
        ),
    )
    assert [(one.name, one.person) for one in made.factors[:2]] == [
        ("neuroticism", 0),
        ("trust", 1),
    ]
    assert {one.kind for one in made.factors} >= {"trait", "state", "conduct"}
    assert made.tried == 3 + len(course.alternatives)
    assert len(made.factors) <= influences.MOST
    assert [one.satisfaction.value for one in made.moments] == [-0.05, 0.02]
    shares = sum(one.satisfaction.value for one in made.moments)
    assert shares == pytest.approx(made.with_moments - made.without_moments)
    assert "Neuroticism (Ada)" in made.summary
    assert "-90 points" in made.summary
    assert "no advice" in made.summary


def test_what_may_be_chance_is_not_said_to_move_anything(course: Lived) -> None:
    quiet = Moved((effect(0, "mood", 0.001, sure=False),), 40, points(course))
    made = influences.influences(quiet, [], course.course, "en")
    assert "none moves the outcome clearly" in made.summary
    assert made.moments == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_factor_has_words_and_none_promises(course: Lived, language: Language) -> None:
    assert set(FACTORS) == {factor.name for factor in FACTORS_VARIED}
    assert set(RANGES) == {*(factor.kind for factor in FACTORS_VARIED), "conduct"}
    for factor in FACTORS_VARIED:
        moved = Moved((effect(1, factor.name, 0.5),), 40, points(course, 0.04))
        made = influences.influences(moved, [], course.course, language)
        assert "{" not in made.summary.replace("{x}", "")
        assert promises(made.summary, language) == []
        assert made.factors[0].title in made.summary


def test_swapping_the_two_swaps_the_rows(course: Lived) -> None:
    other = lived((BEN, ADA), FIVE[:2], count=60, alternatives=True)
    one = found(
        course, Moved((effect(0, "trust", 0.3), effect(1, "mood", 0.2)), 40, points(course))
    )
    two = found(other, Moved((effect(1, "trust", 0.3), effect(0, "mood", 0.2)), 40, points(other)))
    for here, there in zip(one.factors, two.factors, strict=True):
        assert (here.title, here.together.value) == (
            there.title,
            pytest.approx(there.together.value),
        )
        assert there.person == (None if here.person is None else 1 - here.person)


def test_without_it_the_report_has_no_such_section(course: Lived) -> None:
    plain = report(course, None)
    assert plain.influences is None
    assert 'id="moved"' not in page(plain)
    assert 'href="#moved"' not in page(plain)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_it_with_numbers_beside_the_bars(language: Language) -> None:
    html = page(sample_report(language))
    section = html.partition('id="moved"')[2].partition("</section>")[0]
    title = {"en": "What would change this most", "zh": "最能改变结果的是什么"}[language]
    assert title in section
    assert "\u221216" in section
    assert section.count('role="img"') == 6
    assert {"en": "not told", "zh": "未透露"}[language] in section
