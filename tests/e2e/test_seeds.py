"""The whole engine under seeded faults: whatever happens, what must hold holds.

All ten thousand: `python -m tests.e2e.seeds`. A failing seed names itself.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest
from msgspec import structs

from soullink.modules.simulation.domain import dynamics
from tests.e2e.seeds import invariants, timeless
from tests.e2e.seeds.living import lived_in_memory, lived_on_postgres
from tests.e2e.seeds.memory import MemoryDatabase, Session, stores_in_memory
from tests.e2e.seeds.world import World

EACH = 18
"""Seeds of one test: few enough to be spread over processes."""


@pytest.mark.parametrize("first", range(100_000, 100_000 + 4 * EACH, EACH))
def test_nothing_breaks_in_memory(first: int) -> None:
    happened: Counter[str] = Counter()
    turns = 0
    for seed in range(first, first + EACH):
        report = lived_in_memory(seed)
        happened += report.happened
        turns += report.turns
    assert turns > EACH * 5
    for kind in ("restarted", "twin_steps", "database.", "model."):
        assert any(name.startswith(kind) for name in happened), f"{kind} never happened"


def test_nothing_breaks_on_a_real_database(database_url: str) -> None:
    for seed in range(200_000, 200_004):
        lived_on_postgres(seed, database_url)


def test_a_seed_is_the_same_every_time() -> None:
    first = lived_in_memory(100_001)
    assert first == lived_in_memory(100_001)
    assert first != lived_in_memory(100_002)


def broken_by(first: int = 0) -> str:
    """Return what the first seed from `first` on breaks; fails when none of thirty does."""
    for seed in range(first, first + 30):
        try:
            lived_in_memory(seed)
        except Exception as error:  # noqa: BLE001 - whatever is noticed
            return f"{type(error).__name__}: {error}"
    pytest.fail("nobody noticed")


def test_a_journal_that_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Session._add_turns

    def forgets(session: Session, rows: list[dict[str, Any]]) -> list[Any]:
        written = whole(session, rows)
        for row in rows:
            for key in [k for k in session.tables.turns if k[2] == row["sequence"] == 5]:
                session.tables.turns.pop(key)
        return written

    monkeypatch.setattr(Session, "_add_turns", forgets)
    assert "has 0 rows" in broken_by()


def test_a_journal_that_changes_what_it_keeps_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Session.put

    def changes(session: Session, table: dict[Any, Any], key: Any, row: Any) -> None:
        if "words" in row and row["sequence"] == 3:
            row = {**row, "speech": {**row["speech"], "words": "something else"}}
        put(session, table, key, row)

    monkeypatch.setattr(Session, "put", changes)
    assert "BrokenError" in broken_by()


def test_an_erasure_that_erases_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "drop", lambda *_: None)
    assert "erased" in broken_by(25)  # the first seed that erases


def test_a_state_out_of_bounds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dynamics.heated
    monkeypatch.setattr(dynamics, "heated", lambda *given: whole(*given) + 1.0)
    assert "conflict 1." in broken_by()


def test_waiting_for_nothing_is_noticed() -> None:
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(timeless.NothingComesError):
        timeless.run(forever())


def test_an_hour_takes_no_time() -> None:
    async def an_hour() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert timeless.run(an_hour()) == 3600.0


def test_what_a_turn_must_be_like_is_checked() -> None:
    database = MemoryDatabase()
    with stores_in_memory():
        timeless.run(World(database, 100_001, hangs=True).live())
    (run_id, episode, sequence), *_ = database.tables.turns
    (turn,) = database.kept(run_id, episode, sequence)  # type: ignore[arg-type]
    invariants.check_turn(turn)
    act, chance = next(iter(turn.distribution.items()))
    more = {**turn.distribution, act: chance + 0.001}
    left, right = turn.after
    for wrong in (
        {"distribution": more},
        {"conflict": 1.01},
        {"after": (structs.replace(left, trust=-0.1), right)},
        {"speaker": 2},
        {"minute": -1.0},
    ):
        with pytest.raises(invariants.BrokenError):
            invariants.check_turn(structs.replace(turn, **wrong))
    with pytest.raises(invariants.BrokenError, match="out of order"):
        invariants.check_order([turn, turn])
