"""SoulLink's conversation as it is compared: everything on, journal and ledger in PostgreSQL."""

import asyncio
import contextlib
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.turns.subjects import UTTERANCES, Conversation, base_url
from soullink.bootstrap import House, open_house
from soullink.entrypoints.collector import rarely_collected
from soullink.entrypoints.library import load_person
from soullink.modules.simulation.api import Scenario, TurnTaken
from soullink.modules.simulation.api import Settings as CourseSettings
from soullink.modules.simulation.scenarios import library
from soullink.settings import LlmSettings, PostgresSettings, Settings

PEOPLE = Path(__file__).resolve().parents[2] / "examples" / "people"
ROUTE = "bench"


def scenario() -> Scenario:
    """Return a shipped first meeting, as long as the other subjects' conversation."""
    return replace(library.get("last-train-noodle-bar"), id="bench", turns=(UTTERANCES, UTTERANCES))


def write_config(path: Path, port: int) -> Path:
    """Write a route to the server; the limits are counted and never reached."""
    lines = [
        "routes:",
        f"  {ROUTE}:",
        "    deployments:",
        "    - model: openai:gpt-4o-mini",
        f"      base_url: {base_url(port)}",
        "      max_in_flight: 1024",
        "      requests_per_minute: 100000000",
        "      tokens_per_minute: 100000000000",
        "prices:",
        "  openai:gpt-4o-mini: {input: '0.15', cached_input: '0.075', output: '0.6'}",
        "default_tenant: {requests_per_minute: 100000000, tokens_per_minute: 100000000000}",
        "capacity: 1024",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


async def hold(port: int, count: int, database_url: str) -> None:
    """Live `count` courses until each has said something, and print the memory they take.

    The server is left waiting: every course stands in the middle of its second turn or later.
    """
    import psutil

    from benchmarks.turns.client import server

    server(port, "/latency?ms=0", post=True)
    conversation = await open_conversations(port, database_url)
    await conversation(0)
    alone = psutil.Process().memory_info().rss
    server(port, "/latency?ms=600000", post=True)
    server(port, "/reset", post=True)
    talks = [asyncio.ensure_future(conversation(n)) for n in range(1, count + 1)]
    began = conversation.began  # type: ignore[attr-defined]
    while len(began) < count + 1:
        await asyncio.sleep(0.5)
        failed = [talk for talk in talks if talk.done()]
        if failed:
            failed[0].result()
    await asyncio.sleep(5)
    taken = psutil.Process().memory_info().rss
    row = {"peak_mb": taken / 2**20, "each_kb": (taken - alone) / count / 1024}
    print(json.dumps(row), flush=True)
    os._exit(0)


async def open_conversations(port: int, database_url: str) -> Conversation:
    """Return a conversation through a house of its own, which lives as long as the process."""
    stack = contextlib.AsyncExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soullink-"))
    llm = LlmSettings(config=write_config(Path(folder) / "llm.yaml", port))
    settings = Settings(PostgresSettings(database_url), llm)
    house: House = await stack.enter_async_context(open_house(settings))
    stack.enter_context(rarely_collected())  # as `soullink simulate --pairs` does
    people = (load_person(PEOPLE / "ada.yaml"), load_person(PEOPLE / "ben.yaml"))
    scene = scenario()
    began: set[int] = set()

    async def conversation(number: int) -> int:
        course = CourseSettings(seed=number, voice=ROUTE, scenarios=(scene.id,))
        run = await house.simulation.start(people, course, own=(scene,))
        turns = 0
        async for moment in house.simulation.live(run.id):
            turns += isinstance(moment, TurnTaken)
            began.add(number)
        return turns

    conversation.began = began  # type: ignore[attr-defined]
    conversation.kept = stack  # type: ignore[attr-defined]
    return conversation
