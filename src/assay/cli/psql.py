"""`assay psql`: opens psql on the database, for reading."""

from __future__ import annotations

import signal
import subprocess
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from assay.app.database import database
from assay.cli.exits import Exit
from assay.cli.options import DataDir, settings_of
from assay.cli.printing import note
from assay.settings import environment_with
from assay.store.embedded import client_program

_OPTIONS = "-c default_transaction_read_only=on -c search_path=insights -c timezone=UTC"

Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- ARGUMENTS...]", help="For psql, such as -c STATEMENT or -f FILE."),
]


def psql(arguments: Arguments = None, data_dir: DataDir = None) -> None:
    """Open psql on the database, read-only, in the schema of the views that are for people."""
    with database(settings_of(data_dir), on_progress=note) as url:
        place = conninfo_to_dict(url)
        password = place.pop("password", None)
        place["options"] = " ".join(filter(None, (str(place.get("options") or ""), _OPTIONS)))
        command = [str(client_program("psql")), make_conninfo("", **place), *(arguments or ())]
        # Where others see the arguments of processes, the password is none of them.
        secret = {} if password is None else {"PGPASSWORD": str(password)}
        # An interrupt is for psql, which ends a statement and not itself.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            ended = subprocess.run(command, env=environment_with(**secret), check=False)  # noqa: S603 - our own program
        finally:
            signal.signal(signal.SIGINT, before)
    raise typer.Exit(Exit.FAILED if ended.returncode else Exit.DONE)
