"""The program `assay`: finds the command, tells of errors, gives the exit code."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.exits import Exit, exit_of
from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = {
    "dev": "Database, API and worker for a file of yours; starts its worker again when you save.",
    "worker": "Run the functions of your files, on any machine that reaches the database.",
    "serve": "Serve the API.",
    "send": "Send an event.",
    "runs": "List runs, the newest first.",
    "run": "Show a run as a tree: steps, attempts, waits, scores, outcomes, children.",
    "scores": "List scores.",
    "outcomes": "List promised scores and what became of them.",
    "sessions": "List session keys, or the sessions of a key with their scores.",
    "experiments": "List experiments with the verdicts on their variants.",
    "experiment": "Show what may be said of an experiment, or stop it.",
    "cancel": "Cancel a run.",
    "keys": "Make, list and revoke API keys.",
    "rollups": "Count runs and scores by the hour again.",
    "psql": "Open psql on the database, for reading.",
    "demo": "Run 200 published agent conversations and an experiment, and score them.",
    "doctor": "Check what Assay needs here, and say how to mend what is wrong.",
}
_YOUNG = 200_000
_HELP = """Durable agent runs, scored now and later.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 unreachable, 5 not permitted.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    shows_origin = "--traceback" in given
    # What a command loads it keeps: looking through it over and over takes a tenth of its start.
    gc.set_threshold(_YOUNG)
    try:
        _check_text(given)
        program(next((word for word in given if not word.startswith("-")), None))(given)
    except AssayError as error:
        tell(error)
        if shows_origin:
            raise
        sys.exit(exit_of(error))
    except BrokenPipeError:
        # Whoever read the output has read enough. Python would complain again when it ends.
        sys.stdout = None
        sys.exit(Exit.DONE)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception as error:
        if shows_origin:
            raise
        sys.stderr.write(f"error: {type(error).__name__}: {error}\n")
        sys.stderr.write("  this is a fault of Assay; `assay --traceback ...` shows where\n")
        sys.exit(Exit.FAILED)


def program(asked: str | None) -> Callable[[list[str]], object]:
    """The program with the command that is asked for; of the others it knows what they are for."""
    app = typer.Typer(
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_program)
    for name, purpose in COMMANDS.items():
        if name != asked:
            app.command(name, help=purpose)(_not_loaded)
            continue
        command = getattr(import_module(f"assay.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, help=purpose)
        else:
            app.command(name, help=purpose)(command)
    return lambda given: app(given, prog_name="assay")


def _check_text(given: list[str]) -> None:
    """Refuse what the shell gave as bytes that are no UTF-8; Python has lone surrogates there."""
    for word in given:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise AssayError(
                f"the argument {word!a} is no text in UTF-8", code="invalid"
            ) from error


def tell(error: AssayError) -> None:
    """Write what is wrong and how to mend it to stderr."""
    field = f" [{error.field}]" if error.field else ""
    sys.stderr.write(f"error: {error.message} ({error.code}){field}\n")
    if error.hint:
        sys.stderr.write(f"  {error.hint}\n")


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - a fifth of what help costs

        sys.stdout.write(f"assay {version('assay')}\n")
        raise typer.Exit


def _program(
    *,
    traceback: Annotated[bool, typer.Option(help="Show where an error comes from.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Take the options before the command; `main` has looked at them."""


def _not_loaded() -> None:
    """Stand for a command that was not asked for."""
