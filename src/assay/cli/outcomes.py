"""`assay outcomes`: promised scores, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.asking import ask
from assay.cli.options import Json, Limit, settings_of
from assay.cli.printing import at, print_json, print_table, short, status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from assay.cli.printing import Item


def outcomes(
    name: Annotated[str | None, typer.Option(help="Of this score's name.")] = None,
    run: Annotated[str | None, typer.Option(help="Promised by this run.")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="pending, observed, timed_out, skipped, failed or cancelled."),
    ] = None,
    limit: Limit = 50,
    *,
    as_json: Json = False,
) -> None:
    """List promised scores, those of the newest runs first."""
    found = ask(
        lambda api: api.items("/outcomes", limit, name=name, run_id=run, state=state),
        settings_of(),
    )
    if as_json:
        print_json(found)
    else:
        columns = ("score", "state", "run", "promise", "scorer", "promised", "due", "reason")
        print_table(columns, map(_row, found), empty="no outcomes")


def _row(outcome: Item) -> Sequence[Text | str]:
    return (
        outcome["name"],
        status(outcome["state"]),
        outcome["run_id"],
        outcome["defer_id"],
        outcome["scorer"],
        at(outcome["promised_at"]),
        at(outcome["due_at"]),
        short(outcome["reason"] or ""),
    )
