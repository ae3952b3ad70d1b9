"""Serves the gateway over HTTP until somebody says stop."""

import asyncio
import ipaddress
import multiprocessing
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from soullink import bootstrap
from soullink.entrypoints.cli.exits import ExitCode
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import gateway_opened
from soullink.entrypoints.cli.opening import environment
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout
from soullink.entrypoints.cli.text import counted
from soullink.entrypoints.collector import rarely_collected
from soullink.entrypoints.llm_service.app import build_app
from soullink.entrypoints.llm_service.openai_request import Defaults
from soullink.entrypoints.llm_service.serving import serve_until
from soullink.gateways.llm.opening import BASE_URL_VARIABLES, KEY_VARIABLES
from soullink.kernel.errors import InvalidInputError, UnavailableError

MAKE_A_KEY = "llm keys create TENANT --name NAME"
_LOOK_SECONDS = 0.5
_LOOK_EARLY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """How to serve.

    wait_seconds: how long a call waits for its turn. grace_seconds: for calls in flight, once
    somebody says stop.
    """

    host: str
    port: int
    config: Path | None
    workers: int
    timeout_seconds: float
    wait_seconds: float
    max_output_tokens: int
    grace_seconds: float
    as_json: bool


def serve(invocation: Invocation, plan: Plan) -> ExitCode:
    """Serve until SIGTERM or Ctrl-C, which is how it ends in order."""
    if environment().llm.cassette is not None:
        raise InvalidInputError(
            "The service records and replays nothing: unset SOULLINK_LLM_CASSETTE."
        )
    bootstrap.log_to_stderr()
    with _bound(plan) as listening:
        address: tuple[str, int] = listening.getsockname()[:2]
        if plan.workers == 1:
            return _run(lambda stop: _serve_here(invocation, plan, listening, address, stop))
        return _run(lambda stop: _serve_in_workers(invocation, plan, address, stop))


def _run(work: Callable[[asyncio.Event], Coroutine[Any, Any, ExitCode]]) -> ExitCode:
    """Run `work` on the fastest loop there is; signals set the event that it gets."""

    async def watched() -> ExitCode:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        return await work(stop)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(watched())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415  (there is none for Windows)

    return uvloop.new_event_loop


async def _serve_here(
    invocation: Invocation,
    plan: Plan,
    listening: socket.socket,
    address: tuple[str, int],
    stop: asyncio.Event,
) -> ExitCode:
    async with gateway_opened(invocation, plan.config, plan.wait_seconds) as opened:
        working = await _check(invocation, plan, opened)
        listening.listen()  # whoever reads the address may call at once
        _announce(invocation, plan, address, opened, working)
        await _serve(invocation, plan, listening, opened, stop)
    return ExitCode.OK


async def _serve(
    invocation: Invocation,
    plan: Plan,
    listening: socket.socket,
    opened: bootstrap.OpenGateway,
    stop: asyncio.Event,
) -> None:
    application = build_app(
        opened.gateway,
        opened.keys,
        direct_providers=direct_providers(plan),
        defaults=Defaults(plan.timeout_seconds, plan.max_output_tokens),
        log_calls=invocation.verbose,
    )
    with rarely_collected():
        await serve_until(stop, application, listening, plan.grace_seconds)


async def _check(invocation: Invocation, plan: Plan, opened: bootstrap.OpenGateway) -> int:
    """Return how many keys work. Raises InvalidInputError instead of serving nothing, or nobody on
    an address that others reach; LlmError for what cannot be opened."""
    if not opened.gateway.models() and not direct_providers(plan):
        raise InvalidInputError(
            "There is nothing to serve: name routes with --config, or set a key variable, e.g. "
            "OPENAI_API_KEY."
        )
    opened.gateway.check()  # so that missing keys and wrong names show now
    now = datetime.now(UTC)
    working = sum(key.works_at(now) for key in await opened.keys.list_keys())
    if not working and not is_loopback(plan.host):
        raise InvalidInputError(
            f"{plan.host} can be reached by others and no key works yet: make one first with "
            f"`{invocation.prefix()} {MAKE_A_KEY}`."
        )
    return working


