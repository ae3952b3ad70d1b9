"""The published table is reached, from the same market."""

import json
from pathlib import Path

import pytest

from soullink_ml.markets.synthetic import PUBLISHED, table

# As the peer's published figures name the methods.
THEIRS = {
    "one-sided": "naive",
    "product": "prod",
    "equilibrium": "TU",
    "social-welfare": "SW",
    "nash-welfare": "NSW",
}


def test_the_published_table_is_reproduced_within_one_per_cent() -> None:
    rows = {row.method: row for row in table()}
    for method, (matches, envious) in PUBLISHED.items():
        row = rows[method]
        assert row.expected_matches == pytest.approx(matches, rel=0.01)
        assert row.envious_left + row.envious_right == envious
        assert (row.published_matches, row.published_envious) == (matches, envious)


def test_coordinated_rounds_reach_more_than_the_published_welfare() -> None:
    rows = {row.method: row for row in table()}
    assert rows["coordinated"].expected_matches > rows["social-welfare"].expected_matches


def test_another_seed_has_no_published_figures() -> None:
    assert {row.published_matches for row in table(seed=1)} == {None}


def test_published_figures_are_those_on_file(data_samples: Path) -> None:
    numbers = json.loads((data_samples / "reciprocal_peer" / "peer_numbers.json").read_text())
    published = numbers["published_notebook==reproduced"]
    for method, figures in PUBLISHED.items():
        assert published[THEIRS[method]] == list(figures)
