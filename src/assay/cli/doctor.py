"""`assay doctor`: checks what Assay needs here."""

from __future__ import annotations

import typer

from assay.cli.checks import examine
from assay.cli.exits import Exit
from assay.cli.options import PORT, DataDir, Host, Json, Port, settings_of
from assay.cli.printing import print_json, say

_MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}


def doctor(
    host: Host = "127.0.0.1",
    port: Port = PORT,
    data_dir: DataDir = None,
    *,
    as_json: Json = False,
) -> None:
    """Check database, schema, workers, clock, disk, permissions and port; 1 if one fails."""
    has_failed = False
    for check in examine(settings_of(data_dir), host=host, port=port):
        has_failed |= check.state == "fail"
        if as_json:
            print_json([check.shape()])
            continue
        say(f"{_MARKS[check.state]} {check.name}: {check.found}")
        if check.mend:
            say(f"    {check.mend}")
    if has_failed:
        raise typer.Exit(Exit.FAILED)
