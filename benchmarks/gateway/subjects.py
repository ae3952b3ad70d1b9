"""The clients that are compared: each makes the same call and returns the tokens that it cost."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Call: TypeAlias = Callable[[], Awaitable[int]]

DEPLOYMENTS = 3
MESSAGES: list[Any] = [
    {
        "role": "system",
        "content": "You are Mara, a paramedic of 34. "
        + "You keep what you promise, dislike quarrels and never forget a birthday. " * 12,
    },
    {"role": "user", "content": "We quarrelled about moving. " + "I asked for more time. " * 8},
    {"role": "assistant", "content": "I remember. I was afraid. " * 6},
    {"role": "user", "content": "What would you like us to do at the weekend?"},
]
SAMPLING: dict[str, Any] = {"temperature": 0.7, "max_tokens": 128}
BODY: dict[str, Any] = {"model": "gpt-4o-mini", "messages": MESSAGES, **SAMPLING}
KEY = "sk-bench"


def base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


async def aiohttp(port: int) -> Call:
    import aiohttp as library

    session = library.ClientSession(
        connector=library.TCPConnector(limit=512), headers={"Authorization": f"Bearer {KEY}"}
    )
    url = base_url(port) + "/chat/completions"

    async def call() -> int:
        async with session.post(url, json=BODY) as response:
            return int((await response.json())["usage"]["total_tokens"])

    return call


async def httpx(port: int) -> Call:
    import httpx as library

    limits = library.Limits(max_connections=512, max_keepalive_connections=512)
    client = library.AsyncClient(limits=limits, timeout=60)
    url, headers = base_url(port) + "/chat/completions", {"Authorization": f"Bearer {KEY}"}

    async def call() -> int:
        response = await client.post(url, json=BODY, headers=headers)
        return int(response.json()["usage"]["total_tokens"])

    return call


async def openai(port: int) -> Call:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=base_url(port), api_key=KEY, max_retries=0)

    async def call() -> int:
        answer = await client.chat.completions.create(**BODY)
        return int(answer.usage.total_tokens)

    return call


async def litellm_router(port: int) -> Call:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    router = litellm.Router(
        model_list=[
            {
                "model_name": "m",
                "litellm_params": {
                    "model": "openai/gpt-4o-mini",
                    "api_base": base_url(port + offset),
                    "api_key": KEY,
                },
            }
            for offset in range(DEPLOYMENTS)
        ],
        num_retries=0,
    )

    async def call() -> int:
        answer = await router.acompletion(model="m", messages=MESSAGES, **SAMPLING)
        return int(answer.usage.total_tokens)

    return call


async def soullink(port: int) -> Call:
    """Routing, rate limit, budget and durable ledger on; DATABASE_URL says where."""
    return await _ours(port, os.environ["DATABASE_URL"])


async def soullink_in_memory(port: int) -> Call:
    """The same with the ledger in memory."""
    return await _ours(port, None)


async def _ours(port: int, database_url: str | None) -> Call:
    from benchmarks.gateway.ours import open_route

    return await open_route(port, database_url)


SUBJECTS: dict[str, Callable[[int], Awaitable[Call]]] = {
    "aiohttp": aiohttp,
    "httpx": httpx,
    "openai": openai,
    "litellm_router": litellm_router,
    "soullink": soullink,
    "soullink_in_memory": soullink_in_memory,
}
