"""A process that makes numbered calls, 256 at a time, until every number is in the ledger.

    python -m tests.gateways.llm.ledger.caller DATABASE_URL SERVER_URL FIRST LAST SEED

Killed at any moment and started again, it goes on with the numbers that have no entry yet. Prints
one line: how many calls a budget refused.
"""

import asyncio
import random
import sys
from collections.abc import Iterator

import uvloop

from soullink.gateways.llm.config import PriceConfig
from soullink.gateways.llm.ledger.postgres import PostgresLedger
from soullink.gateways.llm.openai import openai_model
from soullink.gateways.llm.port import (
    Attribution,
    ChatRequest,
    LanguageModel,
    LlmBudgetError,
    LlmError,
    Message,
)
from soullink.gateways.llm.pricing import PriceList
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.llm.routing.port import CircuitRules, Deployment, RetryRules, Route
from soullink.gateways.llm.routing.router import Router
from soullink.gateways.postgres.database import open_database

MODEL = "odd-prices"
# So that nearly every call's cost has a fraction of a nano-dollar to round.
PRICES = PriceList(
    {
        f"openai:{MODEL}": PriceConfig(
            input="0.1370007", cached_input="0.0411003", output="0.9130009"
        )
    }
)
IN_FLIGHT = 256
TIMEOUT_SECONDS = 3.0


async def main(database_url: str, server_url: str, first: int, last: int, seed: int) -> None:
    database = open_database(database_url)
    ledger = PostgresLedger(database, sweep_seconds=0.5)
    await ledger.open()
    booked = {entry.intent.attribution.run async for entry in ledger.entries() if entry.settlement}
    numbers = (number for number in range(first, last) if str(number) not in booked)
    model = openai_model(
        MODEL,
        key=None,
        base_url=server_url,
        retry=Retry(RetryPolicy(max_attempts=1)),
        prices=PRICES,
    )
    route = Route(
        "all",
        (Deployment("only", model, max_in_flight=IN_FLIGHT),),
        retry=RetryRules(attempts=3, first_seconds=0.01, longest_seconds=0.05),
        circuit=CircuitRules(failures=1_000_000),
    )
    router = Router([route], ledger=ledger, seed=seed)
    asked = router.model("all")
    refused = sum(await asyncio.gather(*(_work(asked, numbers, seed) for _ in range(IN_FLIGHT))))
    await ledger.close()
    await model.close()
    await database.close()
    print(f"refused {refused}")


async def _work(model: LanguageModel, numbers: Iterator[int], seed: int) -> int:
    refused = 0
    for number in numbers:
        draw = random.Random(f"{seed}:{number}")  # noqa: S311
        request = ChatRequest(
            messages=(Message("user", f"{number:08d}"),),
            max_output_tokens=draw.randint(20, 60),
            timeout_seconds=TIMEOUT_SECONDS,
            purpose="stream" if draw.random() < 0.3 else "whole",
            attribution=Attribution(tenant=f"t{number % 3}", run=str(number)),
        )
        # Some callers leave, and come back with more patience.
        hurries = draw.random() < 0.04
        for patience in (draw.uniform(0.0, 0.1), 60.0) if hurries else (60.0,):
            try:
                async with asyncio.timeout(patience):
                    if request.purpose == "stream":
                        async for _ in model.stream(request):
                            pass
                    else:
                        await model.complete(request)
            except TimeoutError:
                continue
            except LlmBudgetError:
                refused += 1
            except LlmError:
                # The ledger says how it ended; that is what the test looks at.
                pass
            break
    return refused


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])))
