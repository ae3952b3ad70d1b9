"""Consents on PostgreSQL: every answer is one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.identity.api import (
    PURPOSES,
    ConsentAnswer,
    Consents,
    ConsentStanding,
    ConsentText,
    ConsentTextNotFoundError,
    ConsentWithdrawn,
    OutdatedConsentTextError,
    Purpose,
)
from soullink.modules.identity.domain import (
    holds,
    known_person,
    known_purpose,
    newest,
    oldest_that_holds,
)
from soullink.modules.identity.store import ConsentStore


@dataclass(frozen=True, slots=True)
class StoredConsents(Consents):
    """Implements Consents. texts: every version of every purpose in every language."""

    database: Database
    clock: Clock
    texts: Sequence[ConsentText]

    def text(self, purpose: Purpose, language: Language, version: int | None = None) -> ConsentText:
        versions = self._versions(known_purpose(purpose))
        wanted = newest(versions) if version is None else version
        for text in versions:
            if (text.version, text.language) == (wanted, language):
                return text
        raise ConsentTextNotFoundError(
            f"There is no version {wanted} of the text for {purpose} in {language}."
        )

    async def grant(
        self,
        person_id: PersonId,
        purpose: Purpose,
        *,
        language: Language = "en",
        version: int | None = None,
        by: str = "",
    ) -> ConsentAnswer:
        text = self.text(purpose, language, version)
        oldest = self._oldest(purpose)
        if text.version < oldest:
            raise OutdatedConsentTextError(
                f"Version {oldest} of the text for {purpose} asks everybody again; "
                f"version {text.version} cannot be agreed to any more."
            )
        async with self.database.work() as work:
            store = ConsentStore(work.session)
            await store.alone(known_person(person_id))
            last = next(iter(await store.last([person_id], purpose)), None)
            if last is not None and last.granted and last.version == text.version:
                return last
            answer = self._answer(person_id, text, granted=True, by=by)
            await store.add(answer)
        return answer

    async def withdraw(
        self, person_id: PersonId, purpose: Purpose, *, language: Language = "en", by: str = ""
    ) -> ConsentAnswer:
        shown = self.text(purpose, language)
        async with self.database.work() as work:
            store = ConsentStore(work.session)
            await store.alone(known_person(person_id))
            last = next(iter(await store.last([person_id], purpose)), None)
            if last is not None and not last.granted:
                return last
            # What is taken back is the text that was agreed to, not today's.
            text = shown if last is None else self.text(purpose, last.language, last.version)
            answer = self._answer(person_id, text, granted=False, by=by)
            await store.add(answer)
            if last is not None:
                await work.publish(
                    ConsentWithdrawn(person_id=person_id, purpose=purpose, withdrawn_at=answer.at)
                )
        return answer

    async def has(self, person_id: PersonId, purpose: Purpose, at: datetime | None = None) -> bool:
        oldest = self._oldest(known_purpose(purpose))
        async with self.database.work() as work:
            last = await ConsentStore(work.session).last([person_id], purpose, at)
        return any(holds(answer, oldest) for answer in last)

    async def holders(self, people: Collection[PersonId], purpose: Purpose) -> frozenset[PersonId]:
        oldest = self._oldest(known_purpose(purpose))
        async with self.database.work() as work:
            last = await ConsentStore(work.session).last(people, purpose)
        return frozenset(answer.person_id for answer in last if holds(answer, oldest))

    async def standing(self, person_id: PersonId) -> list[ConsentStanding]:
        async with self.database.work() as work:
            last = await ConsentStore(work.session).last([person_id])
        answers = {answer.purpose: answer for answer in last}
        return [
            ConsentStanding(
                purpose, holds(answers.get(purpose), self._oldest(purpose)), answers.get(purpose)
            )
            for purpose in PURPOSES
        ]

    async def history(
        self, person_id: PersonId, purpose: Purpose | None = None
    ) -> list[ConsentAnswer]:
        wanted = None if purpose is None else known_purpose(purpose)
        async with self.database.work() as work:
            return await ConsentStore(work.session).history(person_id, wanted)

    async def forget(self, person_id: PersonId) -> int:
        async with self.database.work() as work:
            store = ConsentStore(work.session)
            await store.alone(person_id)
            return await store.forget(person_id)

    def _versions(self, purpose: Purpose) -> list[ConsentText]:
        return [text for text in self.texts if text.purpose == purpose]

    def _oldest(self, purpose: Purpose) -> int:
        return oldest_that_holds(self._versions(purpose))

    def _answer(
        self, person_id: PersonId, text: ConsentText, *, granted: bool, by: str
    ) -> ConsentAnswer:
        return ConsentAnswer(
            person_id=person_id,
            purpose=text.purpose,
            granted=granted,
            version=text.version,
            language=text.language,
            content_hash=text.content_hash,
            at=self.clock.now(),
            by=by,
        )
