"""What is looked for in a hurry is what would be found at leisure."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soullink.modules.simulation.voice import checks, claims
from soullink.modules.simulation.voice.echoes import Echoes, similarity
from soullink.modules.simulation.voice.text import han_share

ENGLISH_FORMS = (
    *(*claims.ENGLISH, claims.ENGLISH_AGE, claims.ENGLISH_HAS, claims.ENGLISH_HAS_NOT),
    *(claims.ENGLISH_NUMBER, claims.ENGLISH_LIKES, claims.ENGLISH_HATES, claims.ENGLISH_HABIT),
    *(claims.ENGLISH_MARRIED, claims.ENGLISH_UNMARRIED),
    *(form for _, form, _ in claims.ENGLISH_ORIGIN),
)

LETTERS = st.text("abcde ABC'.é中文人我 12", max_size=40)


def shingles(text: str) -> set[str]:
    letters = "".join(filter(str.isalnum, text.casefold()))
    size = 2 if han_share(letters) > 0.5 else 3
    if len(letters) <= size:
        return {letters} - {""}
    return {letters[at : at + size] for at in range(len(letters) - size + 1)}


def dice(one: str, other: str) -> float:
    left, right = shingles(one), shingles(other)
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


@given(LETTERS, st.frozensets(LETTERS, max_size=6))
@example("", frozenset({""}))
@example("Say it again, please.", frozenset({"Say it again, please!", "Not that."}))
def test_the_most_alike_is_found_whoever_else_was_said(text: str, others: frozenset[str]) -> None:
    expected = max((dice(text, other) for other in others), default=0.0)
    echoes = Echoes(others)
    assert abs(echoes.likeness(text) - expected) < 1e-12
    echoes.add(text)
    assert echoes.likeness(text) == (1.0 if shingles(text) else 0.0)
    for other in others:
        assert abs(similarity(text, other) - dice(text, other)) < 1e-12


@given(st.text("ab*_`<>[](){}#-•1. \n\t/:wdefhtps", max_size=24))
@example("1) first")
@example("see https://a.example")
@example("٣. third")
def test_markup_is_found_by_its_marks(words: str) -> None:
    assert checks.has_markup(words) == (checks._MARKUP.search(words.strip()) is not None)


@given(
    st.lists(
        st.sampled_from(
            [
                "I",
                "i'm",
                "my",
                "My",
                "we've",
                "we",
                "am",
                "have",
                "two",
                "sisters",
                "dog",
                "a",
                "nurse",
                "married",
                "from",
                "Oslo",
                "live",
                "in",
                "29",
                "years",
                "old",
                ",",
                "love",
                "tea",
            ]
        ),
        max_size=8,
    )
)
def test_every_claim_in_english_is_of_somebody_who_says_so(words: list[str]) -> None:
    text = " ".join(words)
    if any(form.regex.search(text) for form in ENGLISH_FORMS):
        assert claims.ENGLISH_SELF.search(text)


@pytest.mark.parametrize("form", ENGLISH_FORMS, ids=lambda form: form.regex.pattern[:24])
@given(data=st.data())
def test_all_that_has_a_form_is_found_by_its_cues(form: claims.Form, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(form.regex))
    found = [match.span() for match in form.finditer(text)]
    assert found == [match.span() for match in form.regex.finditer(text)]


@given(st.lists(st.sampled_from(["if", "as though", "that", "says", "x", "-"]), max_size=12))
def test_what_makes_a_supposition_stands_right_before_it(before: list[str]) -> None:
    words = " ".join([*before, "I'm 29."])
    (match,) = claims.ENGLISH_AGE.finditer(words)
    supposed = claims.SUPPOSED.search(words[: match.start()]) is not None
    assert bool([*claims.meant(claims.ENGLISH_AGE, words)]) is not supposed


def test_every_chinese_form_begins_with_the_speaker() -> None:
    forms = (
        *(*claims.CHINESE, claims.CHINESE_AGE, claims.HAN_HAS, claims.HAN_HAS_NOT),
        *(claims.HAN_NUMBER, claims.HAN_LIKES, claims.HAN_HATES, claims.HAN_HABIT),
        *(claims.HAN_MARRIED, claims.HAN_UNMARRIED),
        *(pattern for _, pattern, _ in claims.HAN_ORIGIN),
    )
    for form in forms:
        assert form.regex.pattern.replace("(?:", "").startswith(claims.HAN_SELF)
