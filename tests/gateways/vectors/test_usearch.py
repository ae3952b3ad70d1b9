"""What is particular to vectors that are searched in memory."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.gateways.postgres.database import Database
from soullink.gateways.vectors import graph
from soullink.gateways.vectors.graph import Graph
from soullink.gateways.vectors.port import VectorsUnavailableError
from soullink.gateways.vectors.usearch_index import UsearchIndexes
from tests.gateways.vectors.conftest import DIMENSIONS, LIKES, unit

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _graphs_from_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "EXACT_UP_TO", 100)
    monkeypatch.setattr(graph, "PENDING_UP_TO", 8)


def names(n: int) -> list[str]:
    return [f"p{at}" for at in range(n)]


def files(folder: Path) -> dict[str, int]:
    """What is saved, and who may read it."""
    return {path.name: path.stat().st_mode & 0o777 for path in sorted(folder.iterdir())}


async def test_two_processes_see_what_the_other_does(vector_database: Database) -> None:
    one, two = UsearchIndexes(vector_database), UsearchIndexes(vector_database)
    mine, other = await one.open(LIKES), await two.open(LIKES)
    rows = unit(1, 300)
    await mine.upsert(names(300), rows)
    assert (await other.search(rows[7], 1))[0].id == "p7"
    await other.upsert(["p7"], -rows[7:8])
    assert (await mine.search(-rows[7], 1))[0].id == "p7"
    assert (await mine.search(rows[7], 1))[0].id != "p7"
    assert await mine.delete(["p8"]) == 1
    assert "p8" not in {found.id for found in await other.search(rows[8], 300)}
    assert await two.forget(["p9"]) == 1
    assert "p9" not in {found.id for found in await mine.search(rows[9], 300)}
    # Both write in turn, so that neither is one change behind only.
    await mine.upsert(["x"], rows[:1])
    await other.upsert(["y"], rows[:1])
    await mine.upsert(["z"], rows[:1])
    assert await mine.count() == await other.count() == 301
    await one.close()
    await two.close()
    await one.close()


async def test_looking_can_be_made_rare(vector_database: Database) -> None:
    now = [0.0]
    rare = UsearchIndexes(vector_database, current_within_seconds=5.0, monotonic=lambda: now[0])
    reader = await rare.open(LIKES)
    assert await reader.search(unit(1)[0], 1) == []
    writing = UsearchIndexes(vector_database)
    await (await writing.open(LIKES)).upsert(["a"], unit(1))
    now[0] = 4.9
    assert await reader.search(unit(1)[0], 1) == []
    await reader.upsert(["b"], unit(2))  # one's own changes bring the others' along
    assert len(await reader.search(unit(1)[0], 5)) == 2
    now[0] = 20.0
    await (await writing.open(LIKES)).delete(["a"])
    assert [found.id for found in await reader.search(unit(1)[0], 5)] == ["b"]
    await rare.close()
    await writing.close()


async def test_opening_twice_shares_the_memory(vector_database: Database) -> None:
    indexes = UsearchIndexes(vector_database)
    assert await indexes.open(LIKES) is await indexes.open(LIKES)
    await UsearchIndexes(vector_database).drop("likes")
    again = await indexes.open(LIKES)
    assert await again.count() == 0
    await indexes.close()


async def test_a_saved_graph_is_taken_and_brought_up_to_date(
    vector_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = unit(2, 400)
    first = UsearchIndexes(vector_database, snapshots=tmp_path)
    await (await first.open(LIKES)).upsert(names(300), rows[:300])
    await first.close()
    assert files(tmp_path) == {"likes.json": 0o600, "likes.usearch": 0o600}
    # Meanwhile somebody without a folder changes things.
    other = UsearchIndexes(vector_database)
    index = await other.open(LIKES)
    await index.upsert(["p5", "new"], rows[300:302])
    with monkeypatch.context() as patched:
        patched.setattr(Graph, "_build", lambda self: pytest.fail(f"built {len(self)} anew"))
        second = UsearchIndexes(vector_database, snapshots=tmp_path)
        taken = await second.open(LIKES)
        assert await taken.count() == 301
        assert (await taken.search(rows[300], 1))[0].id == "p5"
        assert (await taken.search(rows[301], 1))[0].id == "new"
        hits = [(await taken.search(rows[n], 1))[0].id == f"p{n}" for n in range(6, 300)]
        assert all(hits)
        assert (await taken.search(rows[5], 1))[0].id != "p5"
        await second.close()


async def test_a_saved_graph_does_not_outlive_a_deletion(
    vector_database: Database, tmp_path: Path
) -> None:
    rows = unit(3, 300)
    first = UsearchIndexes(vector_database, snapshots=tmp_path)
    await (await first.open(LIKES)).upsert(names(300), rows)
    await first.close()
    # By this process, before it returns.
    second = UsearchIndexes(vector_database, snapshots=tmp_path)
    index = await second.open(LIKES)
    await index.delete(["p1"])
    assert files(tmp_path) == {}
    await second.close()
    assert len(files(tmp_path)) == 2
    # Without opening the collection.
    third = UsearchIndexes(vector_database, snapshots=tmp_path)
    await third.forget(["p2"])
    assert files(tmp_path) == {}
    await (await third.open(LIKES)).count()
    await third.close()
    # By somebody else while nobody looked: at the next start.
    await UsearchIndexes(vector_database).forget(["p3"])
    fourth = UsearchIndexes(vector_database, snapshots=tmp_path)
    index = await fourth.open(LIKES)
    assert files(tmp_path) == {}
    assert not {"p1", "p2", "p3"} & {found.id for found in await index.search(rows[3], 300)}
    # By somebody else while it runs: it is not saved with them.
    await UsearchIndexes(vector_database).forget(["p4"])
    await fourth.close()
    assert b'"p4"' not in (tmp_path / "likes.json").read_bytes()
    assert await fourth.drop("likes")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("damage", ["cut", "no json", "other collection", "one bit", "not ours"])
async def test_a_saved_graph_that_cannot_be_used_is_made_anew(
    vector_database: Database, tmp_path: Path, damage: str
) -> None:
    rows = unit(4, 300)
    first = UsearchIndexes(vector_database, snapshots=tmp_path)
    await (await first.open(LIKES)).upsert(names(300), rows)
    await first.close()
    saved, told = tmp_path / "likes.usearch", tmp_path / "likes.json"
    if damage == "cut":
        saved.write_bytes(saved.read_bytes()[:1000])
    elif damage == "no json":
        told.write_text("{")
    elif damage == "other collection":
        told.write_text(told.read_text().replace('"made": "', '"made": "0'))
    elif damage == "one bit":
        content = bytearray(saved.read_bytes())
        content[len(content) // 2] ^= 1
        saved.write_bytes(content)
    else:
        told.write_text("[]")
    second = UsearchIndexes(vector_database, snapshots=tmp_path)
    index = await second.open(LIKES)
    for n in range(0, 300, 17):
        assert (await index.search(rows[n], 1))[0].id == f"p{n}"
    await second.close()


async def test_without_the_extra_it_says_what_to_do(
    vector_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(VectorsUnavailableError, match=r"pip install 'soullink\[vectors\]'"):
        UsearchIndexes(vector_database)


changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove"]),
        st.lists(st.integers(0, 60), min_size=1, max_size=25, unique=True),
    ),
    max_size=12,
)


@settings(max_examples=30)
@given(history=changes, seed=st.integers(0, 2**32 - 1))
def test_a_graph_is_what_its_history_says(history: list[tuple[str, list[int]]], seed: int) -> None:
    memory = Graph(LIKES, candidates=64)
    random = np.random.default_rng(seed)
    there = {f"p{n}": row for n, row in enumerate(unit(seed, 110))}
    memory.put(list(there), np.stack(list(there.values())))  # enough for a graph
    for what, numbers in history:
        some = [f"p{n}" for n in numbers]
        if what == "remove":
            assert memory.remove(some) == len(set(some) & set(there))
            there = {name: row for name, row in there.items() if name not in some}
        else:
            rows = unit(int(random.integers(2**32)), len(some))
            memory.put(some, rows)
            there |= dict(zip(some, rows, strict=True))
    assert set(memory.ids) == set(there)
    query = unit(seed, 2)[1]
    for k in (1, 5, 200):
        found = memory.search(query, k, None)
        assert len(found) == min(k, len(there))
        for one in found:
            assert one.similarity == pytest.approx(float(there[one.id] @ query), abs=1e-5)
    nearest = max(there, key=lambda name: float(there[name] @ query))
    assert memory.search(query, 1, None)[0].id == nearest


def test_removed_rows_are_overwritten_whatever_was_removed_before(tmp_path: Path) -> None:
    memory = Graph(LIKES, candidates=64)
    rows = unit(6, 300)
    memory.put(names(300), rows)
    memory.save(tmp_path, "made", 1)
    saved = tmp_path / "likes.usearch"
    before = saved.read_bytes()
    eights = [part for row in rows for part in _eight_bits(row)]
    assert sum(trace in before for trace in eights) >= 300
    for n in range(0, 120, 3):
        memory.remove([f"p{n}"])
        if n % 2:
            memory.put([f"new {n}", f"p{n + 1}"], unit(1000 + n, 2))
    memory.save(tmp_path, "made", 2)
    after = saved.read_bytes()
    gone = [part for n in range(0, 120, 3) for part in _eight_bits(rows[n])]
    assert not [trace for trace in gone if trace in after]
    assert memory.fillers > 0
    memory.rebuild()
    assert memory.fillers == 0
    assert (memory.search(rows[299], 1, None))[0].id == "p299"


def _eight_bits(row: np.ndarray) -> list[bytes]:
    """The row as usearch may write it: cut or rounded, to 127 or 100."""
    made = {np.trunc(row * scale).astype(np.int8).tobytes() for scale in (100.0, 127.0)} | {
        np.round(row * scale).astype(np.int8).tobytes() for scale in (100.0, 127.0)
    }
    assert all(len(part) == DIMENSIONS for part in made)
    return sorted(made)
