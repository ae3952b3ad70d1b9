"""A model that never answers well is named at the end of a run."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.gateways.llm.server import Fail, ScriptedOpenAiServer

pytestmark = pytest.mark.anyio
PEOPLE = Path(__file__).resolve().parents[2] / "examples" / "people"


async def test_who_spoke_instead_of_the_model_is_said_on_stderr(
    tmp_path: Path, database_url: str
) -> None:
    async with ScriptedOpenAiServer(lambda _: Fail(400, "no", "bad_request", None)) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "soullink.entrypoints.cli.main", "--database-url", database_url,
            "simulate", str(PEOPLE / "ada.yaml"), str(PEOPLE / "ben.yaml"),
            "--scenarios", "the-lie", "--voice", "openai:nobody", "--replicas", "5", "--quiet",
            "--out", str(tmp_path / "out"),
            env={**os.environ, "SOULLINK_LLM_BASE_URL": server.base_url, "OPENAI_API_KEY": "key"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert "the built-in voice spoke instead of openai:nobody (llm_request" in errors.decode()
