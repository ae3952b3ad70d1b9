"""soullink llm bias, against a model that plants a difference."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Soullink
from tests.gateways.llm.server import Answer, ScriptedOpenAiServer
from tests.simulation.test_bias import answering


def _model(body: dict[str, Any]) -> Answer:
    return answering(
        "en", lambda p, _: "We must win and decide to lead, " if "he/him" in p else ""
    )(body)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the model from a thread of its own: the command has its own event loop."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    server = ScriptedOpenAiServer(_model)

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.__aenter__())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(server.__aexit__())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    monkeypatch.setenv("SOULLINK_LLM_BASE_URL", server.base_url)
    yield "openai:gpt-5-mini"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_a_planted_difference_is_shown_and_written_as_json(
    soullink_db: Soullink, model: str
) -> None:
    asked = ("llm", "bias", "--model", model, "--attribute", "gender", "--pairs", "16")
    told = soullink_db(*asked, "--json")
    assert told.code == 0, told.err
    report = told.document
    assert report["passed"] is False
    assert (report["model"], report["pairs"], report["seed"]) == (model, 16, 7)
    agency = next(f for f in report["findings"] if f["score"] == "agency")
    assert agency["found"] is True
    assert agency["low"] > 0
    shown = soullink_db(*asked)
    assert shown.code == 0
    assert "he - she" in shown.out
    assert "found in 7 comparisons over 16 pairs" in shown.out


def test_a_wrong_attribute_is_one_sentence(soullink_db: Soullink, model: str) -> None:
    told = soullink_db("llm", "bias", "--model", model, "--attribute", "height")
    assert told.code == 2
    assert "choose from gender" in told.err
