"""`assay runs`: a filtered list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.asking import ask
from assay.cli.options import Json, Limit, Since, Until, instant_of, pair_of, settings_of
from assay.cli.printing import at, lasted, print_json, print_table, sessions, short, status
from assay.clock import DatabaseClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from assay.cli.printing import Item


def runs(
    function: Annotated[str | None, typer.Option(help="Of this function.")] = None,
    app: Annotated[str | None, typer.Option(help="Of this app.")] = None,
    state: Annotated[
        str | None,
        typer.Option("--status", help="queued, running, waiting, completed, failed or cancelled."),
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="In this session, key=id; or key alone for any id.")
    ] = None,
    score: Annotated[str | None, typer.Option(help="That have a score of this name.")] = None,
    score_min: Annotated[float | None, typer.Option(help="Its value at least.")] = None,
    score_max: Annotated[float | None, typer.Option(help="Its value at most.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    *,
    order: Annotated[
        str | None, typer.Option(help="newest, or longest: of those since --since that have ended.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List runs, the newest first."""
    key, id_ = (None, None) if session is None else pair_of(session, needs_id=False)
    now = DatabaseClock().now()
    after, before = instant_of(since, "--since", now=now), instant_of(until, "--until", now=now)
    found = ask(
        lambda api: api.items(
            "/runs",
            limit,
            function_id=function,
            app_id=app,
            status=state,
            session_key=key,
            session_id=id_,
            score=score,
            score_min=score_min,
            score_max=score_max,
            queued_after=after,
            queued_before=before,
            order=order,
        ),
        settings_of(),
    )
    if as_json:
        print_json(found)
    else:
        columns = ("run", "function", "status", "queued", "took", "sessions", "result")
        place = "" if session is None else f" in session {session}"
        print_table(columns, map(_row, found), empty=f"no runs{place}")


def _row(run: Item) -> Sequence[Text | str]:
    error = run["error"]
    result = run["output"] if error is None else f"{error['type']}: {error['message']}"
    return (
        run["id"],
        run["function_id"],
        status(run["status"]),
        at(run["queued_at"]),
        lasted(run["started_at"], run["ended_at"]),
        sessions(run),
        "" if result is None else short(result, 40),
    )
