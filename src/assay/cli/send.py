"""`assay send`: sends an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.asking import ask
from assay.cli.exits import Exit
from assay.cli.options import Json, pair_of, settings_of
from assay.cli.printing import note, print_json, say, short
from assay.clock import DatabaseClock
from assay.errors import AssayError
from assay.ids import Ids, to_text
from assay.model import json_text
from assay.model.event_rules import check_name
from assay.wire.runs import ENDED

if TYPE_CHECKING:
    from assay.cli.asking import Api
    from assay.cli.printing import Item

WAIT_S = 2
"""Seconds after which a run that goes on is spoken of."""
LONGEST_ENDING = 1_000
"""Characters of an output or error; `assay run ID` shows all of it."""


def send(
    name: Annotated[str, typer.Argument(help="Of the event, such as support/ticket.created.")],
    data: Annotated[str, typer.Argument(help="A JSON object, or @FILE that holds one.")] = "{}",
    session: Annotated[
        list[str] | None, typer.Option(help="A session of it, key=id; may be repeated.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="A second event with this key within 24 h does nothing.")
    ] = None,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until its runs are over; 1 if one failed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send an event, and say which runs it started."""
    _check(name)
    event: dict[str, Any] = {
        "id": to_text(Ids(DatabaseClock()).new()),
        "name": name,
        "data": _object(data),
    }
    if session:
        event["sessions"] = dict(pair_of(one) for one in session)
    if key is not None:
        event["key"] = key

    async def question(api: Api) -> tuple[Item, list[Item]]:
        sent = await api.post("/events", {"events": [event]})
        if not sent["run_ids"]:
            note("no function was started")
            for first in sent["duplicates"].values():
                note(f"  it is a duplicate: event {first} had the key {key!r} within 24 h")
            for warning in (await api.get(f"/events/{sent['event_ids'][0]}"))["warnings"]:
                note(f"  {warning}")
        return sent, [await _until_over(api, run) for run in sent["run_ids"]] if wait else []

    sent, runs = ask(question, settings_of())
    if as_json:
        print_json(runs if wait else [sent])
    else:
        say(f"event {sent['event_ids'][0]}")
        ended = {run["id"]: run for run in runs}
        for run in sent["run_ids"]:
            say(f"run {run} {_ending(ended[run])}" if run in ended else f"run {run}")
    if any(run["status"] != "completed" for run in runs):
        raise typer.Exit(Exit.FAILED)


def _ending(run: Item) -> str:
    """How a run ended: its status, and its output or error on a line of its own."""
    error, output = run["error"], run["output"]
    told = output if error is None else f"{error['type']}: {error['message']}"
    return run["status"] if told is None else f"{run['status']}\n  {short(told, LONGEST_ENDING)}"


async def _until_over(api: Api, run: str) -> Item:
    said = None
    while True:
        found = await api.get(f"/runs/{run}", wait_s=WAIT_S, include="")
        if found["status"] in ENDED:
            return found
        if found["status"] != said:
            said = found["status"]
            note(f"run {run} is {said}; what it does: assay run {run}")


def _check(name: str) -> None:
    try:
        check_name(name)
    except AssayError as error:
        raise AssayError(
            error.message,
            code=error.code,
            field="NAME",
            hint=error.hint or "name what happened, such as support/ticket.created",
        ) from error


def _object(text: str) -> Item:
    try:
        written = Path(text[1:]).read_text("utf-8") if text.startswith("@") else text
        read = json.loads(written)
        json_text.dump(read)  # Python reads NaN, Infinity and 1e400, which are no JSON
    except (OSError, ValueError) as error:
        raise _bad_data(str(error)) from error
    except RecursionError as error:
        raise _bad_data("it is nested too deeply") from error
    if not isinstance(read, dict):
        raise _bad_data("it is no object")
    return read


def _bad_data(wrong: str) -> AssayError:
    return AssayError(
        f"the event's data can't be read: {wrong}",
        code="bad_json",
        field="DATA",
        hint='write it as \'{"ticketId": "tk_123"}\', or @event.json for a file',
    )
