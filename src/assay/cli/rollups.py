"""`assay rollups`: hourly counts of runs and scores, on the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from assay.cli.databases import on_database
from assay.cli.options import DataDir, Json
from assay.cli.printing import print_json, say
from assay.store import rolling, times

if TYPE_CHECKING:
    from assay.store.pool import FullConn

rollups = typer.Typer(no_args_is_help=True)


@rollups.callback()
def about() -> None:
    """Hourly counts of runs and scores."""


@rollups.command()
def rebuild(data_dir: DataDir = None, *, as_json: Json = False) -> None:
    """Count all hours again; meanwhile they are read from the rows, as exactly but slower."""
    hours = on_database(data_dir, _rebuild)
    if as_json:
        print_json([{"hours": hours}])
    else:
        say(f"counted {hours} hours with runs again")


async def _rebuild(connection: FullConn, project: int) -> int:
    await rolling.restart(connection, project=project)
    return await rolling.roll_all(connection, project=project, now=await times.now(connection))
