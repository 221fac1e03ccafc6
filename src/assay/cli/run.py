"""`assay run`: one run with all that belongs to it, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.asking import ask
from assay.cli.options import Json, settings_of
from assay.cli.printing import console, print_json
from assay.cli.tree import tree_of
from assay.ids import parse, to_text

if TYPE_CHECKING:
    from assay.cli.asking import Api
    from assay.cli.printing import Item


def run(
    run: Annotated[str, typer.Argument(metavar="ID", help="The run's id.")],
    *,
    as_json: Json = False,
) -> None:
    """Show a run: steps, attempts, waits, scores, outcomes, children and scorers, with times."""
    asked = to_text(parse(run))

    async def question(api: Api) -> tuple[Item, list[Item]]:
        shown = await api.get(f"/runs/{asked}")
        if as_json:
            return shown, []
        below = {span["run_id"] for span in shown["spans"] if span["run_id"]} - {shown["id"]}
        return shown, [await api.get(f"/runs/{one}", include="steps,outcomes") for one in below]

    shown, others = ask(question, settings_of())
    if as_json:
        print_json([shown])
    else:
        console().print(tree_of(shown, others))
