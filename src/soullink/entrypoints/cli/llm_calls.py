"""A quick look through the gateway: ask a model, list routes."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import gateway_opened
from soullink.entrypoints.cli.money import dollars
from soullink.entrypoints.cli.opening import environment
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout, table
from soullink.entrypoints.cli.text import printable
from soullink.gateways.llm.gateway import ModelCard
from soullink.gateways.llm.port import Attribution, ChatReply, ChatRequest, LlmOutputError, Message
from soullink.gateways.llm.routing.port import DeploymentState

_TENANT = "cli"


def ask(
    invocation: Invocation,
    model: str,
    text: str,
    system: str | None,
    tokens: int,
    config: Path | None,
    as_json: bool,
) -> None:
    """Ask once and print the answer as it comes."""
    messages = (Message("system", system),) if system else ()
    request = ChatRequest(
        (*messages, Message("user", text)),
        max_output_tokens=tokens,
        purpose="cli.ask",
        attribution=Attribution(tenant=_TENANT),
    )

    async def work() -> ChatReply:
        async with gateway_opened(invocation, config) as opened:
            asked = bootstrap.recorded(environment().llm, model, opened.gateway.model)
            reply: ChatReply | None = None
            async for chunk in asked.stream(request):
                if chunk.text and not as_json:
                    _print_piece(chunk.text)
                reply = chunk.reply or reply
        if reply is None:
            raise LlmOutputError(f"{model} said nothing.")
        return reply

    reply = invocation.interruption.run(work())
    if as_json:
        print_json(_document(reply))
        return
    _print_piece("\n")
    cost = "price not known"
    if reply.cost_nano_usd is not None:
        cost = f"{dollars(reply.cost_nano_usd)} USD"
    counted = "about " if reply.usage.estimated else ""
    stderr(invocation).print(
        cell(
            f"{reply.provider}:{reply.model}, {counted}{reply.usage.input_tokens} tokens in and "
            f"{reply.usage.output_tokens} out, {cost}, {reply.latency_seconds:.2f} s",
            "dim",
        )
    )


def models(invocation: Invocation, config: Path | None, as_json: bool) -> None:
    """Print the routes and what stands behind each."""

    async def work() -> tuple[Sequence[ModelCard], Sequence[DeploymentState]]:
        async with gateway_opened(invocation, config) as opened:
            opened.gateway.check()  # opens them, so that their deployments have a state
            cards = opened.gateway.models()
            return cards, opened.gateway.states()

    cards, states = invocation.interruption.run(work())
    behind = {
        card.name: [state for state in states if state.id.rpartition("/")[0] == card.name]
        for card in cards
    }
    if as_json:
        documents = [
            asdict(card) | {"deployments": [asdict(state) for state in behind[card.name]]}
            for card in cards
        ]
        print_json(documents)
        return
    console = stdout(invocation)
    if not cards:
        console.print("No route is configured; --config names a file, PROVIDER:MODEL needs none.")
        return
    shown = table("=ROUTE", "=KIND", "=DEPLOYMENT", "MODEL", "=STATE")
    for card in cards:
        for state in behind[card.name]:
            shown.add_row(
                cell(card.name), card.kind, cell(state.id), cell(state.model), state.circuit
            )
    console.print(shown)


def _print_piece(text: str) -> None:
    """Print at once, line breaks kept and nothing that a terminal would obey."""
    sys.stdout.write("\n".join(printable(line) for line in text.split("\n")))
    sys.stdout.flush()


def _document(reply: ChatReply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "model": reply.model,
        "provider": reply.provider,
        "finish_reason": reply.finish_reason,
        "usage": msgspec.structs.asdict(reply.usage),
        "cost_nano_usd": reply.cost_nano_usd,
        "latency_seconds": reply.latency_seconds,
        "attempts": reply.attempts,
        "reused": reply.reused,
    }