def _announce(
    invocation: Invocation,
    plan: Plan,
    address: tuple[str, int],
    opened: bootstrap.OpenGateway,
    working: int,
) -> None:
    """Say where it listens and what can be called. working: keys that do."""
    direct = direct_providers(plan)
    cards = opened.gateway.models()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    url = f"http://{host}:{address[1]}"
    if plan.as_json:
        print_json(
            {
                "url": url,
                "routes": [{"name": card.name, "kind": card.kind} for card in cards],
                "direct_providers": list(direct),
                "keys": working,
                "workers": plan.workers,
            }
        )
        sys.stdout.flush()
        return
    console = stdout(invocation)
    console.print(f"Listening on {url}", soft_wrap=True)
    console.print(f"  OpenAI's protocol:    base_url {url}/v1", soft_wrap=True)
    console.print(f"  Anthropic's protocol: base_url {url}", soft_wrap=True)
    for card in cards:
        console.print(cell(f"  {card.name} ({card.kind})"), soft_wrap=True)
    for provider in direct:
        console.print(f"  {provider}:MODEL", soft_wrap=True)
    known = counted(working, "key works", "keys work") if working else "No key works yet"
    make_a_key = f"{invocation.prefix()} {MAKE_A_KEY}"
    console.print(f"{known}; `{make_a_key}` makes one.", soft_wrap=True)
    sys.stdout.flush()


def direct_providers(plan: Plan) -> tuple[str, ...]:
    """Return the providers whose models are served by name: none where there are routes, else
    those for which the environment has a key or a server."""
    llm = environment().llm
    if plan.config is not None or llm.config is not None:
        return ()
    found = llm.environ
    return tuple(
        provider
        for provider, variables in KEY_VARIABLES.items()
        if any(found.get(name) for name in (*variables, *BASE_URL_VARIABLES[provider]))
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(plan: Plan) -> socket.socket:
    """Return a socket on the address, not listening yet; several workers may share it."""
    family = socket.AF_INET6 if ":" in plan.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if plan.workers > 1:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((plan.host, plan.port))
    except OSError as error:
        bound.close()
        raise UnavailableError(
            f"{plan.host} port {plan.port} cannot be listened on: {error.strerror}; choose "
            "another --port or --host."
        ) from error
    return bound


async def _serve_in_workers(
    invocation: Invocation, plan: Plan, address: tuple[str, int], stop: asyncio.Event
) -> ExitCode:
    """Serve in processes that share the address, all with budgets in one ledger.

    This process keeps the port and the database; it ends when one of them ends by itself.
    """
    async with gateway_opened(invocation, plan.config) as opened:
        working = await _check(invocation, plan, opened)
        # spawn: a fork would copy open connections and threads.
        context = multiprocessing.get_context("spawn")
        where = (invocation.data_dir, invocation.database_url, invocation.verbose)
        workers = [
            context.Process(target=_be_worker, args=(plan, address, where))
            for _ in range(plan.workers)
        ]
        for worker in workers:
            worker.start()
        told = False
        try:
            while not stop.is_set() and all(worker.is_alive() for worker in workers):
                if not told and await _answers(address):
                    _announce(invocation, plan, address, opened, working)
                    told = True
                await _wait(stop, _LOOK_SECONDS if told else _LOOK_EARLY_SECONDS)
        finally:
            await _end(workers, plan.grace_seconds)
    if stop.is_set():
        return ExitCode.OK
    stderr(invocation).print("A worker ended by itself, so all were ended; its log says why.")
    return ExitCode.UNAVAILABLE


async def _answers(address: tuple[str, int]) -> bool:
    """Return whether anybody takes calls there."""
    try:
        _, writer = await asyncio.open_connection(*address)
    except OSError:
        return False
    writer.close()
    return True


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _end(workers: Sequence[BaseProcess], grace_seconds: float) -> None:
    for worker in workers:
        if worker.is_alive():
            worker.terminate()
    for worker in workers:
        await asyncio.to_thread(worker.join, grace_seconds + 10.0)
        if worker.is_alive():
            worker.kill()
            await asyncio.to_thread(worker.join)


def _be_worker(
    plan: Plan, address: tuple[str, int], where: tuple[Path | None, str | None, bool]
) -> None:
    """Be one of the processes that serve."""
    data_dir, database_url, verbose = where
    invocation = Invocation(data_dir=data_dir, database_url=database_url, verbose=verbose)
    bootstrap.log_to_stderr()
    host, port = address

    async def work(stop: asyncio.Event) -> ExitCode:
        parent = multiprocessing.parent_process()
        if parent is not None:  # killed, it could not end us
            asyncio.get_running_loop().add_reader(parent.sentinel, stop.set)
        with _bound(_at(plan, host, port)) as listening:
            async with gateway_opened(invocation, plan.config, plan.wait_seconds) as opened:
                await _serve(invocation, plan, listening, opened, stop)
        return ExitCode.OK

    _run(work)


def _at(plan: Plan, host: str, port: int) -> Plan:
    return Plan(
        host,
        port,
        plan.config,
        plan.workers,
        plan.timeout_seconds,
        plan.wait_seconds,
        plan.max_output_tokens,
        plan.grace_seconds,
        plan.as_json,
    )
