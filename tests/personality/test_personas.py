"""A persona is exactly as sure of somebody as the profile allows."""

from math import inf, sqrt
from pathlib import Path
from statistics import NormalDist

import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.modules.personality.api import HIGHER_ORDER_VALUES, UNKNOWN, ScoringError
from soullink.modules.personality.domain import (
    TYPICAL_IMPORTANCE,
    VALUE_WEIGHTS,
    estimates_of_values,
    truncated_normal,
    z_of_percentile,
)
from soullink.modules.profiles.api import (
    DOMAINS,
    SCHWARTZ_VALUES,
    Answers,
    Attachment,
    Profile,
)
from soullink.modules.profiles.wiring import build

PEOPLE = Path(__file__).resolve().parents[2] / "examples" / "people"


def _person(**fields) -> Profile:
    return Profile(id=PersonId("ada"), name="Ada", **fields)


def test_nothing_known_is_the_population(personality) -> None:
    persona = personality.persona(_person())
    assert persona.person == "ada"
    assert persona.traits == dict.fromkeys(DOMAINS, UNKNOWN)
    assert persona.facets == {}
    assert persona.anxiety == persona.avoidance == UNKNOWN
    assert persona.values == dict.fromkeys(HIGHER_ORDER_VALUES, UNKNOWN)
    assert (UNKNOWN.mean, UNKNOWN.sd) == (0.0, 1.0)


def test_percentiles_become_standard_deviations(personality) -> None:
    persona = personality.persona(_person(percentiles={"openness": 84.134, "anxiety": 50.0}))
    assert persona.traits["openness"].mean == pytest.approx(1.0, abs=1e-4)
    assert persona.traits["openness"].sd == 0.3
    assert persona.traits["openness"].source == "percentile"
    assert persona.facets["anxiety"].mean == pytest.approx(0.0)
    assert persona.traits["neuroticism"] == UNKNOWN
    assert set(persona.facets) == {"anxiety"}


def test_extreme_percentiles_stay_finite() -> None:
    assert z_of_percentile(0.0) == z_of_percentile(1.0) == pytest.approx(-2.326, abs=1e-3)
    assert z_of_percentile(100.0) == z_of_percentile(98.9) == pytest.approx(2.290, abs=1e-3)


def test_words_are_parts_of_the_normal_distribution(personality) -> None:
    levels = {"openness": "low", "extraversion": "average", "agreeableness": "high"}
    traits = personality.persona(_person(levels=levels)).traits
    # E[x | x > q] = f(q) / 0.3 with f(0.5244) = 0.34769
    assert traits["agreeableness"].mean == pytest.approx(0.347693 / 0.3, abs=1e-4)
    assert traits["openness"].mean == -traits["agreeableness"].mean
    assert traits["extraversion"].mean == pytest.approx(0.0)
    assert traits["openness"].sd == traits["agreeableness"].sd == pytest.approx(0.5144, abs=1e-3)
    assert traits["extraversion"].sd == pytest.approx(0.2975, abs=1e-3)
    assert {traits[name].source for name in levels} == {"level"}


def test_the_truncated_normal_agrees_with_a_sum_over_slices() -> None:
    normal, slices = NormalDist(), 40_000
    for low, high in ((-inf, -0.5), (-0.5, 0.5), (0.3, inf), (-inf, inf)):
        start, width = normal.cdf(low), (normal.cdf(high) - normal.cdf(low)) / slices
        points = [normal.inv_cdf(start + (i + 0.5) * width) for i in range(slices)]
        mean = sum(points) / slices
        sd = sqrt(sum((x - mean) ** 2 for x in points) / slices)
        assert truncated_normal(low, high) == pytest.approx((mean, sd), abs=2e-3)


def test_answers_give_domains_and_facets_with_their_error(personality) -> None:
    answers = Answers("ipip-neo-120", tuple(1 + number % 5 for number in range(120)))
    profile = _person(answers=answers, sex="female", age=30, levels={"openness": "high"})
    scores = {score.name: score for score in personality.score(answers, "female", 30)}
    persona = personality.persona(profile)
    assert len(persona.facets) == 30
    for name, estimate in {**persona.traits, **persona.facets}.items():
        assert (estimate.mean, estimate.sd) == (scores[name].z, scores[name].sem)
        assert estimate.source == "answers"


def test_a_birth_date_chooses_the_norms_like_an_age(personality) -> None:
    from datetime import date

    answers = Answers("ipip-neo-120", tuple(1 + number % 4 for number in range(120)))
    by_age = personality.persona(_person(answers=answers, sex="male", age=62))
    by_date = personality.persona(_person(answers=answers, sex="male", birth_date=date(1964, 1, 1)))
    younger = personality.persona(_person(answers=answers, sex="male", age=30))
    assert by_age == by_date
    assert by_age != younger


