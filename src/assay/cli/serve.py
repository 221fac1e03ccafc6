"""`assay serve`: the API alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.app.database import database
from assay.app.process import interruptible, run
from assay.app.serving import serving
from assay.cli.options import PORT, DataDir, Host, Port, settings_of
from assay.cli.printing import note, say

if TYPE_CHECKING:
    import asyncio


def serve(host: Host = "127.0.0.1", port: Port = PORT, data_dir: DataDir = None) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    settings = settings_of(data_dir)

    with interruptible(), database(settings, on_progress=note) as url:

        async def main(stop: asyncio.Event) -> None:
            async with serving(url, settings, host=host, port=port) as address:
                say(f"ready {address}")
                await stop.wait()

        run(main)
