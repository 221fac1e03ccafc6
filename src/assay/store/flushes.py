"""The writer's connection: one flush, one round trip, one implicit transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assay.store.arrays import array, columns, field, number, rows, text, uuid
from assay.store.events import RUN, in_sessions
from assay.store.queries import queries
from assay.store.turns import Flush, Written

if TYPE_CHECKING:
    from assay.store.arrays import Columns
    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_COMMIT = queries("turns")["commit"]
_TURN: Columns = {"run": uuid, "gen": number}
_MEMO: Columns = {
    "run": uuid,
    "step": uuid,
    "seq": number,
    "kind": field,
    "name": field,
    "idx": number,
    "input": field,
    "output": field,
    "error": field,
    "span": number,
    "attempts": number,
    "started": number,
    "ended": number,
}
_FINISH: Columns = {
    "run": uuid,
    "status": text,
    "output": text,
    "error": text,
    "warnings": text,
    "started": number,
}
_PARK: Columns = {"run": uuid, "wakes": number, "due": number}
_COLLECT: Columns = {"run": uuid}
_ANSWER = ("parent", "parent_step", "answer", "answer_error")
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
) -> dict[UUID, Written]:
    """Write a flush of runs that this worker has claimed; gives those that there is news of.

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
            *columns(turns, _TURN),
            array([turn["run"] for turn in turns if turn.get("lost")], uuid),
            rows(flush.journal, _MEMO),
            *_finish(_by_run(flush.finish)),
            *columns(_by_run(flush.park), _PARK),
            *columns(_by_run(flush.collect), _COLLECT),
            _json(flush.attempts),
            _json(flush.waits),
            _json(flush.closed),
            _json(flush.defers),
            _json(flush.outcomes),
            _json(flush.exposures),
            _json(flush.scores),
            _json(flush.events),
            rows(flush.runs, RUN),
            in_sessions(flush.runs),
        ),
        prepare=True,
    )
    row = await cursor.fetchone()
    assert row is not None
    told = row[0]
    if told is None:
        return {}
    if "alive" in told:
        raise TurnsLostError({UUID(run) for run in told["alive"]})
    entries: dict[str, list[list[Any]]] = {}
    for entry in told["collected"] or ():
        entries.setdefault(entry[0], []).append(entry)
    woken = told["woken"] or {}
    news: dict[UUID, Written] = {}
    for run in woken.keys() | entries.keys():
        wakes, is_cancelled = woken.get(run, (0, False))
        news[UUID(run)] = Written(wakes, is_cancelled, entries.get(run, []))
    return news


def _by_run(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["run"].int) if len(rows) > 1 else rows


def _json(rows: list[Row]) -> str | None:
    return _encode(rows) if rows else None


def _finish(rows: list[Row]) -> tuple[str | None, ...]:
    if not rows:
        return (None,) * (len(_FINISH) + 3)
    answers = [row for row in rows if "parent" in row]
    return (
        *columns(rows, _FINISH),
        array([row["run"] for row in rows if row.get("waited")], uuid),
        array([row["run"] for row in rows if row.get("exposed")], uuid),
        _json([{name: row[name] for name in _ANSWER} for row in answers]),
    )
