"""The reference page and the shipped people keep up with the model."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from soullink.modules.profiles.api import DOMAINS, FACETS, SCHWARTZ_VALUES
from soullink.modules.profiles.document import ProfileDocument
from soullink.modules.profiles.reading import parse_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "reference" / "profile.md").read_text(encoding="utf-8")
PEOPLE = REPOSITORY / "examples" / "people"


def _keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield before + name
        kinds = (field.annotation, *get_args(field.annotation))
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys(kind, f"{before}{name}.")


def test_every_key_of_the_model_has_a_row() -> None:
    keys = list(_keys(ProfileDocument))
    assert "traits.answers.inventory" in keys
    assert [key for key in keys if f"| `{key}` |" not in PAGE] == []


def test_every_row_is_a_key_of_the_model() -> None:
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE, re.MULTILINE))
    assert rows - set(_keys(ProfileDocument)) - set(DOMAINS) - {"sotopia", "okcupid"} == set()


def test_every_name_of_traits_and_values_is_listed() -> None:
    names = {*DOMAINS, *SCHWARTZ_VALUES, *(f for facets in FACETS.values() for f in facets)}
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_the_examples_on_the_page_are_profiles(profiles) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    people = [profiles.from_document(parse_yaml(block, "page"), "page") for block in blocks]
    assert [person.id for person in people] == ["sam", "ada", "mia"]


def test_twelve_people_are_shipped_six_in_each_language(profiles) -> None:
    people = profiles.load_all(PEOPLE)
    assert [person.language for person in people].count("en") == 6
    assert [person.language for person in people].count("zh") == 6
    assert {"ada", "ben", "lin", "chen"} <= {person.id for person in people}
    assert all((PEOPLE / f"{person.id}.yaml").exists() for person in people)


@pytest.mark.parametrize("path", sorted(PEOPLE.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_person_is_complete_or_says_almost_nothing(profiles, path: Path) -> None:
    person = profiles.load(path)
    if person.id == "sam":
        assert profiles.to_document(person).keys() == {"id", "name", "language", "age"}
        return
    assert 4 <= len(person.interests) <= 8
    assert person.essays
    assert person.wants.goal
    assert person.wants.text or person.id == "ruth"
    assert person.deal_breakers
    assert len(person.secrets) == 1
    for text in person.essays.values():
        length = len(text) if person.language == "zh" else len(text.split())
        assert 60 <= length <= 220
        assert (person.language == "zh") == any("\u4e00" <= letter <= "\u9fff" for letter in text)
        if person.language == "zh":
            assert " " not in text
