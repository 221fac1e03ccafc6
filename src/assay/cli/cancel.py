"""`assay cancel`: ends a run."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.asking import ask
from assay.cli.options import Json, settings_of
from assay.cli.printing import print_json, say
from assay.ids import parse, to_text


def cancel(
    run: Annotated[str, typer.Argument(help="The run's id.")], *, as_json: Json = False
) -> None:
    """Cancel a run; one that is over stays as it ended."""
    asked = to_text(parse(run))
    found = ask(lambda api: api.post(f"/runs/{asked}/cancel"), settings_of())
    if as_json:
        print_json([found])
    else:
        say(f"{found['id']} {found['status']}")
