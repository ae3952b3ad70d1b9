"""SoulLink from Python: the same as the command line, sync and async.

Everything here works on files and on the database that the environment names, or on our own.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec

from soullink import bootstrap
from soullink.kernel.canonical import canonical_json
from soullink.kernel.errors import InvalidInputError, NotFoundError
from soullink.kernel.ids import RunId
from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import (
    Course,
    Fork,
    Moment,
    Run,
    Scenario,
    Settings,
)
from soullink.settings import PostgresSettings
from soullink.settings import Settings as Environment

if TYPE_CHECKING:
    from soullink.modules.analysis.api import Moved, Report
    from soullink.modules.simulation.screening.api import (
        Screened,
        ScreeningProgress,
        ScreeningSettings,
    )

_LONGEST_LINE = 2 * 1024 * 1024
# Of what a report says moved a run; `soullink explain` takes more.
_COURSES_MOST = 4_000
_FUTURES_MOST = 40
_MOMENTS = 6
T = TypeVar("T")
Watcher = Callable[[Moment], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A lived course and what it tells.

    document: the report as plain data (docs/reference/report.md). page: the report as HTML.
    """

    course: Course
    report: "Report"
    document: Mapping[str, Any]
    page: str

    @property
    def run_id(self) -> RunId:
        """Return the id to resume, replay or fork this run by."""
        return self.course.run.id

    def save(self, folder: Path) -> None:
        """Write report.html, report.json and course.jsonl into `folder`, each atomically."""
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "report.html", self.page.encode())
        text = json.dumps(self.document, ensure_ascii=False, indent=2, sort_keys=True)
        _write(folder / "report.json", (text + "\n").encode())
        lines = course_lines(self.course)
        _write(folder / "course.jsonl", b"".join(line + b"\n" for line in lines))


def course_lines(course: Course) -> Iterator[bytes]:
    """Yield the course as JSON lines: first the run, then each episode with its turns.

    Turns of an episode that has not ended yet come last. Keys are sorted; what depends on the
    machine and the hour stands under "wall" alone.
    """
    return map(canonical_json, _course_records(course))


def course_digest(course: Course) -> str:
    """Return the SHA-256 over the lines of the course without "wall", 64 hexadecimal digits."""
    lines = hashlib.sha256()
    for record in _course_records(course):
        compared = {key: value for key, value in record.items() if key != "wall"}
        lines.update(canonical_json(compared) + b"\n")
    return lines.hexdigest()


def _course_records(course: Course) -> Iterator[dict[str, Any]]:
    run = course.run
    yield {
        "kind": "run",
        "people": [{"id": str(p.id), "name": p.name} for p in run.people],
        "settings": msgspec.to_builtins(run.settings),
        "versions": dict(run.versions),
        "fork": None if run.fork is None else msgspec.to_builtins(run.fork),
        "wall": {
            "run_id": str(run.id),
            "created_at": run.created_at,
            "finished_at": run.finished_at,
        },
    }
    turns = [
        {"kind": "turn", **msgspec.to_builtins(turn), "wall": msgspec.to_builtins(wall)}
        for turn, wall in zip(course.turns, course.walls, strict=True)
    ]
    for episode in course.episodes:
        plain = msgspec.to_builtins(episode)
        plain["scenario"] = episode.scenario.id
        yield {"kind": "episode", **plain}
        yield from (turn for turn in turns if turn["episode"] == episode.number)
    finished = {episode.number for episode in course.episodes}
    yield from (turn for turn in turns if turn["episode"] not in finished)


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


async def _shown(moments: AsyncIterator[Moment], watch: Watcher | None) -> None:
    """Use up the moments; tell the watcher of each."""
    async for moment in moments:
        if watch is not None:
            watch(moment)


