"""`assay worker`: runs the functions of user files."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from assay.app.database import database
from assay.app.process import interruptible, run
from assay.app.working import working
from assay.cli.exits import Exit
from assay.cli.loading import clients_of
from assay.cli.options import Concurrency, DataDir, Targets, settings_of
from assay.cli.printing import note, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.sdk.client import Client

WORKING = "working"
"""What the line starts with that says that the worker has begun."""


def worker(
    targets: Targets,
    concurrency: Concurrency = None,
    data_dir: DataDir = None,
    *,
    with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the functions of APP until SIGTERM or Ctrl-C; runs in flight are given back."""
    settings = settings_of(data_dir)
    clients = clients_of(targets)

    with interruptible(), database(settings, on_progress=note) as url:

        async def main(stop: asyncio.Event) -> None:
            broken = asyncio.Event()

            def broke() -> None:
                broken.set()
                stop.set()

            if with_parent:
                # The parent holds the other end, whose death therefore closes it.
                asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
            async with working(
                url,
                settings,
                clients,
                source=" ".join(sorted(targets)),
                concurrency=concurrency,
                on_broken=broke,
            ):
                say(described(clients))
                await stop.wait()
            if broken.is_set():
                raise typer.Exit(Exit.FAILED)

        run(main)


def described(clients: Sequence[Client]) -> str:
    """The line that says what is being worked on."""
    apps = (f"{client.app_id}: {', '.join(sorted(client.functions))}" for client in clients)
    return f"{WORKING} {'; '.join(apps)}"
