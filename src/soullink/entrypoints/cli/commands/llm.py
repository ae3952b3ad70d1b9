"""soullink serve and soullink llm: the gateway to language models."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of

serve = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Serve over the network.")
llm = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Language models: keys, budgets, usage, and a quick question.",
)
keys = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Keys of those who call the service."
)
budgets = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What may be spent, at most."
)
llm.add_typer(keys, name="keys")
llm.add_typer(budgets, name="budgets")

ConfigFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Routes, limits, prices and caching, in YAML. Default: SOULLINK_LLM_CONFIG.",
        show_default=False,
    ),
]
Period: TypeAlias = Annotated[
    Literal["total", "day", "month"],
    typer.Option(help="What the amount is for; days and months begin at midnight UTC."),
]
Amount: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="USD", help="US dollars, e.g. 25 or 0.005.", show_default=False),
]


def _text_option(name: str, metavar: str, text: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(
        name, metavar=metavar, help=text, show_default=False
    )
    return found


def _home(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser()


OfTenant: TypeAlias = Annotated[
    str | None, _text_option("--tenant", "TENANT", "Only calls of this tenant.")
]
OfKey: TypeAlias = Annotated[
    str | None,
    _text_option("--key", "KEY", "Only calls with this key: its id, the end of it, or its prefix."),
]
OfRun: TypeAlias = Annotated[str | None, _text_option("--run", "RUN", "Only calls of this run.")]
OfModel: TypeAlias = Annotated[
    str | None, _text_option("--model", "PROVIDER:MODEL", "Only calls of this model.")
]
OfAll: TypeAlias = Annotated[bool, typer.Option("--all", help="All calls.")]


@serve.command(
    "llm",
    epilog=examples(
        "soullink serve llm",
        "soullink serve llm --config llm.yaml --port 8090",
        "soullink serve llm --config llm.yaml --host 0.0.0.0 --workers 4",
    ),
)
def serve_llm(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 8090,
    config: ConfigFile = None,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=64,
            help="Processes. Limits a minute and capacity hold in each; budgets hold over all.",
        ),
    ] = 1,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, max=3600, help="For one call, retries included."),
    ] = 600.0,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=3600,
            help="For its turn: over a rate limit, or with every place taken.",
        ),
    ] = 30.0,
    max_output_tokens: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=1_000_000, help="For calls that do not say how long at most."
        ),
    ] = 4096,
    grace: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, max=3600, help="For calls in flight, when it is stopped."
        ),
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Serve language models in OpenAI's and Anthropic's protocols.

    Every caller needs a key (soullink llm keys create). Without --config it serves
    PROVIDER:MODEL for every provider whose key variable is set. SIGTERM or Ctrl-C stops it once
    the calls in flight have ended; the exit code is 0 then.
    """
    invocation = invocation_of(context)
    plan = deferred.llm_serving.Plan(
        host, port, _home(config), workers, timeout, wait, max_output_tokens, grace, as_json
    )
    code = deferred.llm_serving.serve(invocation, plan)
    if code:
        raise typer.Exit(code)


@keys.command(
    "create",
    epilog=examples(
        "soullink llm keys create acme --name notebooks",
        "soullink llm keys create acme --name batch --model fast --rpm 600 --budget 25 "
        "--period month",
    ),
)
def create_key(
    context: typer.Context,
    tenant: Annotated[
        str,
        typer.Argument(metavar="TENANT", help="On whose account it calls.", show_default=False),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What the key is for.")],
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="A model that it may call, more than once if you like; all when left out.",
            show_default=False,
        ),
    ] = None,
    rpm: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Requests a minute.", show_default=False),
    ] = None,
    tpm: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Tokens a minute.", show_default=False),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT", help="When it stops working, e.g. 2027-01-01.", show_default=False
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="USD", help="What it may spend, e.g. 25.", show_default=False),
    ] = None,
    period: Period = "total",
    as_json: AsJson = False,
) -> None:
    """Make a key and print its secret, which is shown this once and not kept."""
    wishes = deferred.llm_keys.Wishes(
        tenant, name, tuple(models or ()), rpm, tpm, expires, budget, period
    )
    deferred.llm_keys.create(invocation_of(context), wishes, as_json)


