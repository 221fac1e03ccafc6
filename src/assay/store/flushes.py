"""The writer's connection: one flush, one round trip, one implicit transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assay.store.arrays import column, ids, numbers, texts
from assay.store.queries import queries
from assay.store.turns import Flush, Written

if TYPE_CHECKING:
    from uuid import UUID

    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_COMMIT = queries("turns")["commit"]
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str).encode


class TurnsLostError(Exception):
    """Some of the runs of a flush had lost their turns: nothing was written.

    Attributes:
        alive: those that hold theirs.
    """

    def __init__(self, alive: set[UUID]) -> None:
        super().__init__("runs of this flush have lost their turns")
        self.alive = alive


async def commit(
    connection: AsyncConn, flush: Flush, *, project: int, worker: UUID, now: float
) -> list[Written]:
    """Write a flush of runs that this worker has claimed.

    Raises:
        TurnsLostError: nothing was written; send it again without those.
        psycopg.OperationalError: connection lost; whether it was written is unknown.
        psycopg.Error: nothing was written.
    """
    turns = _by_run(flush.turns)
    cursor = await connection.execute(
        _COMMIT,
        (
            project,
            now,
            worker,
            ids(column(turns, "run")),
            numbers(column(turns, "gen")),
            ids([turn["run"] for turn in turns if turn.get("lost")]),
            *_journal(flush.journal),
            *_finish(flush.finish),
            *_park(flush.park),
            ids(column(_by_run(flush.collect), "run")),
            _json(flush.attempts),
            _json(flush.waits),
            _json(flush.closed),
            _json(flush.defers),
            _json(flush.outcomes),
            _json(flush.exposures),
            _json(flush.scores),
            _json(flush.events),
            _json(flush.runs),
        ),
        prepare=True,
    )
    row = await cursor.fetchone()
    assert row is not None
    written, alive, wakes, cancelled, collected = row
    if not written:
        raise TurnsLostError(set(alive or ()))
    signed = set(cancelled or ())
    entries: dict[str, list[list[Any]]] = {}
    for entry in collected or ():
        entries.setdefault(entry[0], []).append(entry)
    return [
        Written(
            turn["run"],
            woken,
            bool(signed) and turn["run"] in signed,
            entries.get(str(turn["run"])) if entries else None,
        )
        for turn, woken in zip(turns, wakes, strict=True)
    ]


def _by_run(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["run"].int) if len(rows) > 1 else rows


def _json(rows: list[Row]) -> str | None:
    return _encode(rows) if rows else None


def _journal(rows: list[Row]) -> tuple[str | None, ...]:
    if not rows:
        return (None,) * 13
    return (
        ids(column(rows, "run")),
        ids(column(rows, "step")),
        numbers(column(rows, "seq")),
        texts(column(rows, "kind")),
        texts(column(rows, "name")),
        numbers(column(rows, "idx")),
        texts(column(rows, "input")),
        texts(column(rows, "output")),
        texts(column(rows, "error")),
        numbers(column(rows, "span")),
        numbers(column(rows, "attempts")),
        numbers(column(rows, "started")),
        numbers(column(rows, "ended")),
    )


def _finish(rows: list[Row]) -> tuple[str | None, ...]:
    if not rows:
        return (None,) * 9
    rows = _by_run(rows)
    answers = [row for row in rows if "parent" in row]
    return (
        ids(column(rows, "run")),
        texts(column(rows, "status")),
        texts(column(rows, "output")),
        texts(column(rows, "error")),
        texts(column(rows, "warnings")),
        numbers(column(rows, "started")),
        ids([row["run"] for row in rows if row.get("waited")]),
        ids([row["run"] for row in rows if row.get("exposed")]),
        _json(
            [
                {name: row[name] for name in ("parent", "parent_step", "answer", "answer_error")}
                for row in answers
            ]
        ),
    )


def _park(rows: list[Row]) -> tuple[str | None, ...]:
    if not rows:
        return (None,) * 3
    rows = _by_run(rows)
    return (
        ids(column(rows, "run")),
        numbers(column(rows, "wakes")),
        numbers(column(rows, "due")),
    )
