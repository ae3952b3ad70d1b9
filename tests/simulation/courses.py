"""People, a simulation on a real database, and ways to live and compare whole courses."""

import socket
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn

import msgspec
import pytest
from msgspec import structs

from soullink.gateways.postgres.database import Database
from soullink.kernel.ids import PersonId, RunId
from soullink.modules.personality import wiring as personality
from soullink.modules.profiles.api import Attachment, Profile, Wants
from soullink.modules.prompts import wiring as prompts
from soullink.modules.prompts.api import Prompts
from soullink.modules.simulation.agents.scenario import ScenarioAgent
from soullink.modules.simulation.api import (
    Course,
    Episode,
    Moment,
    Settings,
    Turn,
    TurnTaken,
)
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import Voice
from soullink.modules.simulation.wiring import PROMPTS

ADA = Profile(
    id=PersonId("ada"),
    name="Ada Linden",
    birth_date=date(1991, 5, 2),
    sex="female",
    city="Leeds",
    occupation="Nurse",
    percentiles={"neuroticism": 85.0, "extraversion": 70.0, "agreeableness": 60.0},
    attachment=Attachment(anxiety=5.5, avoidance=2.0),
    values={"benevolence": 5.5, "self_direction": 4.0, "power": 1.0},
    interests=("night hiking", "old synthesisers", "bread baking", "crosswords"),
    essays={"about": "I grew up above a bakery. My sister runs it now. I have two cats."},
    wants=Wants(goal="long_term", text="somebody who stays for the washing-up"),
    deal_breakers=("people who never ask back",),
    secrets=("I failed my driving test nine times and never told anybody",),
)
BEN = Profile(
    id=PersonId("ben"),
    name="Ben Okafor",
    age=37,
    sex="male",
    city="Bristol",
    occupation="Software Engineer",
    levels={"extraversion": "low", "agreeableness": "low", "conscientiousness": "high"},
    attachment=Attachment(anxiety="low", avoidance="high"),
    values={"achievement": 5.0, "stimulation": 4.5, "tradition": 1.0},
    interests=("climbing", "bread baking", "jazz records"),
    secrets=("He gambled away the deposit for the flat in Cardiff",),
)
XIA = Profile(
    id=PersonId("xia"),
    name="林晓雨",
    language="zh",
    age=31,
    city="杭州",
    occupation="护士",
    levels={"openness": "high", "neuroticism": "high"},
    interests=("夜跑", "老唱片", "做面包"),
    secrets=("偷偷欠了二十万的网贷一直没敢告诉家里",),
)
YUE = Profile(
    id=PersonId("yue"),
    name="周越",
    language="zh",
    age=33,
    city="成都",
    occupation="程序员",
    interests=("攀岩", "做面包", "看展"),
)
COUPLE = (ADA, BEN)

FIVE = (
    "last-train-noodle-bar",
    "surprise-party",
    "the-lie",
    "the-promotion",
    "grandmothers-flat",
)
"""One course from a first meeting into the family."""


@dataclass
class SteppingClock:
    """Tells a time that moves on by a second whenever it is asked."""

    moment: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


def the_prompts() -> Prompts:
    return prompts.build([PROMPTS])


def a_service(database: Database, voice: Callable[[str], Voice] | None = None) -> SimulationService:
    clock = SteppingClock()
    return SimulationService(
        database=database,
        personality=personality.build(clock),
        scenario_agent=ScenarioAgent(the_prompts()),
        clock=clock,
        voice=voice or (lambda _: BuiltInVoice()),
        version="0.0.test",
    )


async def live(service: SimulationService, run_id: RunId) -> list[Moment]:
    return [moment async for moment in service.live(run_id)]


async def lived_course(
    service: SimulationService,
    settings: Settings | None = None,
    people: tuple[Profile, Profile] = COUPLE,
) -> Course:
    run = await service.start(people, settings or Settings(scenarios=FIVE))
    await live(service, run.id)
    return await service.course(run.id)


async def stop_after(service: SimulationService, run_id: RunId, turns: int) -> None:
    """Live the run and break off when so many turns are durable, as a cancelled program does."""
    taken = 0
    async with aclosing(service.live(run_id)) as moments:
        async for moment in moments:
            taken += isinstance(moment, TurnTaken)
            if taken == turns:
                break


def plain(course: Course) -> list[Any]:
    """Return all that must not depend on the machine, the hour or the run's id."""
    return [msgspec.to_builtins(part) for part in (course.episodes, course.turns)]


def dynamics(course: Course) -> list[Any]:
    """Return `plain` without words: what no voice may move."""
    episodes, turns = plain(course)
    return [episodes, [{k: v for k, v in turn.items() if k != "speech"} for turn in turns]]


def mirrored(turn: Turn) -> Turn:
    """Return the turn as it is when the two people change places."""
    return structs.replace(
        turn,
        speaker=1 - turn.speaker,
        before=turn.before[::-1],
        after=turn.after[::-1],
        positions=None if turn.positions is None else turn.positions[::-1],
    )


def mirrored_episode(episode: Episode) -> Episode:
    """Return the episode as it is when the two people change places."""
    return replace(
        episode,
        roles=episode.roles[::-1],
        loads=episode.loads[::-1],
        before=episode.before[::-1],
        after=episode.after[::-1],
        between=tuple(sorted(f"{1 - int(who)}:{what}" for who, what in _parted(episode.between))),
        farewell=None if episode.farewell is None else 1 - episode.farewell,
    )


def _parted(events: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(who, what) for who, _, what in (event.partition(":") for event in events)]


def cut_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut every way out of Python's sockets; libpq's own Unix socket to the database stays."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError("the network is cut")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
