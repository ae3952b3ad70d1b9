"""What is looked for in a hurry is what would be found at leisure."""

from hypothesis import example, given
from hypothesis import strategies as st

from soullink.modules.simulation.voice import checks, claims
from soullink.modules.simulation.voice.echoes import Echoes, similarity
from soullink.modules.simulation.voice.text import han_share

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
    forms = (
        *(*claims.ENGLISH, claims.ENGLISH_AGE, claims.ENGLISH_HAS, claims.ENGLISH_HAS_NOT),
        *(claims.ENGLISH_NUMBER, claims.ENGLISH_LIKES, claims.ENGLISH_HATES),
        *(claims.ENGLISH_HABIT, claims.ENGLISH_MARRIED, claims.ENGLISH_UNMARRIED),
        *(pattern for _, pattern, _ in claims.ENGLISH_ORIGIN),
    )
    if any(form.search(text) for form in forms):
        assert claims.ENGLISH_SELF.search(text)


def test_every_chinese_form_begins_with_the_speaker() -> None:
    forms = (
        *(*claims.CHINESE, claims.CHINESE_AGE, claims.HAN_HAS, claims.HAN_HAS_NOT),
        *(claims.HAN_NUMBER, claims.HAN_LIKES, claims.HAN_HATES, claims.HAN_HABIT),
        *(claims.HAN_MARRIED, claims.HAN_UNMARRIED),
        *(pattern for _, pattern, _ in claims.HAN_ORIGIN),
    )
    for form in forms:
        assert form.pattern.replace("(?:", "").startswith(claims.HAN_SELF)
