"""What every address of the service has in common, over plain HTTP."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from soullink.entrypoints.llm_service.app import MAX_BODY_BYTES
from soullink.entrypoints.llm_service.openai_request import Defaults
from soullink.gateways.llm.gateway import TooManyModelsError
from soullink.gateways.llm.port import ChatChunk, LanguageModel, LlmAuthError
from tests.llm_service.conftest import Serve, Service
from tests.llm_service.fakes import FakeGateway, PlayedModel

pytestmark = pytest.mark.anyio

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
HELLO: dict[str, Any] = {
    "model": "played",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "a private matter"}],
}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1]", b'{"model": 3}', b"[" * 5000])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/embeddings", "/v1/messages/count_tokens"])
async def test_what_is_no_request_is_a_400(serve: Serve, path: str, body: bytes) -> None:
    service = await serve()
    async with service.http() as http, http.post(path, data=body) as answer:
        assert answer.status == 400
        error = (await answer.json())["error"]
    assert error["type"] == "invalid_request_error"
    assert len(error["message"]) < 300


async def test_a_body_that_is_packed_is_unpacked_within_the_limit(serve: Serve) -> None:
    service = await serve()
    packed = {"Content-Encoding": "gzip"}
    bodies = {
        200: gzip.compress(json.dumps(HELLO).encode()),
        400: b"no gzip at all",
        413: gzip.compress(b" " * (MAX_BODY_BYTES + 1)),
    }
    async with service.http() as http:
        for status, body in bodies.items():
            async with http.post(CHAT, data=body, headers=packed) as answer:
                assert answer.status == status
                assert ("error" in await answer.json()) == (status != 200)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_a_413(serve: Serve, chunked: bool) -> None:
    service = await serve(max_body_bytes=1000)

    async def pieces() -> Any:
        for _ in range(20):
            yield b" " * 100

    async with service.http() as http:
        data = pieces() if chunked else b" " * 2000
        async with http.post(CHAT, data=data) as answer:
            assert answer.status == 413
            assert (await answer.json())["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/embeddings"])
async def test_without_a_key_nothing_is_read_or_called(serve: Serve, path: str) -> None:
    service = await serve()
    async with aiohttp.ClientSession(service.url) as http:
        for headers in ({}, {"Authorization": "Basic c2w6"}, {"x-api-key": ""}):
            async with http.post(path, data=b"{", headers=headers) as answer:
                assert answer.status == 401
                assert "Authorization: Bearer sl-" in (await answer.json())["error"]["message"]
        async with http.get("/v1/models") as answer:
            assert answer.status == 401
    assert service.model.requests == []


async def test_the_request_id_comes_back_and_is_made_where_there_is_none(serve: Serve) -> None:
    service = await serve()
    async with service.http() as http:
        async with http.post(CHAT, json=HELLO, headers={"X-Request-Id": "mine-1"}) as answer:
            assert answer.headers["X-Request-Id"] == "mine-1"
            said = await answer.json()
        assert said["id"] == f"chatcmpl-{service.last.request_id}"
        assert "mine-1" not in said["id"]
        async with http.post(CHAT, data=b"{", headers={"X-Request-Id": "x" * 129}) as answer:
            assert len(answer.headers["X-Request-Id"]) == 36
        async with http.get("/nowhere") as answer:
            assert answer.headers["X-Request-Id"]


async def test_an_answer_tells_which_model_it_is_of_and_what_it_cost(serve: Serve) -> None:
    service = await serve()
    for path in (CHAT, MESSAGES):
        async with service.http() as http, http.post(path, json=HELLO) as answer:
            assert answer.headers["X-SoulLink-Model"] == "fake:played"
            assert answer.headers["X-SoulLink-Cost-Nano-USD"] == "1234"


@pytest.mark.parametrize("label", ["ä", "x" * 129])
async def test_labels_that_no_table_can_show_are_refused(serve: Serve, label: str) -> None:
    service = await serve()
    headers = {"X-SoulLink-Run": label}
    async with service.http() as http, http.post(CHAT, json=HELLO, headers=headers) as answer:
        assert answer.status == 400
        assert "X-SoulLink-Run" in (await answer.json())["error"]["message"]


async def test_an_address_that_is_not_there_says_so_in_json(serve: Serve) -> None:
    service = await serve()
    async with service.http() as http:
        for method, path in (("GET", "/"), ("GET", CHAT), ("POST", "/v1/completions")):
            async with http.request(method, path) as answer:
                assert answer.status == 404
                assert f"{method} {path}" in (await answer.json())["error"]["message"]
        async with http.get("/x", headers={"anthropic-version": "2023-06-01"}) as answer:
            assert (await answer.json())["type"] == "error"


async def test_health_and_readiness_need_no_key_and_spare_the_database(serve: Serve) -> None:
    service = await serve()
    async with aiohttp.ClientSession(service.url) as http:
        async with http.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
        for _ in range(5):
            async with http.get("/readyz") as answer:
                assert answer.status == 200
        assert service.gateway.quiet.asked == 1


async def test_without_its_database_the_service_is_alive_but_not_ready(serve: Serve) -> None:
    service = await serve()
    service.gateway.quiet.works = False
    async with aiohttp.ClientSession(service.url) as http:
        async with http.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["database"] is False
        async with http.get("/healthz") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("streamed", [False, True])
async def test_who_goes_away_ends_the_call(serve: Serve, path: str, streamed: bool) -> None:
    model = PlayedModel(lambda _: "", hangs=True)
    service = await serve(model=model)
    with capture_logs() as logs:
        async with service.http() as http:
            asking = asyncio.create_task(_read(http, path, {**HELLO, "stream": streamed}))
            await asyncio.wait_for(model.began.wait(), 5)
            asking.cancel()
            await asyncio.wait_for(model.ended.wait(), 5)
        await service.server.stop()
    [line] = logs
    assert (line["event"], line["path"]) == ("llm_service.cut_short", path)
    assert line["tenant"]
    assert service.secret not in str(line)


async def test_who_asks_and_does_not_listen_loses_his_place(serve: Serve) -> None:
    class Endless(PlayedModel):
        async def stream(self, request: Any) -> AsyncIterator[ChatChunk]:
            self.requests.append(request)
            try:
                while True:
                    yield ChatChunk("words " * 10_000)
            finally:
                self.ended.set()

    model = Endless(lambda _: "")
    service = await serve(model=model, defaults=Defaults(timeout_seconds=0.1))
    body = json.dumps({**HELLO, "stream": True}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    host, _, port = service.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(f"{head}x-api-key: {service.secret}\r\n\r\n".encode() + body)
    with capture_logs() as logs:
        await asyncio.wait_for(model.ended.wait(), 10)
        await service.server.stop()  # which waits for what is still being said
    assert logs[0]["error"] == "llm_timeout"
    assert not reader.at_eof()
    writer.close()


async def _read(http: aiohttp.ClientSession, path: str, body: Any) -> bytes:
    async with http.post(path, json=body) as answer:
        return await answer.read()


async def test_a_key_in_a_request_that_cannot_be_read_is_not_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    service = await serve()
    host, _, port = service.url.removeprefix("http://").partition(":")
    with caplog.at_level(logging.DEBUG):
        for spoilt in (f"Bearer {service.secret}\x01\r\n", f"Bearer {service.secret}\nA: b\r\n"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET /v1/models HTTP/1.1\r\nAuthorization: {spoilt}\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.0 400")
            writer.close()
    assert "BadHttpMessage" in caplog.text
    assert service.secret not in caplog.text


@pytest.mark.parametrize(
    ("name", "shown"),
    [("模型-7b", "fake:模型-7b"), ("a\r\nX-Evil: 1", "fake"), ("a\x00b", "fake")],
)
async def test_what_a_server_calls_its_model_breaks_no_header(
    serve: Serve, name: str, shown: str
) -> None:
    class Named(PlayedModel):
        async def complete(self, request: Any) -> Any:
            return replace(await super().complete(request), model=name)

    service = await serve(model=Named(lambda _: "Hello."))
    async with service.http() as http, http.post(CHAT, json=HELLO) as answer:
        assert answer.status == 200
        assert answer.headers["X-SoulLink-Model"] == shown
        assert "X-Evil" not in answer.headers


async def test_stopping_lets_calls_in_flight_end(serve: Serve) -> None:
    going_on = asyncio.Event()

    class Patient(PlayedModel):
        async def complete(self, request: Any) -> Any:
            self.began.set()
            await going_on.wait()
            return await super().complete(request)

    model = Patient(lambda _: "Done in time.")
    service = await serve(model=model, grace_seconds=5.0)
    async with service.http() as http:
        asking = asyncio.create_task(_read(http, CHAT, HELLO))
        await asyncio.wait_for(model.began.wait(), 5)
        stopping = asyncio.create_task(service.server.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        async with aiohttp.ClientSession(service.url) as late:
            with pytest.raises(aiohttp.ClientConnectionError):
                await late.get("/healthz")
        going_on.set()
        assert b"Done in time." in await asking
        await asyncio.wait_for(stopping, 5)


async def test_stopping_ends_what_does_not_end_by_itself(serve: Serve) -> None:
    model = PlayedModel(lambda _: "", hangs=True)
    service = await serve(model=model, grace_seconds=0.1)
    async with service.http() as http:
        asking = asyncio.create_task(_read(http, CHAT, HELLO))
        await asyncio.wait_for(model.began.wait(), 5)
        await asyncio.wait_for(service.server.stop(), 5)
        assert model.ended.is_set()
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_logs_hold_ids_but_neither_words_nor_keys(serve: Serve) -> None:
    def answer(request: Any) -> Any:
        word = request.messages[-1].content
        return {"bug": RuntimeError(word), "auth": LlmAuthError("openai wants a key")}.get(
            word, "a private answer"
        )

    service = await serve(answer, log_calls=True)
    with capture_logs() as logs:
        async with service.http() as http:
            for word in ("a private matter", "bug", "auth"):
                body = {**HELLO, "messages": [{"role": "user", "content": word}]}
                async with http.post(CHAT, json=body) as reply:
                    text = await reply.text()
                    assert "RuntimeError" not in text
            wrong = "sl-" + "B" * 43
            async with http.get("/v1/models", headers={"Authorization": f"Bearer {wrong}"}):
                pass
    assert [(log["event"], log["status"], log["log_level"]) for log in logs] == [
        ("llm_service.answered", 200, "info"),
        ("llm_service.bug", 500, "error"),
        ("llm_service.refused", 502, "warning"),
        ("llm_service.refused", 401, "info"),
    ]
    assert logs[1]["error"] == "RuntimeError"
    assert "fakes.py:" in logs[1]["place"]
    assert logs[2]["reason"] == "openai wants a key"
    assert {log.get("tenant") for log in logs} == {"acme", None}
    written = json.dumps(logs)
    for hidden in ("private", service.secret, wrong):
        assert hidden not in written


async def test_calls_that_go_well_are_logged_only_when_asked_for(serve: Serve) -> None:
    service = await serve()
    with capture_logs() as logs:
        async with service.http() as http, http.post(CHAT, json=HELLO) as answer:
            assert answer.status == 200
    assert logs == []


async def test_calls_at_once_do_not_disturb_each_other(serve: Serve) -> None:
    service: Service = await serve(lambda request: f"You said {request.messages[0].content}.")
    async with service.http() as http:
        bodies = [{**HELLO, "messages": [{"role": "user", "content": str(n)}]} for n in range(60)]
        answers = await asyncio.gather(*[_read(http, CHAT, body) for body in bodies])
    for number, answer in enumerate(answers):
        assert json.loads(answer)["choices"][0]["message"]["content"] == f"You said {number}."


async def test_one_model_too_many_is_told_as_that(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_gateway: FakeGateway, _name: str) -> LanguageModel:
        raise TooManyModelsError("256 models are open already.")

    monkeypatch.setattr(FakeGateway, "model", full)
    service = await serve(direct_providers=["open"])
    async with (
        service.http() as http,
        http.post(CHAT, json={**HELLO, "model": "open:another"}) as answer,
    ):
        assert answer.status == 400
        assert "256 models" in (await answer.json())["error"]["message"]
