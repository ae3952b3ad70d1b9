"""Everything the report can say: in both languages, without a promise."""

import importlib
import pkgutil
import string
from collections.abc import Iterator, Mapping

import pytest

from soullink.kernel.language import LANGUAGES
from soullink.modules.analysis.api import DIMENSIONS, RELATIONSHIP_STATES
from soullink.modules.analysis.domain import wording
from soullink.modules.analysis.domain.wording import codes
from soullink.modules.analysis.domain.wording.dimensions import SUMMARIES
from soullink.modules.analysis.domain.wording.feedback import CHANGES, FRICTIONS, STEPS
from soullink.modules.analysis.domain.wording.phrases import joined, listed, say, text
from soullink.modules.analysis.domain.wording.prediction import INTERVENTIONS
from soullink.modules.simulation.api import ACTS
from soullink.modules.simulation.domain.environment import LIFE_EVENTS
from tests.analysis.promises import promises


def texts() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield every text of the wording modules with where it stands."""
    for found in pkgutil.iter_modules(wording.__path__):
        module = importlib.import_module(f"{wording.__name__}.{found.name}")
        for name, value in vars(module).items():
            if name.isupper():
                yield from _texts_in(value, f"{found.name}.{name}")


def _texts_in(value: object, path: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    if not isinstance(value, Mapping):
        return
    if set(value) == set(LANGUAGES):
        yield path, value
        return
    for key, inner in value.items():
        yield from _texts_in(inner, f"{path}.{key}")


def slots(words: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(words) if field is not None}


def test_there_are_many_texts() -> None:
    assert len(list(texts())) > 200


def test_every_text_says_the_same_slots_in_both_languages() -> None:
    for path, words in texts():
        assert slots(words["en"]) == slots(words["zh"]), path


def test_every_text_is_written_in_its_language() -> None:
    for path, words in texts():
        if not words["en"]:
            assert not words["zh"], path
            continue
        assert any("\u4e00" <= sign <= "\u9fff" for sign in words["zh"]) or len(words["zh"]) < 4, (
            path
        )
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in words["en"]), path
        assert words["en"] != words["zh"], path


def test_no_text_promises_or_diagnoses() -> None:
    for path, words in texts():
        assert promises(words["en"], "en") == [], path
        assert promises(words["zh"], "zh") == [], path


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("You are soulmates.", "en"),
        ("They will fall in love.", "en"),
        ("Happiness is guaranteed!", "en"),
        ("It was meant to be", "en"),
        ("You have an anxiety disorder.", "en"),
        ("你们注定在一起。", "zh"),
        ("你们一定会幸福。", "zh"),
        ("天生一对", "zh"),
    ],
)
def test_promises_are_noticed(words: str, language: str) -> None:
    assert promises(words, language)


def test_every_code_has_its_words() -> None:
    assert set(codes.ACTS) == set(ACTS)
    assert set(codes.DIMENSIONS) == set(SUMMARIES) == set(DIMENSIONS)
    assert set(RELATIONSHIP_STATES) < set(codes.STATES)
    assert set(codes.LIFE_EVENTS) == {event.id for event in LIFE_EVENTS}
    assert set(FRICTIONS) == set(STEPS)
    assert set(CHANGES) < set(INTERVENTIONS)
    for levels in SUMMARIES.values():
        assert set(levels) == {"low", "mixed", "high"}


def test_braces_in_a_name_stay_braces() -> None:
    assert say(text("{name} left.", "{name}走了。"), "en", name="{0.__class__}") == (
        "{0.__class__} left."
    )
    assert codes.life_event("0:illness", ("{name}", "B"), "en") == "{name} was ill."


def test_an_unknown_life_event_is_shown_as_it_is() -> None:
    assert codes.life_event("1:met_a_bear", ("A", "B"), "en") == "met a bear"


@pytest.mark.parametrize(
    ("parts", "english", "chinese"),
    [([], "", ""), (["a"], "a", "a"), (["a", "b"], "a and b", "a和b"),
     (["a", "b", "c"], "a, b and c", "a、b和c")],
)  # fmt: skip
def test_lists_read_as_in_their_language(parts: list[str], english: str, chinese: str) -> None:
    assert listed(parts, "en") == english
    assert listed(parts, "zh") == chinese


def test_sentences_are_strung_together_without_holes() -> None:
    assert joined(["A.", "", "B."], "en") == "A. B."
    assert joined(["甲。", "", "乙。"], "zh") == "甲。乙。"
