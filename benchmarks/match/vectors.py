"""Nearest neighbours: pgvector, usearch and Qdrant beside each other, and comparing with everybody.

`python -m benchmarks.match.vectors` measures and prints rows (subject, metric, value, unit, size).
Each part and size runs in a process of its own, through the ports that the modules use. Vectors
have 64 numbers and are made as those of essays lie: topics that people are between, variation along
24 directions, noise. Latencies are of one search at a time, k = 20, after 20 that are not counted.

`usearch` keeps its rows in PostgreSQL and looks there before every search; `usearch, memory only`
is its graph without the database. No Qdrant server ships as a package: `Qdrant Edge` is the
server's own storage and search engine in this process (package qdrant-edge-py), without the
network, and its updates are those before it links them anew; `Qdrant client, local mode` compares
with everybody and says nothing about the server. Both are left out where they are not installed;
--qdrant URL measures a server.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from soullink.gateways.postgres.database import open_database
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.gateways.postgres.schema import migrate
from soullink.gateways.vectors.graph import Graph
from soullink.gateways.vectors.pgvector import PgvectorIndexes
from soullink.gateways.vectors.port import Collection, VectorIndex, VectorIndexes
from soullink.gateways.vectors.qdrant import QdrantIndexes
from soullink.gateways.vectors.usearch_index import UsearchIndexes

DIMENSIONS: Final = 64
K: Final = 20
QUERIES: Final = 300
UPDATES: Final = 200
SIZES: Final = (10_000, 100_000, 1_000_000)
EXACT: Final = "exact (NumPy)"
LARGEST: Final = {
    EXACT: 1_000_000,
    "usearch, memory only": 1_000_000,
    "usearch": 100_000,
    "pgvector": 100_000,
    "Qdrant Edge": 100_000,
    "Qdrant client, local mode": 10_000,
}
"""Sizes measured unless --full: beyond, building alone takes minutes on two cores."""
Vectors = NDArray[np.float32]
Names = list[str]


class Row(TypedDict):
    """One measured number; size is vectors."""

    subject: str
    metric: str
    value: float
    unit: str
    size: int


def vectors(n: int, seed: int = 0) -> Vectors:
    """Return (n, 64) unit rows."""
    random = np.random.default_rng(0)
    topics = random.normal(size=(256, DIMENSIONS))
    directions = random.normal(size=(24, DIMENSIONS)) / np.sqrt(24)
    random = np.random.default_rng([seed, n])
    rows = np.empty((n, DIMENSIONS), np.float32)
    for start in range(0, n, 65_536):
        some = min(65_536, n - start)
        share = random.random((some, 1))
        one, other = random.integers(0, len(topics), (2, some))
        made = share * topics[one] + (1.0 - share) * topics[other]
        made += 0.7 * random.normal(size=(some, 24)) @ directions
        made += 0.25 * random.normal(size=(some, DIMENSIONS))
        rows[start : start + some] = made / np.linalg.norm(made, axis=1)[:, None]
    return rows


def nearest(rows: Vectors, queries: Vectors) -> list[set[int]]:
    """Return the K nearest rows of every query, by comparing with all."""
    found = []
    for start in range(0, len(queries), 50):
        cosines = queries[start : start + 50] @ rows.T
        found += [set(one.tolist()) for one in np.argpartition(-cosines, K, axis=1)[:, :K]]
    return found


class Subject:
    """Something that keeps vectors, for as long as one size is measured."""

    async def build(self, names: Names, rows: Vectors) -> None:
        raise NotImplementedError

    async def search(self, query: Vectors, only: Sequence[str] | None = None) -> Names:
        raise NotImplementedError

    async def put(self, names: Names, rows: Vectors) -> None:
        raise NotImplementedError

    async def stored_bytes(self) -> int:
        """Return what lies on disk or in a server for it; 0 where all is in this process."""
        return 0


class Everybody(Subject):
    """NumPy: the query times all rows."""

    async def build(self, names: Names, rows: Vectors) -> None:
        self.names, self.rows = names, rows.copy()

    async def search(self, query: Vectors, only: Sequence[str] | None = None) -> Names:
        if only is not None:
            places = np.array([int(name) for name in only])
            cosines = self.rows[places] @ query
            best = np.argpartition(-cosines, K)[:K]
            return [self.names[places[at]] for at in best[np.argsort(-cosines[best])]]
        cosines = self.rows @ query
        best = np.argpartition(-cosines, K)[:K]
        return [self.names[at] for at in best[np.argsort(-cosines[best])]]

    async def put(self, names: Names, rows: Vectors) -> None:
        self.rows[[int(name) for name in names]] = rows


class InMemory(Subject):
    """The graph of the usearch gateway, without the database."""

    def __init__(self) -> None:
        self.graph = Graph(Collection("essays", DIMENSIONS, "made", "1"), candidates=128)

    async def build(self, names: Names, rows: Vectors) -> None:
        for start in range(0, len(names), 50_000):
            end = start + 50_000
            self.graph.put(names[start:end], rows[start:end])

    async def search(self, query: Vectors, only: Sequence[str] | None = None) -> Names:
        return [one.id for one in self.graph.search(query, K, only)]

    async def put(self, names: Names, rows: Vectors) -> None:
        self.graph.put(names, rows)


class ThroughPort(Subject):
    """A gateway, as modules use it."""

    def __init__(
        self, index: VectorIndex, stored: Callable[[], Awaitable[int]] | None = None
    ) -> None:
        self.index = index
        self.stored = stored

    async def build(self, names: Names, rows: Vectors) -> None:
        await self.index.upsert(names, rows)

    async def search(self, query: Vectors, only: Sequence[str] | None = None) -> Names:
        return [one.id for one in await self.index.search(query, K, only=only)]

    async def put(self, names: Names, rows: Vectors) -> None:
        await self.index.upsert(names, rows)

    async def stored_bytes(self) -> int:
        return 0 if self.stored is None else await self.stored()


class Edge(Subject):
    """Qdrant's engine in this process."""

    def __init__(self, folder: Path) -> None:
        import qdrant_edge

        self.library: Any = qdrant_edge
        parameters = qdrant_edge.EdgeVectorParams(
            size=DIMENSIONS, distance=qdrant_edge.Distance.Cosine
        )
        graph = qdrant_edge.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=1000)
        self.folder = folder
        self.shard: Any = qdrant_edge.EdgeShard.create(
            str(folder), qdrant_edge.EdgeConfig(vectors=parameters, hnsw_config=graph)
        )

    async def build(self, names: Names, rows: Vectors) -> None:
        for start in range(0, len(names), 5_000):
            await self.put(names[start : start + 5_000], rows[start : start + 5_000])
        self.shard.optimize()  # makes the graph, which the server does by itself meanwhile

    async def search(self, query: Vectors, only: Sequence[str] | None = None) -> Names:
        library = self.library
        chosen = None
        if only is not None:
            condition = library.HasIdCondition({int(name) for name in only})
            chosen = library.Filter(must=[condition])
        asked = library.SearchRequest(
            query=library.Query.Nearest(query.tolist()),
            limit=K,
            filter=chosen,
            params=library.SearchParams(hnsw_ef=128),
        )
        return [str(point.id) for point in self.shard.search(asked)]

    async def put(self, names: Names, rows: Vectors) -> None:
        points = [
            self.library.Point(id=int(name), vector=row.tolist(), payload={})
            for name, row in zip(names, rows, strict=True)
        ]
        self.shard.update(self.library.UpdateOperation.upsert_points(points))

    async def stored_bytes(self) -> int:
        self.shard.flush()
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


