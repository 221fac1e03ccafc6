"""`assay sessions`: the keys in use, or the sessions of a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from assay.cli.asking import ask
from assay.cli.options import Json, Limit, settings_of
from assay.cli.printing import at, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from assay.cli.printing import Item


def sessions(
    key: Annotated[str | None, typer.Argument(help="List the sessions of this key.")] = None,
    limit: Limit = 50,
    *,
    as_json: Json = False,
) -> None:
    """List session keys; with KEY its sessions, the most recent first, with their scores."""
    path = "/sessions" if key is None else f"/sessions/{quote(key, safe='')}"
    found = ask(lambda api: api.items(path, limit), settings_of())
    if as_json:
        print_json(found)
    elif key is None:
        print_table(("key", "sessions", "last active"), map(_key_row, found), empty="no sessions")
    else:
        columns = ("session", "runs", "failed", "last active", "functions", "scores")
        print_table(columns, map(_row, found), empty=f"no sessions of the key {key}")


def _key_row(key: Item) -> Sequence[Text | str]:
    return key["key"], str(key["session_count"]), at(key["last_active_at"])


def _row(session: Item) -> Sequence[Text | str]:
    scores = (f"{one['name']} {one['mean']:.3g} (n {one['n']})" for one in session["scores"])
    return (
        session["id"],
        str(session["run_count"]),
        str(session["failed_run_count"]),
        at(session["last_active_at"]),
        ", ".join(session["functions"]),
        ", ".join(scores),
    )
