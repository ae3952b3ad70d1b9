"""SoulLink's gateway as it is compared: every part on."""

from pathlib import Path

from benchmarks.gateway.subjects import DEPLOYMENTS, KEY, MESSAGES, SAMPLING, Call, base_url
from soullink.gateways.llm.assembly import AssembledGateway, Books
from soullink.gateways.llm.config import GatewayConfig, read_config
from soullink.gateways.llm.ledger.memory import MemoryLedger
from soullink.gateways.llm.ledger.postgres import PostgresLedger
from soullink.gateways.llm.port import Attribution, ChatRequest, Message
from soullink.gateways.postgres.database import open_database
from soullink.settings import PostgresSettings, Settings

TENANT = "bench"
BUDGET_NANO_USD = 10**15


def write_config(path: Path, port: int) -> Path:
    """Write a route of three deployments with rate limits that are counted and never reached."""
    lines = ["routes:", "  bench:", "    strategy: least_in_flight", "    deployments:"]
    for offset in range(DEPLOYMENTS):
        lines += [
            "    - model: openai:gpt-4o-mini",
            f"      base_url: {base_url(port + offset)}",
            "      requests_per_minute: 100000000",
            "      tokens_per_minute: 100000000000",
        ]
    lines += [
        "prices:",
        "  openai:gpt-4o-mini: {input: '0.15', cached_input: '0.075', output: '0.6'}",
        "default_tenant: {requests_per_minute: 100000000, tokens_per_minute: 100000000000}",
        "capacity: 512",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


async def served_key(database_url: str) -> str:
    """Return a key of a tenant with a budget, for the service."""
    from soullink.bootstrap import open_gateway
    from soullink.settings import LlmSettings

    settings = Settings(PostgresSettings(url=database_url, data_dir=None), LlmSettings())
    async with open_gateway(settings) as opened:
        await opened.gateway.accounts.set_budget("tenant", TENANT, "total", BUDGET_NANO_USD)
        return (await opened.keys.create(TENANT, "bench")).secret


async def open_route(port: int, database_url: str | None) -> Call:
    """Return the call through a gateway with a budget, its ledger in PostgreSQL or in memory."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="soullink-") as folder:
        config: GatewayConfig = read_config(write_config(Path(folder) / "llm.yaml", port))
    if database_url is None:
        memory = MemoryLedger()
        books = Books(memory, memory)
    else:
        durable = PostgresLedger(open_database(database_url))
        books = Books(durable, durable)
    await books.accounts.set_budget("tenant", TENANT, "total", BUDGET_NANO_USD)
    gateway = AssembledGateway(config, {"OPENAI_API_KEY": KEY}, books)
    model = gateway.model("bench")
    messages = tuple(Message(m["role"], m["content"]) for m in MESSAGES)
    who = Attribution(tenant=TENANT, run="run-1")

    async def call() -> int:
        reply = await model.complete(
            ChatRequest(
                messages=messages,
                max_output_tokens=SAMPLING["max_tokens"],
                temperature=SAMPLING["temperature"],
                attribution=who,
            )
        )
        return reply.usage.input_tokens + reply.usage.output_tokens

    return call
