"""What people are and want: fields for matching, and places that are never finer than a cell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.profiles.api import (
    CELL_ROWS,
    Cell,
    InvalidProfileError,
    cell_at,
    cell_distance_km,
    cell_of_text,
    columns_of_row,
)
from soullink.modules.profiles.places import cell_of_city

LATITUDES = st.floats(-90, 90, allow_nan=False)
LONGITUDES = st.floats(-180, 180, allow_nan=False)

FULL = {
    "id": "mia",
    "name": "Mia",
    "gender": ["woman", "non_binary"],
    "interested_in": ["man"],
    "has_children": False,
    "smoking": "never",
    "drinking": "sometimes",
    "religion": "buddhist",
    "looking_for": {
        "age_from": 28,
        "age_to": 40,
        "distance_km": 60,
        "languages": ["Dutch"],
        "smoking": ["never", "sometimes"],
        "drinking": ["never"],
        "religions": ["none", "buddhist"],
        "deal_breakers": ["has_children"],
        "importance": {"age": "essential", "gender": "important"},
    },
}


def test_fields_survive_a_round_trip(profiles, tmp_path) -> None:
    person = profiles.from_document(FULL, "page")
    document = profiles.to_document(person)
    assert {key: document[key] for key in FULL} == FULL
    profiles.save(person, tmp_path / "mia.yaml")
    assert profiles.load(tmp_path / "mia.yaml") == person


def test_what_is_left_out_stays_unknown(profiles) -> None:
    person = profiles.from_document({"name": "Sam"}, "page")
    assert person.gender == person.interested_in == ()
    assert person.has_children is person.smoking is person.religion is person.cell is None
    assert person.looking_for.importance_of("gender") == "essential"
    assert person.looking_for.importance_of("age") == "important"
    assert profiles.to_document(person).keys() == {"id", "name", "language"}


def test_one_word_stands_for_a_list(profiles) -> None:
    person = profiles.from_document({"name": "Sam", "gender": "man"}, "page")
    assert person.gender == ("man",)


def test_coordinates_are_not_kept(profiles) -> None:
    where = {"latitude": 51.922500001, "longitude": 4.479170001}
    person = profiles.from_document({"name": "Sam", "location": where}, "page")
    assert person.cell == cell_at(51.9225, 4.47917)
    kept = json.dumps(profiles.to_document(person)) + repr(person)
    assert "51.9" not in kept
    assert "4.479" not in kept


def test_moving_inside_a_cell_changes_nothing(profiles) -> None:
    def document(latitude: float, longitude: float) -> object:
        where = {"latitude": latitude, "longitude": longitude}
        return profiles.to_document(
            profiles.from_document({"name": "Sam", "location": where}, "page")
        )

    assert document(51.85, 4.40) == document(51.99, 4.40)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"gender": ["lady"]}, "'gender item 1' must be 'woman', 'man' or 'non_binary'"),
        ({"gender": ["man", "man"]}, "names something twice"),
        ({"location": {"latitude": 4.0}}, "latitude and longitude together"),
        ({"location": {"latitude": 91, "longitude": 0}}, "at most 90"),
        ({"location": {"cell": "788-9999"}}, "a cell of the grid"),
        ({"location": {"town": "x"}}, "unknown key 'location.town'"),
        (
            {"location": {"cell": "788-0632", "latitude": 1, "longitude": 1}},
            "coordinates and a cell",
        ),
        ({"looking_for": {"age_from": 40, "age_to": 30}}, "age_from 40 above age_to 30"),
        ({"looking_for": {"age_from": 17}}, "at least 18"),
        ({"looking_for": {"importance": {"money": "essential"}}}, "not a criterion"),
        ({"looking_for": {"importance": {"age": "much"}}}, "must be 'essential'"),
        ({"looking_for": {"deal_breaker": ["smoking"]}}, "did you mean 'deal_breakers'"),
    ],
)
def test_a_bad_field_is_named(profiles, change, expected: str) -> None:
    with pytest.raises(InvalidProfileError) as caught:
        profiles.from_document({"name": "Sam", **change}, "sam.yaml")
    assert expected in str(caught.value)


@given(LATITUDES, LONGITUDES)
def test_every_place_has_a_cell_whose_middle_is_near(latitude: float, longitude: float) -> None:
    cell = cell_at(latitude, longitude)
    assert 0 <= cell.row < CELL_ROWS
    assert 0 <= cell.column < columns_of_row(cell.row)
    assert cell_of_text(str(cell)) == cell
    assert cell_at(*cell.centre) == cell
    middle_row = abs(cell.centre[0] - latitude)
    assert middle_row <= 0.09 + 1e-9


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distance_is_symmetric_and_bounded(a: float, b: float, c: float, d: float) -> None:
    first, second = cell_at(a, b), cell_at(c, d)
    assert cell_distance_km(first, second) == pytest.approx(cell_distance_km(second, first))
    assert cell_distance_km(first, first) == 0.0
    assert 0.0 <= cell_distance_km(first, second) <= 20_016


def test_cells_are_about_twenty_kilometres_wide() -> None:
    for latitude in (0.0, 30.0, 52.0, 65.0):
        cell = cell_at(latitude, 10.0)
        east = Cell(cell.row, cell.column + 1)
        north = Cell(cell.row + 1, cell.column)
        assert 19.5 < cell_distance_km(cell, east) < 20.5
        assert 19.5 < cell_distance_km(cell, Cell(north.row, cell_at(*_up(cell)).column)) < 32


def _up(cell: Cell) -> tuple[float, float]:
    latitude, longitude = cell.centre
    return latitude + 0.18, longitude


@pytest.mark.parametrize(
    ("name", "same"),
    [("Rotterdam", "rotterdam"), ("成都", "Chengdu"), ("成都市", "成都"), ("Leeds, UK", "Leeds")],
)
def test_a_city_is_found_in_both_scripts(name: str, same: str) -> None:
    assert cell_of_city(name) is not None
    assert cell_of_city(name) == cell_of_city(same)


def test_an_unknown_city_is_unknown(profiles) -> None:
    assert cell_of_city("Nowhere-upon-Nothing") is None
    person = profiles.from_document({"name": "Sam", "city": "Rotterdam"}, "page")
    assert profiles.cell_of(person) == cell_of_city("rotterdam")
    assert person.cell is None
    given_too = {"name": "Sam", "city": "Rotterdam", "location": {"cell": "100-0100"}}
    assert profiles.cell_of(profiles.from_document(given_too, "page")) == Cell(100, 100)


def test_okcupid_columns_fill_the_fields(profiles, written) -> None:
    path = written(
        "age,drinks,offspring,orientation,religion,sex,smokes\n"
        "36,socially,has a kid,straight,catholicism but not too serious about it,f,when drinking\n"
        "30,not at all,,bisexual,,m,no\n"
        "28,,doesn&rsquo;t have kids,gay,agnosticism,m,\n"
        "41,,wants kids,,other and laughing about it,,yes\n",
        "people.csv",
    )
    first, second, third, fourth = profiles.import_people(path, "okcupid")
    assert (first.gender, first.interested_in) == (("woman",), ("man",))
    assert (first.smoking, first.drinking) == ("sometimes", "sometimes")
    assert (first.religion, first.has_children) == ("christian", True)
    assert (second.interested_in, second.smoking) == (("woman", "man"), "never")
    assert (second.religion, second.has_children) == (None, None)
    assert (third.interested_in, third.has_children) == (("man",), False)
    assert (third.religion, third.drinking) == ("agnostic", None)
    assert (fourth.gender, fourth.interested_in, fourth.has_children) == ((), (), None)
