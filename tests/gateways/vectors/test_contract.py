"""What every VectorIndex does, whoever keeps the vectors."""

import asyncio

import numpy as np
import pytest

from soullink.gateways.vectors import graph
from soullink.gateways.vectors.port import (
    Collection,
    OtherEmbedderError,
    Rows,
    VectorIndex,
    VectorsUnavailableError,
    WrongDimensionError,
    unit_rows,
)
from soullink.kernel.errors import InvalidInputError
from tests.gateways.vectors.conftest import DIMENSIONS, LIKES, Kept, unit

pytestmark = pytest.mark.anyio
# Half precision in pgvector.
CLOSE = 2e-3


async def opened(kept: Kept) -> VectorIndex:
    return await (await kept.open()).open(LIKES)


async def filled(kept: Kept, rows: Rows) -> VectorIndex:
    index = await opened(kept)
    await index.upsert([f"p{n}" for n in range(len(rows))], rows)
    return index


async def found(index: VectorIndex, query: Rows, k: int) -> list[str]:
    return [one.id for one in await index.search(query, k)]


async def test_nearest_come_first_with_their_cosines(kept: Kept) -> None:
    rows = unit(1, 50)
    index = await filled(kept, rows)
    query = unit(2)[0]
    cosines = rows @ query
    answer = await index.search(query, 7)
    assert [one.id for one in answer] == [f"p{n}" for n in np.argsort(-cosines)[:7]]
    assert [one.similarity for one in answer] == pytest.approx(
        np.sort(-cosines)[:7] * -1, abs=CLOSE
    )


async def test_only_directions_count(kept: Kept) -> None:
    index = await opened(kept)
    row = unit(3)[0]
    await index.upsert(["small", "large"], [row * 1e-6, row * 1e6])
    answer = await index.search(row * 123, 2)
    assert [one.id for one in answer] == ["large", "small"]
    assert [one.similarity for one in answer] == pytest.approx([1.0, 1.0], abs=CLOSE)


async def test_upsert_replaces(kept: Kept) -> None:
    a, b, c = unit(4, 3)
    index = await filled(kept, np.stack([a, b]))
    await index.upsert(["p0"], [c])
    assert await index.count() == 2
    assert (await index.search(c, 1))[0].id == "p0"
    assert (await index.search(a, 2))[0].similarity < 0.99


async def test_the_last_of_a_pair_wins(kept: Kept) -> None:
    a, b = unit(5, 2)
    index = await opened(kept)
    await index.upsert(["x", "x"], [a, b])
    assert await index.count() == 1
    assert (await index.search(b, 1))[0].similarity == pytest.approx(1.0, abs=CLOSE)


async def test_equal_ones_are_ordered_by_id(kept: Kept) -> None:
    row = unit(6)[0]
    index = await opened(kept)
    names = ["b", "a", "d", "c"]
    await index.upsert(names, [row] * 4)
    assert await found(index, row, 4) == sorted(names)
    if kept.exact_ties:
        assert await found(index, row, 2) == ["a", "b"]


async def test_only_restricts(kept: Kept) -> None:
    rows = unit(7, 30)
    index = await filled(kept, rows)
    query = unit(8)[0]
    allowed = [3, 5, 8, 13, 21]
    best = sorted(allowed, key=lambda n: -float(rows[n] @ query))
    only = {f"p{n}" for n in allowed} | {"nobody"}
    answer = await index.search(query, 3, only=only)
    assert [one.id for one in answer] == [f"p{n}" for n in best[:3]]
    assert len(await index.search(query, 30, only=only)) == len(allowed)
    assert await index.search(query, 3, only=[]) == []
    assert await index.search(query, 3, only={"nobody"}) == []


async def test_an_empty_index_finds_nothing(kept: Kept) -> None:
    index = await opened(kept)
    assert await index.search(unit(9)[0], 5) == []
    assert await index.count() == 0
    await index.upsert([], np.zeros((0, DIMENSIONS)))
    assert await index.delete([]) == 0
    assert await index.delete(["nobody"]) == 0


async def test_k_may_be_larger_than_the_count(kept: Kept) -> None:
    index = await filled(kept, unit(10, 5))
    assert len(await index.search(unit(11)[0], 10_000)) == 5


@pytest.mark.parametrize("k", [0, -1, 10_001])
async def test_an_impossible_k_is_refused(kept: Kept, k: int) -> None:
    index = await opened(kept)
    with pytest.raises(InvalidInputError, match="1 to 10000"):
        await index.search(unit(1)[0], k)


