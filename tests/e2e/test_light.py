"""A process that lives a course loads what a course needs, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

PEOPLE = Path(__file__).resolve().parents[2] / "examples" / "people"

LIVE = """
import asyncio, json, sys

import soullink
from soullink import bootstrap
from soullink.settings import LlmSettings, PostgresSettings, Settings

url, people = sys.argv[1:]


async def live() -> None:
    ada, ben = (soullink.load_person(f"{people}/{name}.yaml") for name in ("ada", "ben"))
    async with soullink.open_session(database_url=url) as session:
        run = await session.house.simulation.start((ada, ben), soullink.Settings(3, 1))
        turns = [
            moment
            async for moment in session.house.simulation.live(run.id)
            if isinstance(moment, soullink.TurnTaken)
        ]
        assert turns
    asked = LlmSettings(base_url="http://127.0.0.1:9/v1")
    async with bootstrap.open_gateway(Settings(PostgresSettings(url), asked)) as opened:
        opened.gateway.model("openai:gpt-4o-mini")


asyncio.run(live())
print(json.dumps(sorted(sys.modules)))
"""

NOT_NEEDED = (
    # Terminals, tracebacks, and what mends a model's answer or checks its schema.
    *("rich", "pygments", "structlog", "typer", "json_repair", "jsonschema", "tiktoken"),
    # Migrations of a database that needs none, and the mapper of objects.
    *("alembic", "mako", "sqlalchemy.orm", "sqlalchemy.ext.asyncio"),
    # Screening, matching, learning.
    *("numba", "llvmlite", "scipy", "pyarrow", "sklearn", "pandas", "usearch", "qdrant_client"),
    *("soullink.modules.matching", "soullink.modules.analysis", "soullink.gateways.vectors"),
    *("soullink.gateways.embeddings", "soullink.modules.relationships.service"),
    *("soullink.modules.simulation.calibration", "soullink.modules.simulation.screening"),
    "soullink.modules.simulation.sensitivity",
)


def test_a_course_is_lived_without_what_it_does_not_need(database_url: str) -> None:
    """Each of these would take megabytes of every process, and time at every start."""
    ended = subprocess.run(
        [sys.executable, "-c", LIVE, database_url, str(PEOPLE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    loaded = json.loads(ended.stdout)
    assert "soullink.gateways.llm.assembly" in loaded
    assert not [
        name for name in loaded if any(f"{name}.".startswith(f"{no}.") for no in NOT_NEEDED)
    ]
