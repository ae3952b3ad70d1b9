"""A screening: whole, cut short and gone on with, always the same bytes."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from soullink.kernel.errors import NotFoundError, SoulLinkError
from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.screening import service, table
from soullink.modules.simulation.screening.api import (
    COLUMNS,
    MissingExtraError,
    Screened,
    ScreeningConflictError,
    ScreeningProgress,
    ScreeningSettings,
    UnusableScreeningError,
)
from soullink.modules.simulation.screening.parts import folder_of
from tests.simulation.screening.populations import QUICK, TWO, a_population, a_service, rows_of

pytestmark = pytest.mark.anyio
PEOPLE = a_population(10)
PAIRS = 45


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FIRST_BLOCK", 12)


async def _screened(out: Path, settings: ScreeningSettings = QUICK, **options: Any) -> Screened:
    return await a_service().screen(PEOPLE, PEOPLE, settings, out, **options)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def _cut_short(out: Path, settings: ScreeningSettings = QUICK) -> int:
    """Break off as soon as something is kept; returns how many pairs are."""
    kept = 0
    something = asyncio.Event()

    def watch(progress: ScreeningProgress) -> None:
        nonlocal kept
        kept = progress.done
        if progress.done > progress.resumed:
            something.set()

    work = asyncio.ensure_future(_screened(out, settings, watch=watch))
    await something.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    return kept


async def test_every_pair_has_one_row_in_order(tmp_path: Path) -> None:
    done = await _screened(tmp_path / "out.parquet")
    rows = rows_of(done.path)
    ids = [str(person.id) for person in PEOPLE]
    assert [(row["first"], row["second"]) for row in rows] == [
        (a, b) for a in ids for b in ids if a < b
    ]
    assert done.pairs == len(rows) == PAIRS
    assert done.people == (10, 10)
    assert _names(tmp_path) == ["out.parquet"]
    for row in rows:
        assert row["together_low"] <= row["together"] <= row["together_high"]
        assert row["satisfaction_first_q10"] <= row["satisfaction_first_q50"]
        assert row["satisfaction_first_q50"] <= row["satisfaction_first_q90"]
        assert all(0.0 <= row[c.name] <= 1.0 for c in COLUMNS if c.kind == "float32")
    assert len({row["satisfaction_second_mean"] for row in rows}) > 40


async def test_the_file_says_how_it_was_made(tmp_path: Path) -> None:
    done = await _screened(tmp_path / "out.parquet")
    schema = pyarrow.parquet.read_schema(done.path)
    assert schema.names == [column.name for column in COLUMNS]
    assert all(
        schema.field(column.name).metadata[b"description"].decode() == column.meaning
        for column in COLUMNS
    )
    found = table.metadata_of(done.path)
    assert found == done.metadata
    assert found is not None
    assert {"soullink", "dynamics", "engine", "seed", "replicas", "people_digest"} <= set(found)
    assert found["scenarios"] == list(TWO) == list(done.scenarios)
    assert found["seed"] == 5


@pytest.mark.parametrize(
    ("block_seconds", "threads", "group"), [(5.0, 1, 65_536), (0.1, 3, 65_536), (2.0, 2, 7)]
)
async def test_neither_blocks_nor_threads_decide_on_a_byte(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block_seconds: float,
    threads: int,
    group: int,
) -> None:
    if group != table.ROW_GROUP:
        monkeypatch.setattr(table, "ROW_GROUP", group)
    plain = await _screened(tmp_path / "plain.parquet")
    settings = replace(QUICK, threads=threads)
    other = await a_service(block_seconds).screen(
        list(reversed(PEOPLE)), PEOPLE, settings, tmp_path / "other.parquet"
    )
    assert other.digest == plain.digest
    assert other.path.read_bytes() == plain.path.read_bytes()


async def test_a_cut_screening_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = await _screened(tmp_path / "whole.parquet")
    out = tmp_path / "cut.parquet"
    kept = await _cut_short(out)
    assert 0 < kept < PAIRS
    assert not out.exists()
    again = await _cut_short(out)
    assert kept < again < PAIRS
    done = await _screened(out)
    assert done.progress.resumed >= again
    assert done.path.read_bytes() == whole.path.read_bytes()
    assert not folder_of(out).exists()


async def test_the_same_again_does_nothing(tmp_path: Path) -> None:
    first = await _screened(tmp_path / "out.parquet")
    before = first.path.stat().st_mtime_ns
    second = await _screened(tmp_path / "out.parquet", replace(QUICK, threads=2))
    assert second.path.stat().st_mtime_ns == before
    assert (second.progress.resumed, second.progress.turns) == (PAIRS, 0)
    assert second.digest == first.digest


async def test_a_process_that_died_after_the_file_leaves_nothing_in_the_end(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out.parquet"
    await _cut_short(out)
    left = {path.name: path.read_bytes() for path in folder_of(out).iterdir()}
    done = await _screened(out)
    folder_of(out).mkdir()
    for name, content in left.items():
        (folder_of(out) / name).write_bytes(content)
    assert (await _screened(out)).digest == done.digest
    assert not folder_of(out).exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 6}, "seed"),
        ({"replicas": 7}, "replicas"),
        ({"scenarios": TWO[:1]}, "scenarios, scenarios_digest"),
    ],
)
async def test_another_command_on_the_same_output_is_refused(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    out = tmp_path / "out.parquet"
    await _cut_short(out)
    with pytest.raises(ScreeningConflictError, match=rf"other settings \({named}\)"):
        await _screened(out, replace(QUICK, **change))
    await _screened(out)
    with pytest.raises(ScreeningConflictError, match=rf"other settings \({named}\)"):
        await _screened(out, replace(QUICK, **change))


async def test_other_people_on_the_same_output_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    await _cut_short(out)
    changed = [replace(PEOPLE[0], percentiles={"openness": 3.0}), *PEOPLE[1:]]
    with pytest.raises(ScreeningConflictError, match="against_digest, people_digest"):
        await a_service().screen(changed, changed, QUICK, out)


async def test_an_output_has_one_process_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    began = asyncio.Event()
    work = asyncio.ensure_future(_screened(out, watch=lambda _: began.set()))
    await began.wait()
    with pytest.raises(ScreeningConflictError, match="Another process"):
        await _screened(out)
    assert (await work).pairs == PAIRS


async def test_damaged_parts_are_lived_again(tmp_path: Path) -> None:
    whole = await _screened(tmp_path / "whole.parquet")
    out = tmp_path / "out.parquet"
    await _cut_short(out)
    await _cut_short(out)
    first, second, *_ = sorted(folder_of(out).glob("part-*"))
    first.write_bytes(first.read_bytes()[:-5])
    flipped = bytearray(second.read_bytes())
    flipped[7] ^= 1
    second.write_bytes(flipped)
    (folder_of(out) / ".part-000000000000-000000000009-00000000.bin").write_bytes(b"half")
    done = await _screened(out)
    assert done.path.read_bytes() == whole.path.read_bytes()


async def test_a_damaged_manifest_is_told_of(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    await _cut_short(out)
    (folder_of(out) / "manifest.json").write_bytes(b"{")
    with pytest.raises(ScreeningConflictError, match=r"manifest\.json cannot be read"):
        await _screened(out)


async def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    folder_of(out).mkdir()
    (folder_of(out) / "thesis.txt").write_text("mine")
    with pytest.raises(ScreeningConflictError, match="something unknown"):
        await _screened(out)
    assert (folder_of(out) / "thesis.txt").read_text() == "mine"


async def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    out.write_text("mine")
    with pytest.raises(ScreeningConflictError, match="is no screening"):
        await _screened(out)
    assert out.read_text() == "mine"
    with pytest.raises(UnusableScreeningError, match="is no screening"):
        a_service().likeliest(out, 3)


@pytest.mark.parametrize(("left", "right"), [(0, 0), (0, 3), (3, 0), (1, 1)])
async def test_there_must_be_a_pair(tmp_path: Path, left: int, right: int) -> None:
    with pytest.raises(UnusableScreeningError, match="no pair to screen"):
        await a_service().screen(PEOPLE[:left], PEOPLE[:right], QUICK, tmp_path / "out.parquet")
    assert _names(tmp_path) == []


async def test_one_person_meets_all_others(tmp_path: Path) -> None:
    done = await a_service().screen(PEOPLE[4:5], PEOPLE, QUICK, tmp_path / "out.parquet")
    rows = rows_of(done.path)
    assert {row["first"] for row in rows} == {"p0004"}
    assert [row["second"] for row in rows] == [
        str(person.id) for person in PEOPLE if person.id != "p0004"
    ]


async def test_a_pair_is_the_same_in_any_population(tmp_path: Path) -> None:
    large = rows_of((await _screened(tmp_path / "large.parquet")).path)
    small = await a_service().screen(PEOPLE[2:3], PEOPLE[5:6], QUICK, tmp_path / "s.parquet")
    (alone,) = rows_of(small.path)
    among = [row for row in large if (row["first"], row["second"]) == ("p0002", "p0005")]
    assert among == [alone]


async def test_one_id_for_two_people_is_refused(tmp_path: Path) -> None:
    other = replace(PEOPLE[3], name="Somebody else")
    with pytest.raises(UnusableScreeningError, match="'p0003' stands for two different people"):
        await a_service().screen(PEOPLE, [other], QUICK, tmp_path / "out.parquet")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"replicas": 0},
        {"replicas": 100_001},
        {"episodes": 0},
        {"episodes": 41},
        {"threads": -1},
        {"scenarios": ("the-lie",) * 41},
        {"scenarios": ("composed:crisis",)},
        {"scenarios": ("no-such-scenario",)},
        {"engine": "abacus"},
    ],
)
async def test_what_cannot_be_screened_is_told_of_before_anything_is_written(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(SoulLinkError):
        await _screened(tmp_path / "out.parquet", replace(QUICK, **change))
    assert _names(tmp_path) == []


async def test_the_output_is_a_parquet_file(tmp_path: Path) -> None:
    (tmp_path / "folder.parquet").mkdir()
    for name in ("out.csv", "out", "folder.parquet"):
        with pytest.raises(UnusableScreeningError):
            await _screened(tmp_path / name)
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableScreeningError, match="cannot be used"):
        await _screened(tmp_path / "file" / "out.parquet")


async def test_scenarios_of_ones_own_can_be_named(tmp_path: Path) -> None:
    mine = replace(library.get("the-lie"), id="mine")
    settings = replace(QUICK, scenarios=("mine",))
    done = await _screened(tmp_path / "mine.parquet", settings, own=[mine])
    assert done.scenarios == ("mine",)
    with pytest.raises(NotFoundError):
        await _screened(tmp_path / "other.parquet", settings)


async def test_episodes_are_the_same_for_all_and_chosen_by_the_seed(tmp_path: Path) -> None:
    screening = a_service()
    chosen = []
    for seed in (1, 1, 2):
        settings = replace(QUICK, scenarios=(), episodes=3, seed=seed, replicas=1)
        out = tmp_path / f"{len(chosen)}.parquet"
        chosen.append((await screening.screen(PEOPLE[:1], PEOPLE[:3], settings, out)).scenarios)
    assert len(chosen[0]) == 3
    assert chosen[0] == chosen[1] != chosen[2]


async def test_the_likeliest_come_from_all_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "ROW_GROUP", 10)
    done = await _screened(tmp_path / "out.parquet")
    rows = rows_of(done.path)
    order = sorted(
        range(len(rows)),
        key=lambda n: (
            -rows[n]["together"],
            -(rows[n]["satisfaction_first_mean"] + rows[n]["satisfaction_second_mean"]),
            n,
        ),
    )
    found = a_service().likeliest(done.path, 15)
    assert [(pair.first, pair.second) for pair in found] == [
        (rows[n]["first"], rows[n]["second"]) for n in order[:15]
    ]
    assert found[0].values["together"] == rows[order[0]]["together"]
    assert len({n // 10 for n in order[:15]}) > 2
    assert len(a_service().likeliest(done.path, 1000)) == PAIRS


@pytest.mark.parametrize(
    ("missing", "extra", "settings"),
    [("pyarrow", "fast", QUICK), ("ray", "ray", replace(QUICK, ray=""))],
)
async def test_a_missing_extra_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    extra: str,
    settings: ScreeningSettings,
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'soullink\[{extra}\]'"):
        await _screened(tmp_path / "out.parquet", settings)


async def test_without_numba_the_equations_themselves_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "available", lambda: False)
    with pytest.raises(MissingExtraError, match=r"or take --engine numpy"):
        await _screened(tmp_path / "out.parquet", replace(QUICK, engine="numba"))
    done = await _screened(tmp_path / "out.parquet", replace(QUICK, engine="auto"))
    assert done.engine == "numpy"


@pytest.mark.compiled
@pytest.mark.skipif(not fast.available(), reason="needs numba (the extra fast)")
async def test_one_engine_does_not_go_on_with_what_the_other_began(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    await _cut_short(out)
    for engine in ("auto", "numba"):
        with pytest.raises(ScreeningConflictError, match=r"other settings \(engine, rounding\)"):
            await _screened(out, replace(QUICK, engine=engine))
