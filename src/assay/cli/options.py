"""Options that several commands share, and the settings with what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from assay.durations import is_duration, seconds
from assay.errors import AssayError
from assay.model.event_rules import EARLIEST, LATEST
from assay.settings import Settings

PORT = 8787
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, as the API gives it.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="AGE|INSTANT", help="Queued at or after it: 1h or 7d ago, or 2026-01-31T12:00 here."
    ),
]
Until = Annotated[str | None, typer.Option(metavar="AGE|INSTANT", help="Queued before it.")]
Limit = Annotated[int, typer.Option(min=1, help="List this many at most.")]
All = Annotated[int | None, typer.Option(min=1, help="List this many at most: all unless given.")]
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


def instant_of(given: str | None, option: str, *, now: datetime) -> str | None:
    """An instant as the API takes it.

    Args:
        given: an age such as `1h`, or an instant: of this time zone unless it names another.
        option: that gave it.
        now: what an age is counted back from.

    Raises:
        typer.BadParameter: it is neither, or before 1980 or after 2099.
    """
    if given is None:
        return None
    instant = _instant(given, now)
    if instant is None:
        wrong = (
            f"{given!r} is neither an age such as 30m, 1h or 7d, "
            "nor an instant such as 2026-01-31 or 2026-01-31T12:00"
        )
        raise typer.BadParameter(wrong, param_hint=f"'{option}'")
    if not EARLIEST <= instant < LATEST:
        wrong = "must lie between 1980 and 2100"
        raise typer.BadParameter(wrong, param_hint=f"'{option}'")
    return instant.isoformat()


def _instant(given: str, now: datetime) -> datetime | None:
    """What was given, None where it can't be read; beyond the calendar it is `_BEFORE_ALL`."""
    if is_duration(given):
        try:
            return now - timedelta(seconds=seconds(given, field="age"))
        except AssayError:
            return _BEFORE_ALL
    try:
        instant = datetime.fromisoformat(given.strip())
    except ValueError:
        return None
    try:
        return instant.astimezone()
    except (OverflowError, ValueError):
        return _BEFORE_ALL