class Session:
    """Everything one process does with runs. Open it with `open_session`."""

    def __init__(self, house: bootstrap.House) -> None:
        self.house = house

    async def simulate(
        self,
        people: tuple[Profile, Profile],
        settings: Settings,
        *,
        replicas: int = 200,
        language: Language | None = None,
        run_id: RunId | None = None,
        watch: Watcher | None = None,
        started: Callable[[Run], None] | None = None,
        own: Sequence[Scenario] = (),
    ) -> Outcome:
        """Live a new course to its end and report on it.

        own: scenarios of yours that settings.scenarios may name by id.
        watch: told of every moment once it is durable. started: told of the run before the
        first turn. language: of the report; that of the course when None.
        Raises InvalidInputError, UnavailableError.
        """
        run = await self.house.simulation.start(people, settings, run_id, own)
        if started is not None:
            started(run)
        return await self.resume(run.id, replicas=replicas, language=language, watch=watch)

    async def resume(
        self,
        run_id: RunId,
        *,
        replicas: int = 200,
        language: Language | None = None,
        watch: Watcher | None = None,
    ) -> Outcome:
        """Live a run from where it stands to its end and report on it.

        Raises RunNotFoundError, ReplayMismatchError, UnavailableError.
        """
        await _shown(self.house.simulation.live(run_id), watch)
        return await self.report(run_id, replicas=replicas, language=language)

    async def replay(
        self,
        run_id: RunId,
        *,
        replicas: int = 200,
        language: Language | None = None,
        watch: Watcher | None = None,
    ) -> Outcome:
        """Live a recorded run again without any model call, then report on it.

        Raises ReplayMismatchError at the first turn that comes out differently.
        """
        await _shown(self.house.simulation.replay(run_id), watch)
        return await self.report(run_id, replicas=replicas, language=language)

    async def fork(
        self,
        fork: Fork,
        *,
        replicas: int = 200,
        language: Language | None = None,
        run_id: RunId | None = None,
        watch: Watcher | None = None,
        started: Callable[[Run], None] | None = None,
    ) -> Outcome:
        """Branch a run and live the branch; the report compares both."""
        run = await self.house.simulation.fork(fork, run_id)
        if started is not None:
            started(run)
        return await self.resume(run.id, replicas=replicas, language=language, watch=watch)

    async def report(
        self, run_id: RunId, *, replicas: int = 200, language: Language | None = None
    ) -> Outcome:
        """Return what a run tells, from its record and fresh replicas."""
        simulation, analysis = self.house.simulation, self.house.analysis
        course = await simulation.course(run_id)
        if not course.episodes:
            raise InvalidInputError(
                f"Run {run_id} has no finished episode yet; `soullink resume {run_id}` first."
            )
        changes = analysis.interventions()
        (main, *changed), anyone, moved = await asyncio.gather(
            simulation.replicas(run_id, replicas, changes),
            simulation.baseline(run_id, replicas),
            self.moved(run_id, replicas),
        )
        alternatives = {c.id: r for c, r in zip(changes, changed, strict=True)}
        fork = course.run.fork
        parent = None if fork is None else await self._parent(fork.parent)
        spoken = language or course.run.settings.language
        report = analysis.report(
            course, main, alternatives, spoken, parent, baseline=anyone, moved=moved
        )
        return Outcome(course, report, analysis.document(report), analysis.page(report))

    async def moved(self, run_id: RunId, replicas: int) -> "Moved":
        """Return what moved a run, in a small edition whose size goes with `replicas`."""
        from soullink.modules.analysis.api import Moved  # noqa: PLC0415 - a report needs it

        courses = min(max(8 * replicas, 4), _COURSES_MOST)
        futures = min(max(replicas // 16, 2), _FUTURES_MOST)
        effects, points = await asyncio.gather(
            self.house.sensitivity.effects(run_id, courses),
            self.house.sensitivity.turning_points(run_id, _MOMENTS, futures),
        )
        return Moved(effects, courses, points)

    async def _parent(self, run_id: RunId) -> Course | None:
        """Return the parent of a fork, None when it has been deleted since."""
        try:
            return await self.house.simulation.course(run_id)
        except NotFoundError:
            return None


@asynccontextmanager
async def open_session(
    data_dir: Path | None = None,
    database_url: str | None = None,
    environ: Mapping[str, str] | None = None,
    processes: int = 1,
) -> AsyncIterator[Session]:
    """Open the database and yield a Session.

    data_dir: of our own PostgreSQL; database_url: of yours. Both override the environment
    (SOULLINK_DATA_DIR, SOULLINK_DATABASE_URL). processes: replicas computed at once.
    """
    environment = Environment.read(os.environ if environ is None else environ)
    postgres = environment.postgres
    if database_url is not None:
        postgres = PostgresSettings(database_url, None)
    elif data_dir is not None:
        postgres = PostgresSettings(None, data_dir)
    async with bootstrap.open_house(replace(environment, postgres=postgres), processes) as house:
        yield Session(house)


def run_id_of(text: str) -> RunId:
    """Return the id in `text`. Raises InvalidInputError."""
    try:
        return RunId(UUID(text))
    except ValueError as error:
        raise InvalidInputError(
            f"{text!r} is not a run id; `soullink runs list` shows them."
        ) from error


def load_person(path: str | Path) -> Profile:
    """Return the profile in a YAML or JSON file. Raises InvalidProfileError."""
    return bootstrap.build_profiles().load(Path(path))


def load_people(path: str | Path) -> list[Profile]:
    """Return every profile in a folder or JSONL file. Raises InvalidProfileError."""
    return bootstrap.build_profiles().load_all(Path(path))


def read_population(path: Path) -> list[Profile]:
    """Return the people of a folder, a profile, a JSONL file, or a file of another system.

    Of other systems' files SOTOPIA's JSONL and OkCupid's CSV are known.
    Raises InvalidProfileError, DuplicatePersonError.
    """
    profiles = bootstrap.build_profiles()
    if path.suffix.lower() == ".csv":
        return profiles.import_people(path, "okcupid")
    if path.suffix.lower() == ".jsonl" and _is_sotopia(path):
        return profiles.import_people(path, "sotopia")
    return profiles.load_all(path)


def _is_sotopia(path: Path) -> bool:
    """Tell whether the first line of a JSONL file is a person as SOTOPIA has them."""
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_LONGEST_LINE))
    except (OSError, ValueError, RecursionError):
        return False  # whoever reads it in earnest says what is wrong
    return isinstance(first, dict) and "first_name" in first and "name" not in first