@asynccontextmanager
async def opened(part: str) -> AsyncIterator[Subject]:
    """Yield one of the parts, empty."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slv-", dir="/tmp")))
        if part == EXACT:
            yield Everybody()
        elif part == "usearch, memory only":
            yield InMemory()
        elif part == "Qdrant Edge":
            yield Edge(folder)
        else:
            indexes, stored = await _indexes(part, folder, stack)
            stack.push_async_callback(indexes.close)
            collection = Collection("benchmark", DIMENSIONS, "made", "1")
            await indexes.drop("benchmark")
            stack.push_async_callback(indexes.drop, "benchmark")
            yield ThroughPort(await indexes.open(collection), stored)


async def _indexes(
    part: str, folder: Path, stack: AsyncExitStack
) -> tuple[VectorIndexes, Callable[[], Awaitable[int]] | None]:
    if part == "Qdrant client, local mode":
        from qdrant_client import AsyncQdrantClient

        return QdrantIndexes(client=AsyncQdrantClient(location=":memory:")), None
    if part.startswith("Qdrant at "):
        return QdrantIndexes(part.removeprefix("Qdrant at ")), None
    url = stack.enter_context(EmbeddedPostgres(folder))
    migrate(url)
    database = open_database(url)
    stack.push_async_callback(database.close)

    async def stored() -> int:
        from sqlalchemy import text

        query = (
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'r'"
            " AND (nspname = 'soullink_vectors' OR relname = 'vector_entry')"
        )
        async with database.work() as work:
            return int((await work.session.execute(text(query))).scalar_one())

    if part == "pgvector":
        return PgvectorIndexes(database), stored
    return UsearchIndexes(database), stored


async def measure(part: str, size: int) -> list[Row]:
    """Build one part, search it and change it; in this process."""
    rows, queries = vectors(size), vectors(QUERIES + 20, seed=1)
    names = [str(n) for n in range(size)]
    exact = nearest(rows, queries[20:])
    found: list[tuple[str, float, str]] = []
    async with opened(part) as subject:
        before = _resident_bytes()
        begun = time.perf_counter()
        await subject.build(names, rows)
        found.append(("build", time.perf_counter() - begun, "s"))
        found.append(("memory of this process", (_resident_bytes() - before) / 2**20, "MiB"))
        stored = await subject.stored_bytes()
        if stored:
            found.append(("stored", stored / 2**20, "MiB"))
        hits, seconds = 0, []
        for at, query in enumerate(queries):
            begun = time.perf_counter()
            answer = await subject.search(query)
            if at >= 20:
                seconds.append(time.perf_counter() - begun)
                hits += len({int(name) for name in answer} & exact[at - 20])
        found.append((f"recall@{K}", hits / (K * QUERIES), "share"))
        found += [(f"p{p}", float(np.percentile(seconds, p)) * 1e3, "ms") for p in (50, 99)]
        random = np.random.default_rng(2)
        some = [str(n) for n in random.choice(size, 1_000, replace=False)]
        seconds = []
        for query in queries[:100]:
            begun = time.perf_counter()
            await subject.search(query, some)
            seconds.append(time.perf_counter() - begun)
        found.append(("p50 among 1,000 ids", float(np.median(seconds)) * 1e3, "ms"))
        found += await _updates(subject, size)
    return [Row(subject=part, metric=m, value=v, unit=u, size=size) for m, v, u in found]


async def _updates(subject: Subject, size: int) -> list[tuple[str, float, str]]:
    # Enough of them that what is put off until many have come is paid for as well.
    many = UPDATES if isinstance(subject, ThroughPort) else 20 * UPDATES
    changed = vectors(2 * many, seed=3)
    places = np.random.default_rng(4).choice(size, 2 * many, replace=False)
    names = [str(n) for n in places]
    begun = time.perf_counter()
    for at in range(many):
        await subject.put([names[at]], changed[at : at + 1])
    one_by_one = many / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for at in range(many, 2 * many, 100):
        await subject.put(names[at : at + 100], changed[at : at + 100])
    together = many / (time.perf_counter() - begun)
    return [("updates, one a call", one_by_one, "1/s"), ("updates, 100 a call", together, "1/s")]


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def parts(qdrant: str | None = None) -> list[str]:
    """Return what can be measured here."""
    there = [EXACT, "usearch, memory only", "usearch", "pgvector"]
    if find_spec("qdrant_edge"):
        there.append("Qdrant Edge")
    if find_spec("qdrant_client"):
        there.append("Qdrant client, local mode")
        if qdrant:
            there.append(f"Qdrant at {qdrant}")
    return there


def main(
    rows: list[Row],
    sizes: Sequence[int] = SIZES,
    *,
    full: bool = False,
    qdrant: str | None = None,
) -> None:
    """Append the rows of all parts and sizes; about four minutes on two cores."""
    for part in parts(qdrant):
        for size in sizes:
            if size > LARGEST.get(part, 100_000) and not full:
                rows += _left_out(rows, part, size)
                continue
            print(f"{part}, {size:,} vectors", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", "benchmarks.match.vectors"]
            command += ["--part", part, "--size", str(size)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows += json.loads(done.stdout)


def _left_out(rows: Sequence[Row], part: str, size: int) -> list[Row]:
    """Say how long building would take, by the largest size measured, where it was not done."""
    built = [row for row in rows if row["subject"] == part and row["metric"] == "build"]
    if not built or part == "Qdrant client, local mode":
        return []
    last = built[-1]
    projected = last["value"] * size / last["size"]
    metric = "build, not done: projected in proportion, at least"
    return [Row(subject=part, metric=metric, value=projected, unit="s", size=size)]


def _table(rows: Sequence[Row]) -> str:
    return "\n".join(
        f"{row['subject']:28} {row['size']:>9,}  {row['metric']:52} {row['value']:>12,.3f}"
        f" {row['unit']}"
        for row in rows
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", help="measure this one only, in this process")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--full", action="store_true", help="leave nothing out; half an hour")
    parser.add_argument("--qdrant", help="URL of a Qdrant server to measure as well")
    asked = parser.parse_args()
    if asked.part:
        warnings.filterwarnings("ignore", message="Local mode")
        print(json.dumps(asyncio.run(measure(asked.part, asked.size))))
    else:
        measured: list[Row] = []
        main(measured, asked.sizes, full=asked.full, qdrant=asked.qdrant)
        print(_table(measured), file=sys.stderr)
        print(json.dumps(measured, indent=1))
