"""Options that several commands share, and the settings with what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import AssayError
from assay.model.event_rules import EARLIEST, LATEST
from assay.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

PORT = 8787

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, as the API gives it.")]
Limit = Annotated[int, typer.Option(min=1, help="List this many at most.")]
Host = Annotated[str, typer.Option(help="Listen here; beyond this machine keys are needed.")]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="Listen on this port; 0 takes a free one.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the embedded database lies (ASSAY_DATA_DIR, else .assay)."),
]
Concurrency = Annotated[
    int | None, typer.Option(min=1, help="Runs that are live at once; waiting ones cost nothing.")
]
Targets = Annotated[
    list[str], typer.Argument(metavar="APP...", help="Files such as app.py, or modules.")
]


def settings_of(data_dir: Path | None = None) -> Settings:
    """The settings of the environment, with the data directory that was asked for."""
    settings = Settings.from_env()
    return settings if data_dir is None else replace(settings, data_dir=data_dir)


def pair_of(text: str, *, needs_id: bool = True) -> tuple[str, str | None]:
    """The key and id of a session written `key=id`."""
    key, equals, id_ = text.partition("=")
    if not key or (needs_id and not equals):
        raise AssayError(
            f"{text!r} is no session",
            code="bad_session",
            field="--session",
            hint="write key=id, such as ticket_id=tk_123",
        )
    return key, id_ if equals else None


def instant_of(given: datetime | None, option: str) -> str | None:
    """An instant as the API takes it: of this time zone unless it names another.

    Raises:
        typer.BadParameter: it is before 1980 or after 2099.
    """
    if given is None:
        return None
    try:
        instant = given.astimezone()
    except (OverflowError, ValueError):
        instant = None
    if instant is None or not EARLIEST <= instant < LATEST:
        message = "must lie between 1980 and 2100"
        raise typer.BadParameter(message, param_hint=f"'{option}'")
    return instant.isoformat()
