"""`assay scores`: a filtered list of scores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.asking import ask
from assay.cli.options import Json, Limit, settings_of
from assay.cli.printing import at, print_json, print_table, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from assay.cli.printing import Item


def scores(
    name: Annotated[str | None, typer.Option(help="Of this name.")] = None,
    run: Annotated[str | None, typer.Option(help="Of this run and its steps.")] = None,
    limit: Limit = 50,
    *,
    history: Annotated[
        bool, typer.Option("--history", help="All that were ever given, not only the latest.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List scores: the latest of each subject and name, those of the newest runs first."""
    found = ask(
        lambda api: api.items("/scores", limit, name=name, run_id=run, history=history or None),
        settings_of(),
    )
    if as_json:
        print_json(found)
    else:
        columns = ("score", "value", "run", "step", "source", "at", "rationale")
        print_table(columns, map(_row, found), empty="no scores")


def _row(score: Item) -> Sequence[Text | str]:
    index = f" ({score['index']})" if score["index"] else ""
    return (
        score["name"],
        json.dumps(score["value"]),
        score["run_id"] or "",
        f"{score['step_id']}{index}" if score["step_id"] else "",
        score["source"],
        at(score["at"]),
        short(score["rationale"] or ""),
    )