async def test_wrong_dimensions_are_refused(kept: Kept) -> None:
    index = await filled(kept, unit(12, 2))
    for wrong in (np.ones((1, DIMENSIONS + 1)), np.ones(DIMENSIONS), [[1.0], [1.0, 2.0]]):
        with pytest.raises(WrongDimensionError):
            await index.upsert(["x"], wrong)
    for wrong in (np.ones(DIMENSIONS - 1), np.ones((1, DIMENSIONS)), [[1.0], [1.0, 2.0]]):
        with pytest.raises(WrongDimensionError):
            await index.search(wrong, 1)
    assert await index.count() == 2


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
async def test_what_has_no_direction_is_refused(kept: Kept, bad: float) -> None:
    index = await opened(kept)
    with pytest.raises(InvalidInputError, match="Vector 1"):
        await index.upsert(["a", "b"], [np.ones(DIMENSIONS), np.full(DIMENSIONS, bad)])
    with pytest.raises(InvalidInputError):
        await index.search(np.full(DIMENSIONS, bad), 1)
    assert await index.count() == 0


@pytest.mark.parametrize("bad", ["", "a\x00b", "\ud800"])
async def test_ids_that_cannot_be_kept_are_refused(kept: Kept, bad: str) -> None:
    index = await opened(kept)
    with pytest.raises(InvalidInputError, match="An id"):
        await index.upsert([bad], unit(1))


async def test_as_many_ids_as_rows(kept: Kept) -> None:
    index = await opened(kept)
    with pytest.raises(InvalidInputError, match="2 ids came with 1 vectors"):
        await index.upsert(["a", "b"], unit(1))


async def test_ids_are_any_text(kept: Kept) -> None:
    names = ["李雷", "ada@example.org", "a b\n\t'\";--", "🦊", "{x}", "%s", "\\N", "x" * 500]
    rows = unit(13, len(names))
    index = await opened(kept)
    await index.upsert(names, rows)
    for name, row in zip(names, rows, strict=True):
        assert await found(index, row, 1) == [name]
        assert [one.id for one in await index.search(row, 9, only=[name])] == [name]
    assert await index.delete(names) == len(names)


async def test_doing_it_twice_does_no_harm(kept: Kept) -> None:
    rows = unit(14, 3)
    index = await filled(kept, rows)
    await index.upsert(["p0", "p1", "p2"], rows)
    assert await index.count() == 3
    assert await index.delete(["p1", "p1"]) == 1
    assert await index.delete(["p1"]) == 0
    assert await index.count() == 2
    await index.upsert(["p1"], [rows[1]])
    assert await found(index, rows[1], 1) == ["p1"]


async def test_two_thousand_vectors_are_found_again(kept: Kept) -> None:
    rows, queries = unit(15, 2_000), unit(16, 40)
    index = await filled(kept, rows)
    exact = np.argsort(-(queries @ rows.T), axis=1)[:, :10]
    hits = 0
    for query, best in zip(queries, exact, strict=True):
        hits += len(set(await found(index, query, 10)) & {f"p{n}" for n in best})
    assert hits / exact.size >= 0.95


async def test_churn_does_not_spoil_the_search(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "EXACT_UP_TO", 100)  # so that usearch has a graph
    rows = unit(17, 2_400)
    index = await filled(kept, rows[:2_000])
    # Half leaves, a third is replaced, others come.
    await index.delete([f"p{n}" for n in range(0, 2_000, 2)])
    changed = list(range(1, 2_000, 3))
    there = {n: rows[n] for n in range(1, 2_000, 2)}
    there |= {n: unit(100 + n)[0] for n in changed}
    there |= {n: rows[n] for n in range(2_000, 2_400)}
    await index.upsert([f"p{n}" for n in there], np.stack(list(there.values())))
    assert await index.count() == len(there)
    names, kept_rows = list(there), np.stack(list(there.values()))
    hits = 0
    for query in unit(18, 40):
        best = {f"p{names[n]}" for n in np.argsort(-(kept_rows @ query))[:10]}
        hits += len(set(await found(index, query, 10)) & best)
    assert hits / 400 >= 0.95


async def test_what_was_put_in_is_there_after_reopening(kept: Kept) -> None:
    if not kept.durable:
        pytest.skip("in memory on purpose")
    rows = unit(19, 10)
    indexes = await kept.open()
    index = await indexes.open(LIKES)
    await index.upsert([f"p{n}" for n in range(10)], rows)
    await index.delete(["p4"])
    await indexes.close()
    again = await opened(kept)
    assert await again.count() == 9
    assert (await again.search(rows[5], 1))[0].similarity == pytest.approx(1.0, abs=CLOSE)
    assert "p4" not in await found(again, rows[4], 10)


