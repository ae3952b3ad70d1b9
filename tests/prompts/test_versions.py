"""Versions that operators add, and labels that point to them."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from soullink.gateways.llm.ledger.port import UsageColumn, UsageRow
from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import InvalidInputError
from soullink.modules.prompts import wiring
from soullink.modules.prompts.api import (
    FIRST_STORED,
    InvalidPromptError,
    LabelMove,
    Prompt,
    PromptConflictError,
    PromptNotFoundError,
    PromptStore,
    TurnCounts,
)
from soullink.modules.prompts.store import VersionStore
from tests.prompts.conftest import HEAD, NAME, TickingClock

pytestmark = pytest.mark.anyio

PRODUCTION = (NAME, "en", "production")


def events(url: str) -> list[tuple[str, dict[str, object]]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT name, payload FROM outbox ORDER BY id").fetchall()


async def produced(store: PromptStore) -> int:
    return (await store.snapshot()).get(NAME, "en").version


async def test_added_versions_count_from_their_own_number_and_are_never_added_twice(
    store: PromptStore,
) -> None:
    first = await store.add_version(NAME, "en", "Hi {{ who }}\r\n", ["who"], "Shorter.", by="mia")
    again = await store.add_version(NAME, "en", "Hi {{ who }}\n", ["who"])
    second = await store.add_version(NAME, "en", "Hey {{ who }}")
    chinese = await store.add_version(NAME, "zh", "嗨，{{ who }}")
    assert (first.version, second.version, chinese.version) == (
        FIRST_STORED,
        FIRST_STORED + 1,
        FIRST_STORED,
    )
    assert again == first
    assert (first.description, second.description) == ("Shorter.", "Says hello.")
    assert (first.variables, second.variables) == (("who",), ("who", "mood"))
    kept = await store.snapshot()
    assert kept.get(NAME, "en", FIRST_STORED) == first
    assert kept.render(first, {"who": "Ada", "mood": "fine"}) == "Hi Ada"
    assert kept.get(NAME, "en").version == 2
    shipped = await store.add_version(NAME, "en", "Hello {{ who }} ({{ mood }})")
    assert shipped.version == 1


async def test_versions_added_at_once_get_numbers_of_their_own(store: PromptStore) -> None:
    added = await asyncio.gather(
        *(store.add_version(NAME, "en", f"Hi {{{{ who }}}} {i % 4}") for i in range(8))
    )
    assert sorted({prompt.version for prompt in added}) == [FIRST_STORED + i for i in range(4)]
    assert len({(prompt.version, prompt.content_hash) for prompt in added}) == 4


async def test_what_others_change_is_seen_and_what_nobody_changes_is_read_once(
    folder: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (wiring.build_store([folder], database, TickingClock()) for _ in range(2))
    trials = wiring.build_experiments([folder], database, TickingClock())
    reads: list[None] = []
    read = VersionStore.all

    async def counted(store: VersionStore) -> list[Prompt]:
        reads.append(None)
        return await read(store)

    async def seen(unit: str = "") -> int:
        monkeypatch.setattr(VersionStore, "all", counted)
        reads.clear()
        first, again = [(await ours.snapshot(unit)).get(NAME, "en").version for _ in range(2)]
        monkeypatch.setattr(VersionStore, "all", read)
        assert first == again
        return first

    assert (await seen(), len(reads)) == (2, 1)
    assert (await seen(), len(reads)) == (2, 0)
    await theirs.add_version(NAME, "en", "Hi {{ who }}")
    assert (await seen(), len(reads)) == (2, 1)
    assert FIRST_STORED in {one.version for one in (await ours.snapshot()).list_prompts()}
    await theirs.label(NAME, "en", "production", 1)
    assert (await seen(), len(reads)) == (1, 1)
    await trials.start_experiment("warmer", NAME, "en", (2, FIRST_STORED), mode="live")
    assert await seen("somebody") in {2, FIRST_STORED}
    assert len(reads) == 1
    await trials.conclude("warmer")
    assert (await seen("somebody"), len(reads)) == (1, 1)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE prompt_version SET description = 'Other.'")
    assert (await seen(), len(reads)) == (1, 1)


@pytest.mark.parametrize(
    ("template", "variables", "match"),
    [
        ("Hi {{ whom }}", None, "uses whom"),
        ("Hi {{ who }}", ["who", "age"], "needs age"),
        ("Hi {{ mood }}", ["who"], "uses mood"),
        ("Hi {{ who", None, "broken"),
        ("{% include 'x' %}", None, "other files"),
        ("Hi {{ cycler }}", None, "uses cycler"),
        ("a\n---user---\nb\n---user---\n", None, "more than one"),
        (" \n", None, "empty"),
    ],
)
async def test_a_template_that_cannot_work_is_not_kept(
    store: PromptStore, template: str, variables: list[str] | None, match: str
) -> None:
    with pytest.raises(InvalidPromptError, match=match):
        await store.add_version(NAME, "en", template, variables)
    assert {prompt.version for prompt in (await store.snapshot()).list_prompts()} == {1, 2}


async def test_only_prompts_that_the_code_has_can_get_versions(store: PromptStore) -> None:
    with pytest.raises(PromptNotFoundError, match=r"no prompt greeting\.bye"):
        await store.add_version("greeting.bye", "en", "Bye")


async def test_production_is_what_get_takes_and_a_snapshot_keeps_it(store: PromptStore) -> None:
    before = await store.snapshot()
    move = await store.label(*PRODUCTION, 1, by="mia")
    assert (move.version, move.previous, move.moved_by, move.reason) == (1, None, "mia", "label")
    assert await produced(store) == 1
    assert before.get(NAME, "en").version == 2
    await store.label(NAME, "en", "staging", 2)
    assert await produced(store) == 1
    assert (await store.snapshot()).get(NAME, "zh").version == 1


async def test_a_rollback_returns_to_where_the_label_pointed_one_step_at_a_time(
    store: PromptStore,
) -> None:
    added = await store.add_version(NAME, "en", "Hi {{ who }}")
    for version in (1, 2, added.version):
        await store.label(*PRODUCTION, version)
    went = [(await store.rollback(*PRODUCTION, by="noa")).version for _ in range(3)]
    assert went == [2, 1, None]
    assert await produced(store) == 2
    with pytest.raises(PromptConflictError, match="points nowhere"):
        await store.rollback(*PRODUCTION)
    await store.label(*PRODUCTION, 1)
    assert (await store.rollback(*PRODUCTION)).version is None
    history = await store.label_history(*PRODUCTION)
    assert [(m.version, m.previous, m.reason) for m in history] == [
        (1, None, "label"),
        (2, 1, "label"),
        (1001, 2, "label"),
        (2, 1001, "rollback"),
        (1, 2, "rollback"),
        (None, 1, "rollback"),
        (1, None, "label"),
        (None, 1, "rollback"),
    ]
    times = [move.moved_at for move in history]
    assert times == sorted(times)
    assert await store.labels() == await store.labels(NAME) == [history[-1]]


async def test_a_new_move_after_a_rollback_goes_back_to_what_was_rolled_back_to(
    store: PromptStore,
) -> None:
    added = await store.add_version(NAME, "en", "Hi {{ who }}")
    await store.label(*PRODUCTION, 1)
    await store.label(*PRODUCTION, 2)
    await store.rollback(*PRODUCTION)
    await store.label(*PRODUCTION, added.version)
    assert (await store.rollback(*PRODUCTION)).version == 1
    assert (await store.rollback(*PRODUCTION)).version is None


async def test_every_move_is_published_with_it_and_none_without_a_change(
    store: PromptStore, database_url: str
) -> None:
    move = await store.label(*PRODUCTION, 1, by="mia")
    assert await store.label(*PRODUCTION, 1, by="noa") == move
    await store.rollback(*PRODUCTION, by="noa")
    published = events(database_url)
    assert [name for name, _ in published] == ["prompts.label_moved.v1"] * 2
    first, second = (payload for _, payload in published)
    assert (first["version"], first["previous"], first["moved_by"]) == (1, None, "mia")
    assert (second["version"], second["previous"], second["reason"]) == (None, 1, "rollback")
    with pytest.raises(PromptNotFoundError):
        await store.label(*PRODUCTION, 7)
    with pytest.raises(InvalidInputError, match="no label"):
        await store.label(NAME, "en", "Production!", 1)
    assert events(database_url) == published


async def test_moves_at_once_come_one_after_the_other(store: PromptStore) -> None:
    await asyncio.gather(*(store.label(*PRODUCTION, 1 + i % 2) for i in range(8)))
    history = await store.label_history(*PRODUCTION)
    assert [move.previous for move in history] == [None, *(m.version for m in history[:-1])]
    assert all(move.version != move.previous for move in history)


async def test_a_label_of_before_an_update_is_told_of_when_the_code_asks_for_more(
    store: PromptStore, folder: Path, database: Database, clock: TickingClock
) -> None:
    await store.label(*PRODUCTION, 1)
    narrower = HEAD.replace("  mood: how they feel\n", "")
    (folder / "hello.en.v3.md").write_text(narrower + "Hello {{ who }}", "utf-8")
    updated = wiring.build_store([folder], database, clock)
    with pytest.raises(InvalidPromptError, match="needs mood"):
        await updated.snapshot()
    assert (await updated.rollback(*PRODUCTION)).version is None
    assert await produced(updated) == 3
    for old in ("hello.en.v1.md", "hello.en.v2.md"):
        (folder / old).unlink()
    await store.label(*PRODUCTION, 2)
    with pytest.raises(PromptNotFoundError, match="version 2"):
        await wiring.build_store([folder], database, clock).snapshot()


class Accounts:
    """Accounts of three groups of calls; the last one's prompt had two parts."""

    def __init__(self, groups: list[str]) -> None:
        self.groups = groups

    async def usage(self, by: object) -> list[UsageRow]:
        columns: list[UsageColumn] = ["prompt"]
        assert by == columns
        return [
            UsageRow(
                group=(group,),
                calls=10 * (i + 1),
                attempts=12 * (i + 1),
                failed=2 * (i + 1),
                input_tokens=1_000,
                cached_input_tokens=800,
                output_tokens=100,
                cost_nano_usd=5_000,
                estimated_nano_usd=0,
                unpriced=0,
                mean_latency_seconds=0.5,
                quality={"schema_valid": 0.25 * (i + 1)},
            )
            for i, group in enumerate(self.groups)
        ]


