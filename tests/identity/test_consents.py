"""Consents on a real database."""

import asyncio
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import psycopg
import pytest

from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.kernel.language import LANGUAGES
from soullink.modules.identity import wiring
from soullink.modules.identity.api import (
    PURPOSES,
    Consents,
    ConsentTextNotFoundError,
    InvalidConsentTextError,
    OutdatedConsentTextError,
    Purpose,
    UnknownPurposeError,
)

pytestmark = pytest.mark.anyio

ADA, BEN = PersonId("ada"), PersonId("ben")


@dataclass
class Clock:
    time: datetime = field(default=datetime(2026, 11, 30, 8, tzinfo=UTC))

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def consents(database: Database) -> Consents:
    return wiring.build(database, Clock())


def events(url: str) -> list[tuple[str, dict[str, str]]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT name, payload FROM outbox ORDER BY id").fetchall()


async def test_nobody_has_agreed_before_they_did_and_each_purpose_stands_alone(
    consents: Consents,
) -> None:
    assert not await consents.has(ADA, "matching")
    answer = await consents.grant(ADA, "matching", language="zh", by="desk")
    text = consents.text("matching", "zh")
    assert (answer.version, answer.language, answer.content_hash) == (1, "zh", text.content_hash)
    assert await consents.has(ADA, "matching")
    others = [purpose for purpose in PURPOSES if purpose != "matching"]
    assert not any([await consents.has(ADA, purpose) for purpose in others])
    assert not await consents.has(BEN, "matching")
    assert await consents.holders([ADA, BEN], "matching") == {ADA}


async def test_withdrawing_holds_at_once_and_is_published_once(
    consents: Consents, database_url: str
) -> None:
    granted = await consents.grant(ADA, "training")
    withdrawn = await consents.withdraw(ADA, "training")
    assert not await consents.has(ADA, "training")
    assert await consents.withdraw(ADA, "training") == withdrawn
    assert await consents.has(ADA, "training", at=granted.at)
    assert not await consents.has(ADA, "training", at=granted.at - timedelta(seconds=1))
    payload = {
        "person_id": "ada",
        "purpose": "training",
        "withdrawn_at": withdrawn.at.isoformat().replace("+00:00", "Z"),
    }
    assert events(database_url) == [("identity.consent_withdrawn.v1", payload)]
    assert [answer.granted for answer in await consents.history(ADA)] == [True, False]


async def test_a_refusal_is_kept_and_publishes_nothing(
    consents: Consents, database_url: str
) -> None:
    await consents.withdraw(ADA, "research")
    assert [answer.granted for answer in await consents.history(ADA, "research")] == [False]
    assert events(database_url) == []


async def test_agreeing_twice_is_agreeing_once(consents: Consents) -> None:
    answers = await asyncio.gather(*(consents.grant(ADA, "matching") for _ in range(8)))
    assert len(set(answers)) == len(await consents.history(ADA)) == 1


async def test_answers_cannot_be_changed_even_by_hand(
    consents: Consents, database_url: str
) -> None:
    await consents.grant(ADA, "matching")
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="never changed"),
    ):
        connection.execute("UPDATE consent SET granted = false")


async def test_forgetting_leaves_no_answer_and_no_consent(consents: Consents) -> None:
    await consents.grant(ADA, "matching")
    await consents.grant(BEN, "matching")
    assert await consents.forget(ADA) == 1
    assert await consents.forget(ADA) == 0
    assert await consents.history(ADA) == []
    assert await consents.holders([ADA, BEN], "matching") == {BEN}


async def test_where_a_person_stands(consents: Consents) -> None:
    await consents.grant(ADA, "matching")
    await consents.withdraw(ADA, "research")
    standing = await consents.standing(ADA)
    assert [s.purpose for s in standing] == list(PURPOSES)
    assert [(s.holds, s.answer is None) for s in standing] == [
        (True, False),
        (False, True),
        (False, True),
        (False, False),
    ]


def newer(folder: Path, *, asks_again: bool) -> Path:
    made = shutil.copytree(wiring.TEXTS, folder / "consents")
    for language in LANGUAGES:
        text = (made / f"matching.{language}.v1.md").read_text("utf-8")
        again = text.replace("asks_again: false", f"asks_again: {str(asks_again).lower()}")
        (made / f"matching.{language}.v2.md").write_text(again + "\nMore.\n", "utf-8")
    return made


@pytest.mark.parametrize("asks_again", [True, False])
async def test_a_new_text_asks_again_only_where_it_says_so(
    consents: Consents, database: Database, tmp_path: Path, asks_again: bool
) -> None:
    await consents.grant(ADA, "matching")
    later = wiring.build(database, Clock(), newer(tmp_path, asks_again=asks_again))
    assert await later.has(ADA, "matching") is not asks_again
    assert later.text("matching", "en").version == 2
    if asks_again:
        with pytest.raises(OutdatedConsentTextError):
            await later.grant(ADA, "matching", version=1)
    await later.grant(ADA, "matching")
    assert await later.has(ADA, "matching")
    # What is taken back is what was agreed to.
    assert (await later.withdraw(ADA, "matching")).version == 2


async def test_what_cannot_be_asked_or_answered_is_said(consents: Consents) -> None:
    with pytest.raises(UnknownPurposeError, match="matching, simulation_before_meeting"):
        await consents.grant(ADA, cast("Purpose", "fun"))
    with pytest.raises(UnknownPurposeError):
        await consents.has(ADA, cast("Purpose", "fun"))
    with pytest.raises(InvalidInputError):
        await consents.grant(PersonId(" "), "matching")
    with pytest.raises(ConsentTextNotFoundError):
        consents.text("matching", "en", 9)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("matching.en.v1.md", "no front matter", "front matter"),
        ("matching.en.v1.md", "---\ntitle: [\n---\nText.", "not YAML"),
        ("matching.en.v1.md", "---\ntitle: T\n---\nText.", "exactly title and asks_again"),
        ("matching.en.v1.md", "---\ntitle: T\nasks_again: 1\n---\nText.", "true or false"),
        ("matching.en.v3.md", "---\ntitle: T\nasks_again: false\n---\nText.", "without a gap"),
        ("matching.en.v2.md", "---\ntitle: T\nasks_again: false\n---\nText.", "en and zh"),
        ("matching.fr.v1.md", "---\ntitle: T\nasks_again: false\n---\nText.", "PURPOSE.LANG"),
    ],
)
def test_a_text_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    folder = shutil.copytree(wiring.TEXTS, tmp_path / "consents")
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(InvalidConsentTextError, match=message):
        wiring.read_folder(folder)
    shutil.rmtree(folder)
    with pytest.raises(InvalidConsentTextError, match="no folder"):
        wiring.read_folder(folder)
