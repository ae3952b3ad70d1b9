"""A blind reading of ten courses: can a reader tell who speaks, and who gets on?

`python -m benchmarks.blind_reading prepare DIR` lives ten courses with the built-in voice and
writes, for each, what a reader gets (no names, no questionnaires, no acts, no outcomes) and, apart
from it, the key. `python -m benchmarks.blind_reading score DIR ANSWERS.json` compares.

Reader's task 1: per couple, two people described by interests, essays, occupation and wants, and
40 of their lines in shuffled order: whose is each line, 1 or 2? Task 2: the ten conversations,
lines only, speakers as P and Q: order the couples from best to worst.

Answers: {"speakers": {"1": {"1": 2, ...}, ...}, "order": [couple, ..., couple]} best first.
"""

import asyncio
import json
import math
import random
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from typing import Any

from soullink.entrypoints.library import load_people, open_session
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Course, Settings
from soullink.modules.simulation.voice.slots import first_name

ROOT = Path(__file__).resolve().parent.parent
COUPLES = 10
LINES = 40


def couples(seed: int) -> list[tuple[Profile, Profile]]:
    """Return ten couples of shipped people who share a language, drawn once by seed."""
    people = [p for p in load_people(ROOT / "examples" / "people") if p.interests]
    pairs = [(a, b) for a, b in combinations(people, 2) if a.language == b.language]
    return random.Random(seed).sample(pairs, COUPLES)  # noqa: S311


def wellbeing(course: Course) -> float:
    """Return how the two get on at the end: trust and closeness of both, less if one left."""
    last = course.episodes[-1]
    value = sum(person.trust + person.closeness for person in last.after) / 4
    return value - (0.3 if last.farewell is not None else 0.0)


def _described(person: Profile) -> dict[str, Any]:
    essays = {key: _nameless(text, person.name) for key, text in person.essays.items()}
    return {
        "interests": list(person.interests),
        "occupation": person.occupation,
        "city": person.city,
        "wants": person.wants.text,
        "essays": essays,
    }


def _nameless(text: str, *names: str) -> str:
    for name in names:
        for part in (name, first_name(name), *name.split()):
            if len(part) > 1:
                text = text.replace(part, "___")
    return text


async def live_ten(seed: int) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Live the ten courses; return the readers' packs by name, and the key."""
    key: dict[str, Any] = {"speakers": {}, "wellbeing": {}, "couples": {}}
    names = ("lines", "conversations")
    packs: dict[str, dict[str, Any]] = {name: {} for name in names}
    with tempfile.TemporaryDirectory(prefix="soullink-") as data:
        async with open_session(Path(data)) as session:
            for number, pair in enumerate(couples(seed), start=1):
                settings = Settings(seed=seed * 100 + number, language=pair[0].language)
                run = await session.house.simulation.start(pair, settings)
                async for _ in session.house.simulation.live(run.id):
                    pass
                course = await session.house.simulation.course(run.id)
                _pack(str(number), course, packs, key, random.Random(number))  # noqa: S311
    return packs, key


def prepare(folder: Path, seed: int) -> None:
    """Live the ten courses; write what a reader gets and, apart from it, the key."""
    packs, key = asyncio.run(live_ten(seed))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**packs, "key": key}.items():
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text)


def _pack(
    number: str,
    course: Course,
    packs: dict[str, dict[str, Any]],
    key: dict[str, Any],
    draw: random.Random,
) -> None:
    people, language = course.run.people, course.run.settings.language
    names = [person.name for person in people]
    first = draw.randrange(2)
    spoken = [t for t in course.turns if t.speech.status != "silent"]
    sample = draw.sample(spoken, min(LINES, len(spoken)))
    packs["lines"][number] = {
        "person 1": _described(people[first]),
        "person 2": _described(people[1 - first]),
        "lines": {str(n): _nameless(t.speech.words, *names) for n, t in enumerate(sample, 1)},
    }
    key["speakers"][number] = {
        str(n): 1 if t.speaker == first else 2 for n, t in enumerate(sample, 1)
    }
    scenes = []
    for episode in course.episodes:
        said = [
            f"{'PQ'[t.speaker ^ first]}: {_nameless(t.speech.words, *names)}"
            for t in course.turns
            if t.episode == episode.number
        ]
        setting = episode.scenario.rendered_setting(episode.parameters, language)
        scenes.append({"setting": setting, "said": said})
    packs["conversations"][number] = scenes
    key["wellbeing"][number] = wellbeing(course)
    key["couples"][number] = [str(person.id) for person in people]


def score(folder: Path, answers: dict[str, Any]) -> dict[str, Any]:
    """Return what the answers are worth; a reader may have done one task or both.

    Accuracy with a 95 % Wilson interval; Spearman's rho with a one-sided permutation p value.
    """
    key = json.loads((folder / "key.json").read_text())
    result: dict[str, Any] = {}
    if answers.get("speakers"):
        result |= _speakers(key["speakers"], answers["speakers"])
    if answers.get("order"):
        result |= _order(key["wellbeing"], [str(couple) for couple in answers["order"]])
    return result


def _speakers(truth: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    right = {
        couple: [given.get(couple, {}).get(line) == who for line, who in lines.items()]
        for couple, lines in truth.items()
    }
    n, hits = sum(map(len, right.values())), sum(map(sum, right.values()))
    share, z = hits / n, 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {
        "lines": n,
        "right": hits,
        "accuracy": share,
        "low": middle - half,
        "high": middle + half,
        "by_couple": {couple: sum(found) / len(found) for couple, found in right.items()},
    }


def _order(wellbeing: dict[str, float], given: list[str]) -> dict[str, Any]:
    best = sorted(wellbeing, key=lambda couple: -wellbeing[couple])
    rho = _spearman([best.index(couple) for couple in given])
    draw = random.Random(1)  # noqa: S311
    shuffled = [draw.sample(range(len(given)), len(given)) for _ in range(20_000)]
    p = sum(_spearman(order) >= rho for order in shuffled) / len(shuffled)
    return {"truth": best, "given": given, "spearman": rho, "p": p}


def _spearman(ranks: list[int]) -> float:
    n = len(ranks)
    return 1 - 6 * sum((place - rank) ** 2 for place, rank in enumerate(ranks)) / (n * (n * n - 1))


def main() -> None:
    """Run one of the two commands."""
    match sys.argv[1:]:
        case ["prepare", folder]:
            prepare(Path(folder), seed=11)
        case ["score", folder, answers]:
            print(json.dumps(score(Path(folder), json.loads(Path(answers).read_text())), indent=1))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