class Turns:
    def __init__(self, counts: list[TurnCounts]) -> None:
        self.counts = counts

    async def counts_by_prompt(self) -> list[TurnCounts]:
        return self.counts


async def test_performance_puts_accounts_and_turns_of_each_version_together(
    store: PromptStore, folder: Path, database: Database, clock: TickingClock
) -> None:
    shipped = await store.snapshot()
    one, two = (shipped.get(NAME, "en", version).reference for version in (1, 2))
    accounts = Accounts([one, f"{NAME}@9:00000000", f"{one}+other.prompt@1:11111111", "", "x"])
    turns = Turns(
        [TurnCounts(two, 8, 2, 1), TurnCounts(f"{two}+{NAME}.repair@1:22222222", 2, 1, 1)]
    )
    kept = wiring.build_store([folder], database, clock, accounts, turns)
    rows = {row.reference: row for row in await kept.performance(NAME)}
    assert len(rows) == 4  # both languages' versions, and one that is known no more
    assert (rows[one].calls, rows[one].failure_rate) == (40, 8 / 48)
    assert rows[one].quality == {"schema_valid": pytest.approx((0.25 * 10 + 0.75 * 30) / 40)}
    assert (rows[one].cost_nano_usd, rows[one].fallback_rate) == (10_000, None)
    assert (rows[two].turns, rows[two].repair_rate, rows[two].fallback_rate) == (10, 0.3, 0.2)
    assert rows[f"{NAME}@9:00000000"].language == ""
    with pytest.raises(PromptNotFoundError):
        await kept.performance("greeting.bye")


async def test_without_accounts_every_known_version_still_has_its_row(store: PromptStore) -> None:
    rows = await store.performance(NAME)
    assert [(row.language, row.calls, row.failure_rate) for row in rows] == [
        ("en", 0, None),
        ("en", 0, None),
        ("zh", 0, None),
    ]
    assert isinstance(await store.label(*PRODUCTION, 1), LabelMove)