async def test_writers_and_readers_at_once(kept: Kept) -> None:
    rows = unit(20, 400)
    index = await opened(kept)

    async def write(part: int) -> None:
        for n in range(part * 50, part * 50 + 50, 10):
            await index.upsert([f"p{m}" for m in range(n, n + 10)], rows[n : n + 10])
            await index.delete([f"p{n}"])

    async def read() -> None:
        for n in range(20):
            answer = await index.search(rows[n], 5)
            assert [one.similarity for one in answer] == sorted(
                (one.similarity for one in answer), reverse=True
            )

    await asyncio.gather(*(write(part) for part in range(8)), read(), read())
    assert await index.count() == 360
    gone = {f"p{n}" for n in range(0, 400, 10)}
    assert gone.isdisjoint(await found(index, rows[0], 360))
    # The same ids from everywhere: one of them stays.
    await asyncio.gather(*(index.upsert(["a", "b"], rows[n : n + 2]) for n in range(8)))
    await asyncio.gather(*(index.upsert(["b", "a"], rows[n : n + 2]) for n in range(8)))
    assert await index.count() == 362


async def test_vectors_of_two_embedders_never_mix(kept: Kept) -> None:
    indexes = await kept.open()
    await (await indexes.open(LIKES)).upsert(["a"], unit(1))
    for other in (
        Collection("likes", DIMENSIONS, "test", "2"),
        Collection("likes", DIMENSIONS, "another", "1"),
        Collection("likes", DIMENSIONS * 2, "test", "1"),
    ):
        with pytest.raises(OtherEmbedderError, match="made by test 1 with 16 dimensions"):
            await indexes.open(other)
    assert await indexes.collections() == [LIKES]
    assert await indexes.drop("likes")
    changed = await indexes.open(Collection("likes", DIMENSIONS, "test", "2"))
    assert await changed.count() == 0


async def test_collections_are_apart(kept: Kept) -> None:
    indexes = await kept.open()
    essays = Collection("essays", 4, "test", "1")
    one, two = await indexes.open(LIKES), await indexes.open(essays)
    await one.upsert(["a"], unit(1))
    await two.upsert(["a", "b"], unit(1, 2, 4))
    assert (await one.count(), await two.count()) == (1, 2)
    assert await indexes.collections() == [essays, LIKES]
    assert await indexes.drop("likes")
    assert not await indexes.drop("likes")
    assert await two.count() == 2
    with pytest.raises(VectorsUnavailableError, match="dropped meanwhile"):
        await one.search(unit(1)[0], 1)
    with pytest.raises(VectorsUnavailableError, match="dropped meanwhile"):
        await one.upsert(["a"], unit(1))


async def test_a_forgotten_id_leaves_every_collection(kept: Kept) -> None:
    indexes = await kept.open()
    one = await indexes.open(LIKES)
    two = await indexes.open(Collection("essays", 4, "test", "1"))
    await one.upsert(["a", "b"], unit(1, 2))
    await two.upsert(["a", "b"], unit(1, 2, 4))
    assert await indexes.forget(["a", "nobody"]) == 2
    assert await indexes.forget(["a"]) == 0
    assert [x.id for x in await one.search(unit(1)[0], 5)] == ["b"]
    assert [x.id for x in await two.search(unit(1, 1, 4)[0], 5)] == ["b"]


@pytest.mark.parametrize("size", [40, 2_100])
async def test_what_was_deleted_is_nowhere(
    kept: Kept, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "EXACT_UP_TO", 100)
    rows = unit(21, size)
    canaries = [7, 8, size - 1]
    indexes = await kept.open()
    index = await indexes.open(LIKES)
    await index.upsert([f"canary-{n:05}-secret" for n in range(size)], rows)
    await indexes.close()
    before = await kept.files()
    indexes = await kept.open()
    index = await indexes.open(LIKES)
    names = [f"canary-{n:05}-secret" for n in canaries]
    traces = [trace for row in unit_rows(LIKES, rows[canaries]) for trace in _traces(row)]
    if before:
        assert all(name.encode() in before for name in names)
        assert sum(trace in before for trace in traces) >= len(canaries)
    # One by one and together, with others coming between.
    await index.delete(names[:1])
    await index.upsert(["between"], unit(22))
    await index.delete(names[1:])
    for n in canaries:
        assert not set(names) & set(await found(index, rows[n], size))
        assert await index.search(rows[n], 5, only=names) == []
    await index.compact()
    await indexes.close()
    after = await kept.files()
    assert not [name for name in names if name.encode() in after]
    assert not [trace for trace in traces if trace in after]
    again = await opened(kept)
    assert await again.count() == size - len(canaries) + 1
    for n in canaries:
        assert not set(names) & set(await found(again, rows[n], size))


def _traces(row: Rows) -> list[bytes]:
    """The vector in every form in which it may be written."""
    eight = np.clip(np.round(row * 127), -128, 127).astype(np.int8).tobytes()
    return [row.astype("<f4").tobytes(), row.astype("<f2").tobytes(), eight]
