"""The page about the file says what the file holds."""

from soullink.modules.simulation.domain.screening import NUMBERS
from soullink.modules.simulation.screening.api import COLUMNS
from tests.simulation.screening.reference import PAGE_FILE, page_text


def test_the_reference_page_is_current() -> None:
    hint = "run: python -m tests.simulation.screening.reference"
    assert PAGE_FILE.read_text("utf-8") == page_text(), hint


def test_the_columns_are_the_engines_numbers_between_who_they_are_of() -> None:
    names = [column.name for column in COLUMNS]
    assert names == ["first", "second", *(NUMBERS.names or ()), "unknown_first", "unknown_second"]
    assert [column.kind for column in COLUMNS[:3]] == ["text", "text", "float32"]
