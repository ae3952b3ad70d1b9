"""The command line. `soullink --help` begins here."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from soullink.entrypoints.cli.commands import (
    bias,
    calibrate,
    consent,
    events,
    explain,
    llm,
    match,
    ml,
    people,
    prompts,
    relationships,
    runs,
    screen,
    simulate,
    texts,
)
from soullink.entrypoints.cli.commands.options import examples
from soullink.entrypoints.cli.exits import (
    FULL_DISK,
    FULL_DISK_SENTENCE,
    ExitCode,
    Interrupted,
    code_of,
)
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.text import printable, with_short_words
from soullink.kernel.errors import SoulLinkError

app = typer.Typer(
    name="soullink",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog=examples(
        "soullink doctor",
        "soullink simulate examples/people/ada.yaml examples/people/ben.yaml",
        "soullink runs list",
        "soullink simulate --help",
    ),
)

GLOBAL_FLAGS: Final = frozenset({"--no-color", "--verbose", "--debug"})
GLOBAL_VALUES: Final = frozenset({"--data-dir", "--database-url"})


_OWN_WORDS: Final = (
    ("Value error, embedded null byte", "it holds a NUL character"),
    ("Value error, ", ""),
    (", unable to parse string as an integer", ""),
    ("Input should be a valid integer", "it must be a whole number"),
    ("Input should be", "it must be"),
)
"""What Typer's library says of a wrong value, and what we say."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"soullink {version('soullink')}")
        raise typer.Exit


@app.callback()
def soullink(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=(
                "Where our own PostgreSQL keeps its files. Default: SOULLINK_DATA_DIR, or the "
                "user's data folder."
            ),
            show_default=False,
        ),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Use this PostgreSQL instead of our own. Default: SOULLINK_DATABASE_URL.",
            show_default=False,
        ),
    ] = None,
    no_color: Annotated[
        bool,
        typer.Option("--no-color", help="No colours; NO_COLOR and a pipe do the same."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log what happens to stderr, as JSON lines.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback when something is a bug.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Two people's agents live through situations together before they meet.

    An honest report says where they fit and where they clash. The options below may also stand
    after a command. Exit codes: 0 it worked; 2 bad input; 3 not found; 4 conflict; 5 something
    we depend on is unavailable; 130 interrupted; 1 a bug, or some pairs failed.
    """
    if data_dir is not None and database_url is not None:
        raise typer.BadParameter("Give --data-dir or --database-url, not both.")
    context.obj = Invocation(
        data_dir=None if data_dir is None else data_dir.expanduser(),
        database_url=database_url,
        colour=not no_color,
        debug=debug,
        verbose=verbose,
    )


app.command("simulate", epilog=simulate.EXAMPLES)(simulate.simulate)
app.command("screen", epilog=screen.EXAMPLES)(screen.screen)
app.command("calibrate", epilog=calibrate.EXAMPLES)(calibrate.calibrate)
app.command("resume", epilog=runs.RESUME_EXAMPLES)(runs.resume)
app.command("replay", epilog=runs.REPLAY_EXAMPLES)(runs.replay)
app.command("fork", epilog=runs.FORK_EXAMPLES)(runs.fork)
app.command("explain", epilog=explain.EXAMPLES)(explain.explain)
app.add_typer(runs.runs, name="runs")
app.add_typer(match.match, name="match")
app.add_typer(ml.ml, name="ml")
app.add_typer(people.people, name="people")
app.add_typer(people.personality, name="personality")
app.add_typer(consent.consent, name="consent")
app.add_typer(relationships.relationships, name="relationships")
app.add_typer(relationships.feedback, name="feedback")
app.add_typer(relationships.archive, name="archive")
app.add_typer(events.events, name="events")
app.add_typer(texts.scenarios, name="scenarios")
app.add_typer(prompts.prompts, name="prompts")
llm.llm.command("bias", epilog=bias.EXAMPLES)(bias.bias)
app.add_typer(llm.llm, name="llm")
app.add_typer(llm.serve, name="serve")
app.command("migrate", epilog=texts.MIGRATE_EXAMPLES)(texts.migrate)
app.command("doctor", epilog=texts.DOCTOR_EXAMPLES)(texts.doctor)


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error becomes one sentence."""
    ordered = globals_first(arguments)
    command = typer.main.get_command(app)
    try:
        code = command.main(ordered, prog_name="soullink", standalone_mode=False)
    except SoulLinkError as error:
        return _fail(str(error), code_of(error))
    except typer.TyperException as error:
        return _fail_to_parse(error)
    except (Interrupted, KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except SystemExit as end:
        # Typer's answer to a pipe that nobody reads any more.
        if isinstance(end.__context__, BrokenPipeError):
            return _let_go_of_stdout()
        raise
    except Exception as error:  # noqa: BLE001  (the last resort: a sentence instead of a traceback)
        return _fail_unexpectedly(error, debug="--debug" in arguments)
    return int(code or 0)


def globals_first(arguments: Sequence[str]) -> list[str]:
    """Return `arguments` with the options for all commands in front, wherever they stood."""
    first: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*first, *rest, word, *waiting]
        if word in GLOBAL_FLAGS or word.partition("=")[0] in GLOBAL_VALUES:
            first.append(word)
            if word in GLOBAL_VALUES and waiting:
                first.append(waiting.pop(0))
        else:
            rest.append(word)
    return [*first, *rest]


def _fail_to_parse(error: typer.TyperException) -> ExitCode:
    """Say what is wrong with the words of a command; a group alone answers with its help."""
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":  # Typer exports no name for it
        print(message, file=sys.stderr)
        return ExitCode.INPUT
    for theirs, ours in _OWN_WORDS:
        message = message.replace(theirs, ours)
    return _fail(message, ExitCode.INPUT)


def _fail_unexpectedly(error: Exception, *, debug: bool) -> ExitCode:
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return _fail(FULL_DISK_SENTENCE, ExitCode.UNAVAILABLE)
    if debug:
        traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(" :.")
    return _fail(
        f"This is a bug in SoulLink ({what[:300]}). Please report it with the command and the "
        "output of the same command with --debug.",
        ExitCode.FAILED,
    )


def _let_go_of_stdout() -> ExitCode:
    """Send the rest to nowhere: Python would complain when it ends and flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.BROKEN_PIPE


def _fail(sentence: str, code: ExitCode) -> ExitCode:
    print(with_short_words(printable(sentence.strip())), file=sys.stderr)
    return code


def run() -> None:
    """Be the program `soullink`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 is no reason to fail
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _let_go_of_stdout()
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        _let_go_of_stdout()
        if code != ExitCode.UNAVAILABLE:  # else it has been said
            code = _fail(FULL_DISK_SENTENCE, ExitCode.UNAVAILABLE)
    sys.exit(int(code))


if __name__ == "__main__":
    run()
