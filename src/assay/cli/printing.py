"""Output for people and for scripts: notes on stderr, lines, tables and JSON on stdout."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.text import Text

Item: TypeAlias = "dict[str, Any]"
"""An object of the API."""

STYLES = {
    "queued": "dim",
    "running": "cyan",
    "waiting": "yellow",
    "pending": "yellow",
    "completed": "green",
    "observed": "green",
    "ok": "green",
    "failed": "red",
    "cancelled": "magenta",
    "timed_out": "magenta",
    "skipped": "dim",
}
MARKS = {"completed": "✓", "failed": "✗", "cancelled": "⊘", "waiting": "◷", "running": "▶"}
_WHOLE = {"run", "status", "state", "value", "took", "prefix"}
_INSTANTS = {"queued", "at", "first seen", "promised", "due", "last active", "created", "revoked"}
_WIDE = 140
_LONGEST = 60
_ENDLESS = 10_000
_MS, _MINUTE, _HOUR = 1000, 60, 3600


def say(line: str) -> None:
    """A line for whoever started the process, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def console() -> Console:
    """Where tables and trees go."""
    from rich.console import Console  # noqa: PLC0415 - JSON needs none

    # A pipe has no width: nothing is cut for whoever reads it.
    return Console(highlight=False, width=None if sys.stdout.isatty() else _ENDLESS)


def print_json(items: Iterable[Item]) -> None:
    """One object a line."""
    for item in items:
        say(json.dumps(item))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Text | str]], *, empty: str
) -> None:
    """A table, or what to say where there is nothing to show.

    In a narrow terminal texts are folded: ids and states stay whole, for they get copied.
    """
    from rich.table import Table  # noqa: PLC0415 - JSON needs none

    out = console()
    is_narrow = out.width < _WIDE
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=is_narrow)
    two_lines = [is_narrow and column in _INSTANTS for column in columns]
    for column, has_instants in zip(columns, two_lines, strict=True):
        table.add_column(column, overflow="fold", no_wrap=has_instants or column in _WHOLE)
    for row in rows:
        table.add_row(
            *(
                cell.replace(" ", "\n") if has_instants and isinstance(cell, str) else cell
                for cell, has_instants in zip(row, two_lines, strict=True)
            )
        )
    if table.row_count:
        out.print(table)
    else:
        note(empty)


def status(word: str) -> Text:
    """A state in its colour."""
    from rich.text import Text  # noqa: PLC0415 - JSON needs none

    return Text(word, STYLES.get(word, ""))


def at(instant: str | None) -> str:
    """An instant of the API in this machine's time zone."""
    if instant is None:
        return ""
    return parse_instant(instant).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def lasted(start: str | None, end: str | None) -> str:
    """How long something took, empty while it goes on."""
    if start is None or end is None:
        return ""
    return duration((parse_instant(end) - parse_instant(start)).total_seconds())


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 1:
        return f"{max(0.0, seconds) * _MS:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:.1f} h"


def parse_instant(text: str) -> datetime:
    """An instant of the API; what is finer than microseconds is cut off."""
    whole, dot, fraction = text.rstrip("Z").partition(".")
    instant = datetime.fromisoformat(f"{whole}{dot}{fraction[:6]}")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def short(value: object, longest: int = _LONGEST) -> str:
    """A value as JSON on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def sessions(item: Item) -> str:
    """The sessions of a run."""
    return " ".join(f"{one['key']}={one['id']}" for one in item["sessions"])