def test_a_straight_line_of_answers_leaves_everything_unknown(personality) -> None:
    persona = personality.persona(_person(answers=Answers("ipip-neo-120", (5,) * 120)))
    assert persona.traits == dict.fromkeys(DOMAINS, UNKNOWN)
    assert persona.facets == {}


def test_bad_answers_are_named(personality) -> None:
    with pytest.raises(ScoringError, match="Item 3 is 9"):
        personality.persona(_person(answers=Answers("ipip-neo-120", (3, 3, 9) + (3,) * 117)))


def test_attachment_is_read_against_adult_norms(personality) -> None:
    persona = personality.persona(_person(attachment=Attachment(4.68, 2.92)))
    assert persona.anxiety.mean == pytest.approx(1.0)
    assert persona.avoidance.mean == pytest.approx(0.0)
    assert persona.anxiety.sd == 0.3
    assert persona.anxiety.source == "stated"


def test_attachment_in_words_is_wider_than_in_numbers(personality) -> None:
    persona = personality.persona(_person(attachment=Attachment("high", "low")))
    assert persona.anxiety.mean > 1.0 > -1.0 > persona.avoidance.mean
    assert persona.anxiety.sd > 0.4
    assert persona.anxiety.source == "level"


def test_typical_ratings_are_the_average_person() -> None:
    for estimate in estimates_of_values(TYPICAL_IMPORTANCE).values():
        assert estimate.mean == pytest.approx(0.0)
        assert estimate.sd == pytest.approx(sqrt(0.3))


def test_calling_everything_more_important_changes_nothing() -> None:
    ratings = {name: 1.0 + 0.3 * place for place, name in enumerate(SCHWARTZ_VALUES)}
    higher = {name: rating + 1.5 for name, rating in ratings.items()}
    for name, estimate in estimates_of_values(higher).items():
        assert estimate.mean == pytest.approx(estimates_of_values(ratings)[name].mean)


def test_values_by_hand() -> None:
    ratings = {**TYPICAL_IMPORTANCE, "power": 4.5, "achievement": 5.6, "hedonism": 5.5}
    # 2 more for each of three out of ten: the own mean rises by 0.6, each value stands out by 1.4
    found = estimates_of_values(ratings)
    assert found["self_enhancement"].mean == pytest.approx(1.4 / 0.8)
    assert found["openness_to_change"].mean == pytest.approx((-0.6 * 2 + 1.4 * 0.5) / 2.5 / 0.8)
    assert found["conservation"].mean == pytest.approx(-0.6 / 0.8)
    assert found["self_transcendence"].mean == pytest.approx(-0.6 / 0.8)


def test_one_listed_value_says_a_little_and_stays_wide() -> None:
    found = estimates_of_values({"power": 5.0})
    whole = estimates_of_values({**TYPICAL_IMPORTANCE, "power": 5.0, "achievement": 5.0})
    assert 0.3 < found["self_enhancement"].mean < 1.5
    assert whole["self_enhancement"].sd < 0.6 < found["self_enhancement"].sd < 1.0
    for name in ("conservation", "self_transcendence", "openness_to_change"):
        assert found[name] == UNKNOWN


def test_a_higher_rating_raises_its_own_higher_order_value() -> None:
    for higher, weights in VALUE_WEIGHTS.items():
        for name in weights:
            low = estimates_of_values({**TYPICAL_IMPORTANCE, name: 1.0})[higher].mean
            high = estimates_of_values({**TYPICAL_IMPORTANCE, name: 6.0})[higher].mean
            assert low < high


def test_an_unknown_inventory_has_no_items(personality) -> None:
    with pytest.raises(InvalidInputError, match="not known"):
        personality.items("neo-ffi")


def test_shipped_people_come_out_in_character(personality) -> None:
    personas = {p.id: personality.persona(p) for p in build().load_all(PEOPLE)}
    ada, ben = personas["ada"], personas["ben"]
    assert ada.traits["conscientiousness"].mean > 0.8 > -0.5 > ben.traits["conscientiousness"].mean
    assert ben.traits["extraversion"].mean > 1.0 > ada.traits["extraversion"].mean
    assert ada.anxiety.mean > 0.5 > ada.avoidance.mean
    assert ben.avoidance.mean > 1.0 > ben.anxiety.mean
    assert personas["lin"].traits["neuroticism"].mean > personas["chen"].traits["neuroticism"].mean
    assert personas["sam"].traits == dict.fromkeys(DOMAINS, UNKNOWN)


def test_all_people_of_sotopia_have_a_persona(personality, data_samples: Path) -> None:
    path = data_samples / "sotopia" / "agent_profiles.jsonl"
    people = build().import_people(path, "sotopia")
    personas = [personality.persona(person) for person in people]
    assert len(personas) == 40
    for persona in personas:
        assert {estimate.source for estimate in persona.traits.values()} == {"level"}
        assert "stated" in {estimate.source for estimate in persona.values.values()}
        assert persona.anxiety == persona.avoidance == UNKNOWN