@keys.command(
    "list", epilog=examples("soullink llm keys list", "soullink llm keys list --tenant acme --json")
)
def list_keys(
    context: typer.Context,
    tenant: Annotated[
        str | None, _text_option("--tenant", "TENANT", "Only keys of this tenant.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List keys, oldest first; never their secrets."""
    deferred.llm_keys.list_keys(invocation_of(context), tenant, as_json)


@keys.command(
    "revoke",
    epilog=examples("soullink llm keys revoke sl-Ab3dEf", "soullink llm keys revoke 9f2c41d07b3e"),
)
def revoke_key(
    context: typer.Context,
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY", help="Its id, the end of it, or its prefix.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Refuse a key from now on; services that run follow within 5 seconds."""
    deferred.llm_keys.revoke(invocation_of(context), key, as_json)


@budgets.command(
    "set",
    epilog=examples(
        "soullink llm budgets set 100 --all --period month",
        "soullink llm budgets set 0.50 --run course-7",
        "soullink llm budgets set 25 --tenant acme --period day",
    ),
)
def set_budget(
    context: typer.Context,
    amount: Amount,
    tenant: OfTenant = None,
    key: OfKey = None,
    run: OfRun = None,
    model: OfModel = None,
    everything: OfAll = False,
    period: Period = "total",
    as_json: AsJson = False,
) -> None:
    """Set what may be spent at most; calls that could pass it are refused before they are sent."""
    whose = deferred.llm_budgets.Whose(tenant, key, run, model, everything)
    deferred.llm_budgets.set_budget(invocation_of(context), amount, whose, period, as_json)


@budgets.command("list", epilog=examples("soullink llm budgets list"))
def list_budgets(context: typer.Context, as_json: AsJson = False) -> None:
    """List budgets, with what is spent of each."""
    deferred.llm_budgets.list_budgets(invocation_of(context), as_json)


@budgets.command(
    "remove", epilog=examples("soullink llm budgets remove --tenant acme --period day")
)
def remove_budget(
    context: typer.Context,
    tenant: OfTenant = None,
    key: OfKey = None,
    run: OfRun = None,
    model: OfModel = None,
    everything: OfAll = False,
    period: Period = "total",
    as_json: AsJson = False,
) -> None:
    """Remove a budget; what was spent stays on record."""
    whose = deferred.llm_budgets.Whose(tenant, key, run, model, everything)
    deferred.llm_budgets.remove(invocation_of(context), whose, period, as_json)


@llm.command(
    "usage",
    epilog=examples(
        "soullink llm usage",
        "soullink llm usage --by tenant,day --since 2026-05-01",
        "soullink llm usage --by prompt --tenant acme --csv > usage.csv",
    ),
)
def usage(
    context: typer.Context,
    by: Annotated[
        str,
        typer.Option(
            metavar="COLUMNS",
            help="Groups: one or more of model, prompt, run, tenant, key, purpose, day.",
        ),
    ] = "model",
    since: Annotated[
        str | None, _text_option("--since", "MOMENT", "From this day or moment (UTC) on.")
    ] = None,
    until: Annotated[
        str | None, _text_option("--until", "MOMENT", "Before this day or moment (UTC).")
    ] = None,
    tenant: OfTenant = None,
    key: OfKey = None,
    run: OfRun = None,
    model: OfModel = None,
    prompt: Annotated[
        str | None, _text_option("--prompt", "PROMPT", "Only calls with this prompt.")
    ] = None,
    purpose: Annotated[
        str | None, _text_option("--purpose", "PURPOSE", "Only calls for this purpose.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what calls used and cost, the dearest group first, and how much of it is estimated."""
    if as_csv and as_json:
        raise typer.BadParameter("Give --csv or --json, not both.")
    question = deferred.llm_usage.Question(
        by,
        since,
        until,
        {
            "tenant": tenant,
            "key": key,
            "run": run,
            "model": model,
            "prompt": prompt,
            "purpose": purpose,
        },
    )
    form: Literal["table", "json", "csv"] = "json" if as_json else "csv" if as_csv else "table"
    deferred.llm_usage.show(invocation_of(context), question, form)


@llm.command(
    "ask",
    epilog=examples(
        'soullink llm ask openai:gpt-5-mini "Say hello."',
        'soullink llm ask fast "Say hello." --config llm.yaml',
    ),
)
def ask(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A route, or PROVIDER:MODEL.", show_default=False),
    ],
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to say to it.", show_default=False)
    ],
    system: Annotated[
        str | None, _text_option("--system", "TEXT", "Instructions that stand before it.")
    ] = None,
    max_output_tokens: Annotated[
        int, typer.Option(metavar="N", min=1, max=1_000_000, help="Length of the answer at most.")
    ] = 400,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model once, through the gateway: a quick check of keys, routes and prices.

    The answer is printed as it comes; tokens, cost and time follow on stderr.
    """
    deferred.llm_calls.ask(
        invocation_of(context), model, text, system, max_output_tokens, _home(config), as_json
    )


@llm.command(
    "models",
    epilog=examples("soullink llm models --config llm.yaml", "soullink llm models --json"),
)
def models(context: typer.Context, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the routes of a configuration and the deployments behind each.

    Every deployment is opened, so that a missing key or a wrong name shows; nothing is sent.
    """
    deferred.llm_calls.models(invocation_of(context), _home(config), as_json)
