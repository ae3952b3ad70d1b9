"""People of other systems come in with what is stated about them and nothing more."""

import json
import zipfile
from pathlib import Path

import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.modules.profiles.api import InvalidProfileError, ids_by_source

SOTOPIA = {
    "agent_id": "01X",
    "first_name": "Mia",
    "last_name": "Sander",
    "age": 33,
    "occupation": "Nurse",
    "gender": "Woman",
    "gender_pronoun": "She/her",
    "public_info": "Mia likes jazz.",
    "big_five": "Openness to Experience - Low; Neuroticism - High",
    "moral_values": ["Care", " Fairness"],
    "schwartz_personal_values": ["Self-direction", " Obedience"],
    "secret": "She paints.",
}
COLUMNS = "age,job,offspring,pets,sex,speaks\n"


def test_a_sotopia_person_keeps_what_is_stated(profiles, written) -> None:
    (person,) = profiles.import_people(_lines(written, SOTOPIA), "sotopia")
    assert (person.id, person.name, person.age) == ("mia-sander", "Mia Sander", 33)
    assert person.levels == {"openness": "low", "neuroticism": "high"}
    assert person.values == {"self_direction": 5.0, "conformity": 5.0}
    assert person.secrets == ("She paints.",)
    assert person.essays == {"about": "Mia likes jazz.", "moral values": "Care, Fairness"}
    assert person.source_id == "01X"
    assert person.sex is None
    assert person.city is None
    assert person.interests == ()


def test_namesakes_get_ids_of_their_own(profiles, written) -> None:
    second = {**SOTOPIA, "agent_id": "02X"}
    third = {"agent_id": "03X", "first_name": "Mia"}
    people = profiles.import_people(_lines(written, SOTOPIA, second, third), "sotopia")
    assert ids_by_source(people) == {"01X": "mia-sander", "02X": "mia-sander-2", "03X": "mia"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"big_five": "Charm - High"}, "'big_five' holds 'Charm - High'"),
        ({"schwartz_personal_values": ["Benevolance"]}, "did you mean 'benevolence'?"),
        ({"schwartz_personal_values": "Power"}, "must be a list"),
        ({"first_name": None, "last_name": ""}, "'first_name' is missing"),
        ({"first_name": 4}, "'first_name' must be text"),
        ({"age": "33"}, "'age' must be a whole number"),
    ],
)
def test_a_bad_sotopia_line_is_named(profiles, written, change, expected: str) -> None:
    with pytest.raises(InvalidProfileError) as caught:
        profiles.import_people(_lines(written, SOTOPIA, {**SOTOPIA, **change}), "sotopia")
    assert "line 2: " in str(caught.value)
    assert expected in str(caught.value)


def test_an_okcupid_row_keeps_what_is_stated(profiles, written) -> None:
    path = written(
        COLUMNS
        + "36,hospitality / travel,doesn&rsquo;t have kids&#44; but wants them,"
        + 'has dogs and dislikes cats,f,"english (fluently), c++"\n'
        + "40,rather not say,,,m,\n",
        "people.csv",
    )
    first, second = profiles.import_people(path, "okcupid")
    assert (first.id, first.age, first.sex) == ("okcupid-00001", 36, "female")
    assert first.occupation == "hospitality / travel"
    assert first.languages == ("English (fluently)", "C++")
    assert first.interests == ("dogs",)
    assert first.wants.children == "wants"
    assert first.wants.text == "doesn't have kids, but wants them"
    assert second.occupation is None
    assert second.languages == ()
    assert second.wants.children is None


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("doesn't have kids", None),
        ("has kids", None),
        ("doesn't have kids, but might want them", "open"),
        ("doesn't have kids, and doesn't want any", "does_not_want"),
        ("doesn't want kids", "does_not_want"),
        ("wants kids", "wants"),
        ("has a kid, but doesn't want more", "has_and_done"),
        ("has kids, and wants more", "has_and_wants_more"),
        ("has a kid, and might want more", "open"),
    ],
)
def test_statements_about_children_are_understood(profiles, written, said, understood) -> None:
    path = written(f'{COLUMNS}30,,"{said}",,f,\n', "people.csv")
    (person,) = profiles.import_people(path, "okcupid")
    assert person.wants.children == understood
    assert person.wants.text == said