async def screen_async(
    people: Sequence[Profile],
    against: Sequence[Profile],
    out: Path,
    *,
    settings: "ScreeningSettings | None" = None,
    own: Sequence[Scenario] = (),
    watch: "Callable[[ScreeningProgress], None] | None" = None,
) -> "Screened":
    """Live every pair of `people` with `against` and write a row for each to `out`, Parquet.

    The same call again goes on where an interrupted one stopped. own: scenarios of yours that
    settings.scenarios may name. Raises InvalidInputError, ConflictError, UnavailableError.
    """
    from soullink.modules.simulation.screening.api import ScreeningSettings  # noqa: PLC0415

    chosen = settings or ScreeningSettings()
    return await bootstrap.build_screening().screen(people, against, chosen, out, own, watch)


def screen(
    people: Sequence[Profile], against: Sequence[Profile], out: Path, **options: Any
) -> "Screened":
    """Do what `screen_async` does, from code without an event loop; same options."""
    return _wait(screen_async(people, against, out, **options))


async def simulate_async(
    first: Profile,
    second: Profile,
    *,
    seed: int = 0,
    episodes: int = 5,
    language: Language | None = None,
    voice: str = "built-in",
    scenarios: Sequence[str] = (),
    replicas: int = 200,
    data_dir: Path | None = None,
    watch: Watcher | None = None,
) -> Outcome:
    """Let two people's agents live through a course; returns its Outcome.

    language: of words and report; the language both speak, else the first person's.
    """
    chosen = language or first.language
    settings = Settings(seed, episodes, chosen, voice, tuple(scenarios))
    async with open_session(data_dir) as session:
        return await session.simulate((first, second), settings, replicas=replicas, watch=watch)


def simulate(first: Profile, second: Profile, **options: Any) -> Outcome:
    """Do what `simulate_async` does, from code without an event loop; same options."""
    return _wait(simulate_async(first, second, **options))


async def replay_async(
    run_id: RunId, *, replicas: int = 200, data_dir: Path | None = None
) -> Outcome:
    """Live a recorded run again and compare every turn. Raises ReplayMismatchError."""
    async with open_session(data_dir) as session:
        return await session.replay(run_id, replicas=replicas)


def replay(run_id: RunId, **options: Any) -> Outcome:
    """Do what `replay_async` does, from code without an event loop; same options."""
    return _wait(replay_async(run_id, **options))


def _wait(work: Awaitable[T]) -> T:
    async def waited() -> T:
        return await work

    return asyncio.run(waited())
