"""Profiles survive being written and read, alone and in crowds."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soullink.kernel.errors import InvalidInputError
from soullink.modules.profiles.api import (
    DOMAINS,
    FACETS,
    SCHWARTZ_VALUES,
    DuplicatePersonError,
    InvalidProfileError,
)
from soullink.modules.profiles.domain import clean_line, clean_text

TRAITS = [*DOMAINS, *(facet for domain in DOMAINS for facet in FACETS[domain])]
LINES = st.text(min_size=1, max_size=40).filter(lambda text: clean_line(text) != "")
TEXTS = st.text(min_size=1, max_size=200).filter(lambda text: clean_text(text) != "")
LEVELS = st.sampled_from(["low", "average", "high"])


def _numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


DOCUMENTS = st.fixed_dictionaries(
    {"id": st.just("someone"), "name": LINES},
    optional={
        "language": st.sampled_from(["en", "zh"]),
        "birth_date": st.dates().filter(lambda day: 1910 < day.year < 2007).map(str),
        "sex": st.sampled_from(["female", "male"]),
        "pronouns": LINES,
        "city": LINES,
        "languages": st.lists(LINES, max_size=3),
        "traits": st.one_of(
            st.fixed_dictionaries(
                {"percentiles": st.dictionaries(st.sampled_from(TRAITS), _numbers(0, 100))}
            ),
            st.fixed_dictionaries({"levels": st.dictionaries(st.sampled_from(TRAITS), LEVELS)}),
            st.fixed_dictionaries(
                {
                    "answers": st.fixed_dictionaries(
                        {
                            "inventory": st.just("ipip-neo-120"),
                            "answers": st.lists(st.integers(1, 5), min_size=120, max_size=120),
                        }
                    )
                }
            ),
        ),
        "attachment": st.fixed_dictionaries(
            {}, optional={"anxiety": st.one_of(_numbers(1, 7), LEVELS), "avoidance": LEVELS}
        ),
        "values": st.dictionaries(st.sampled_from(SCHWARTZ_VALUES), _numbers(0, 6)),
        "interests": st.lists(LINES, max_size=3),
        "essays": st.dictionaries(LINES, TEXTS, max_size=3).filter(
            lambda essays: len({clean_line(title) for title in essays}) == len(essays)
        ),
        "wants": st.fixed_dictionaries({}, optional={"goal": st.just("dating"), "text": TEXTS}),
        "secrets": st.lists(LINES, max_size=2),
        "source_id": LINES,
    },
)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(document=DOCUMENTS)
def test_what_is_saved_is_loaded_equal(profiles, tmp_path: Path, document) -> None:
    person = profiles.from_document(document, "generated")
    profiles.save(person, tmp_path / "someone.yaml")
    assert profiles.load(tmp_path / "someone.yaml") == person
    (tmp_path / "someone.json").write_text(json.dumps(profiles.to_document(person)))
    assert profiles.load(tmp_path / "someone.json") == person


def test_saving_replaces_whole_files_and_leaves_nothing_else(profiles, tmp_path: Path) -> None:
    path = tmp_path / "new" / "ada.yaml"
    profiles.save(profiles.from_document({"name": "Ada", "city": "Delft"}, "a"), path)
    profiles.save(profiles.from_document({"name": "Ada"}, "a"), path)
    assert profiles.load(path).city is None
    assert [file.name for file in path.parent.iterdir()] == ["ada.yaml"]
    assert path.stat().st_mode & 0o077 == 0


def test_saving_where_nothing_can_be_written_is_told(profiles, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match="cannot be written"):
        profiles.save(profiles.from_document({"name": "Ada"}, "a"), tmp_path / "file" / "a.yaml")


def test_unknown_fields_are_left_out_of_the_document(profiles) -> None:
    document = profiles.to_document(profiles.from_document({"name": "Sam", "age": 24}, "a"))
    assert document == {"id": "sam", "name": "Sam", "language": "en", "age": 24}


def test_a_folder_is_loaded_sorted_by_id(profiles, tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text("name: Zoe")
    (tmp_path / "2.json").write_text('{"name": "Ben"}')
    (tmp_path / "3.yml").write_text("{id: ada, name: Z}")
    (tmp_path / "README.md").write_text("no profile")
    assert [person.id for person in profiles.load_all(tmp_path)] == ["ada", "ben", "zoe"]


def test_two_files_with_one_id_are_both_named(profiles, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: Ada")
    (tmp_path / "two.json").write_text('{"id": "ada", "name": "Eve"}')
    with pytest.raises(DuplicatePersonError, match=r"'ada' is in both one\.yaml and two\.json"):
        profiles.load_all(tmp_path)


def test_an_empty_folder_is_told(profiles, tmp_path: Path) -> None:
    with pytest.raises(InvalidProfileError, match="holds no profile"):
        profiles.load_all(tmp_path)


def test_lines_of_jsonl_are_named_in_errors(profiles, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text('{"name": "Zoe"}\n\n{"name": "Ada"}\n')
    assert [person.id for person in profiles.load_all(path)] == ["ada", "zoe"]
    path.write_text('{"name": "Zoe"}\n{"name": 4}\n')
    with pytest.raises(InvalidProfileError, match=r"all\.jsonl, line 2: 'name'"):
        profiles.load_all(path)