def test_minors_and_jokes_are_left_out(profiles, written) -> None:
    path = written(f"{COLUMNS}17,,,,f,\n30,,,,f,\n121,,,,m,\n", "people.csv")
    assert [person.id for person in profiles.import_people(path, "okcupid")] == ["okcupid-00002"]


def test_the_limit_counts_people(profiles, written) -> None:
    path = written(COLUMNS + "17,,,,f,\n" + "30,,,,f,\n" * 5 + "broken\n", "people.csv")
    assert len(profiles.import_people(path, "okcupid", limit=3)) == 3
    with pytest.raises(InvalidInputError, match="at least 1"):
        profiles.import_people(path, "okcupid", limit=0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"age,job\n30,x\n", "column sex is missing"),
        (b"", "column age is missing"),
        (COLUMNS.encode() + b"30,,\n", "row 1: the number of columns"),
        (COLUMNS.encode() + b"30,,,,f,,9\n", "row 1: the number of columns"),
        (COLUMNS.encode() + b"old,,,,f,\n", "row 1: 'age' must be a whole number, not 'old'"),
        (COLUMNS.encode() + b"30,,,,x,\n", "'sex' must be m or f"),
        (COLUMNS.encode() + b"30,\xff,,,f,\n", "not UTF-8"),
        (COLUMNS.encode() + b'30,"' + b"x" * 200_000 + b'",,,f,\n', "not CSV"),
        (COLUMNS.encode() + b"17,,,,f,\n", "nobody of 18"),
    ],
)
def test_a_bad_okcupid_file_is_told(profiles, written, content: bytes, expected: str) -> None:
    with pytest.raises(InvalidProfileError) as caught:
        profiles.import_people(written(content, "people.csv"), "okcupid")
    assert expected in str(caught.value)
    assert "people.csv" in str(caught.value)


def test_a_zip_must_hold_one_table(profiles, tmp_path: Path) -> None:
    path = tmp_path / "people.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.csv", f"{COLUMNS}30,,,,f,\n")
    assert len(profiles.import_people(path, "okcupid")) == 1
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("two.csv", "x")
    with pytest.raises(InvalidProfileError, match="exactly one"):
        profiles.import_people(path, "okcupid")


def test_an_unknown_format_and_a_missing_file_are_told(profiles, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="did you mean okcupid"):
        profiles.import_people(tmp_path, "okcupit")
    for name in ("sotopia", "okcupid"):
        with pytest.raises(InvalidProfileError, match="does not exist"):
            profiles.import_people(tmp_path / "nothing.csv", name)


def test_all_people_of_sotopia_come_in(profiles, data_samples: Path, tmp_path: Path) -> None:
    folder = data_samples / "sotopia"
    people = profiles.import_people(folder / "agent_profiles.jsonl", "sotopia")
    assert len(people) == 40
    assert all(len(person.levels) == 5 and person.values for person in people)
    ids = ids_by_source(people)
    lines = (folder / "relationship_profiles.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    assert len(pairs) == 120
    assert all({pair["agent1_id"], pair["agent2_id"]} <= set(ids) for pair in pairs)
    for person in people:
        profiles.save(person, tmp_path / f"{person.id}.yaml")
    assert profiles.load_all(tmp_path) == people


def test_all_adults_of_okcupid_come_in(profiles, data_samples: Path) -> None:
    path = data_samples / "okcupid" / "profiles_revised.csv.zip"
    people = profiles.import_people(path, "okcupid")
    assert len(people) == 59_852
    assert min(person.age for person in people) == 18
    assert not any("&" in (person.wants.text or "") for person in people)
    assert {person.sex for person in people} == {"female", "male"}


def _lines(written, *rows) -> Path:
    return written("".join(json.dumps(row) + "\n" for row in rows), "people.jsonl")
