"""The service as a program: it starts, says what to do, answers, and stops in order."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.cli.conftest import Soullink, Start
from tests.cli.serving import provider

HELLO: Any = [{"role": "user", "content": "Hello"}]
MODEL = "openai:gpt-4o-mini"


def _announced(program: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the JSON document that a service prints once it listens."""
    assert program.stdout is not None
    lines = []
    for line in program.stdout:
        lines.append(line)
        if line == "}\n":
            found: dict[str, Any] = json.loads("".join(lines))
            return found
    raise AssertionError("it ended before it listened")


def _stop(program: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[int, str]:
    program.send_signal(number)
    _, err = program.communicate(timeout=60)
    return program.returncode, err


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_both_sdks_books_the_calls_and_stops_in_order(
    soullink_db: Soullink, start: Start, workers: int
) -> None:
    made = soullink_db("llm", "keys", "create", "acme", "--name", "x", "--json").document
    with provider() as server:
        program = start(
            *("serve", "llm", "--port", "0", "--json", "--workers", str(workers)),
            SOULLINK_LLM_BASE_URL=server.base_url,
        )
        found = _announced(program)
        assert found["keys"] == 1
        assert "openai" in found["direct_providers"]
        url, secret = found["url"], made["secret"]
        with openai.OpenAI(base_url=f"{url}/v1", api_key=secret, max_retries=4) as client:
            for _ in range(4):
                answer = client.chat.completions.create(
                    model=MODEL, messages=HELLO, extra_headers={"X-SoulLink-Run": "run-1"}
                )
                assert answer.choices[0].message.content == "Good morning to you."
        with anthropic.Anthropic(base_url=url, api_key=secret) as other:
            said = other.messages.create(model=MODEL, max_tokens=50, messages=HELLO)
        assert said.content[0].type == "text"
        assert said.content[0].text == "Good morning to you."
        code, err = _stop(program)
    assert (code, err) == (0, "")
    rows = soullink_db("llm", "usage", "--by", "tenant,run", "--json").document
    assert {(row["tenant"], row["run"], row["calls"]) for row in rows} == {
        ("acme", "run-1", 4),
        ("acme", "", 1),
    }


def test_workers_end_with_whoever_started_them(start: Start) -> None:
    program = start(
        "serve", "llm", "--port", "0", "--json", "--workers", "2", OPENAI_API_KEY="sk-of-nobody"
    )
    port = int(_announced(program)["url"].rpartition(":")[2])
    _wait_until(lambda: _answers(port))
    program.kill()
    program.wait()
    _wait_until(lambda: not _answers(port))


def test_a_key_is_held_to_its_rate_models_and_budget(soullink_db: Soullink, start: Start) -> None:
    create = ("llm", "keys", "create", "acme", "--json", "--name")
    slow = soullink_db(*create, "slow", "--rpm", "1").document
    poor = soullink_db(*create, "poor", "--budget", "0.000000001").document
    narrow = soullink_db(*create, "narrow", "--model", "openai:other").document
    with provider() as server:
        program = start(
            *("serve", "llm", "--port", "0", "--json", "--timeout", "5"),
            SOULLINK_LLM_BASE_URL=server.base_url,
        )
        url = f"{_announced(program)['url']}/v1"

        def ask(key: Any) -> Any:
            with openai.OpenAI(base_url=url, api_key=key["secret"], max_retries=0) as client:
                return client.chat.completions.create(model=MODEL, messages=HELLO)

        ask(slow)
        with pytest.raises(openai.RateLimitError) as limited:
            ask(slow)
        assert 50 <= int(limited.value.response.headers["Retry-After"]) <= 60
        with pytest.raises(openai.NotFoundError):
            ask(narrow)
        with pytest.raises(openai.RateLimitError) as spent:
            ask(poor)
        assert spent.value.code == "insufficient_quota"
        assert _stop(program, signal.SIGINT)[0] == 0
        assert len(server.requests) == 1


def test_it_says_where_it_listens_and_how_to_make_a_key(start: Start) -> None:
    program = start("serve", "llm", "--port", "0", OPENAI_API_KEY="sk-hidden-in-the-log")
    assert program.stdout is not None
    out = ""
    while "makes one.\n" not in out:
        out += program.stdout.readline()
    err = _stop(program)[1]
    assert out.startswith("Listening on http://127.0.0.1:")
    assert "base_url http://127.0.0.1:" in out
    assert "  openai:MODEL\n" in out
    assert "No key works yet; `soullink llm keys create TENANT --name NAME` makes one." in out
    assert "sk-hidden" not in out + err


def test_it_refuses_to_serve_nothing_or_nobody(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = soullink_db("serve", "llm", "--port", "0")
    assert (ended.code, ended.out) == (2, "")
    assert "--config" in ended.err
    monkeypatch.setenv("OPENAI_API_KEY", "sk-something")
    ended = soullink_db("serve", "llm", "--port", "0", "--host", "0.0.0.0")  # noqa: S104
    assert (ended.code, ended.out) == (2, "")
    assert "`soullink llm keys create TENANT --name NAME`" in ended.err


def test_an_address_that_is_taken_is_one_sentence(soullink_db: Soullink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = soullink_db("serve", "llm", "--port", str(port))
    assert (ended.code, ended.out) == (5, "")
    assert f"port {port} cannot be listened on" in ended.err


def test_what_a_configuration_lacks_is_told_at_the_start(
    soullink_db: Soullink, tmp_path: Path
) -> None:
    config = tmp_path / "llm.yaml"
    config.write_text(
        "routes:\n"
        "  a: {deployments: [{model: 'openai:m'}]}\n"
        "  b: {deployments: [{model: 'anthropic:m'}]}\n"
    )
    for workers in ("1", "2"):
        refused = soullink_db(
            *("serve", "llm", "--config", str(config), "--port", "0", "--workers", workers)
        )
        assert refused.code == 5
        assert refused.out == ""
        assert "OPENAI_API_KEY" in refused.err
        assert "ANTHROPIC_API_KEY" in refused.err


def test_it_does_not_pretend_to_record_or_replay(
    soullink: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOULLINK_LLM_CASSETTE", "calls.jsonl")
    refused = soullink("serve", "llm", "--port", "0")
    assert refused.code == 2
    assert "unset SOULLINK_LLM_CASSETTE" in refused.err
