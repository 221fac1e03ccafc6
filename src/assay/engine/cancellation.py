"""Cancelling a run: at once where it waits, by its worker where it is live."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

from assay.engine import claimed as parse
from assay.engine.endings import Ending, end
from assay.engine.promises import Promises
from assay.engine.writes import Writes
from assay.store import events as event_store
from assay.store import flushes, turns
from assay.store.turns import Flush

if TYPE_CHECKING:
    from uuid import UUID

    from assay.clock import Clock
    from assay.ids import Ids
    from assay.store.pool import Link
    from assay.store.turns import ClaimedTurn

Answer = Literal["cancelled", "cancelling", "over"]


async def cancel(
    link: Link, run: UUID, *, project: int, process: UUID, clock: Clock, ids: Ids
) -> Answer:
    """Cancel a run.

    A run that waits or is queued ends here and now, whether or not a worker serves it. One that
    is live is signed: its worker gives up its steps in flight and ends it.

    Args:
        link: to the database.
        run: its id.
        project: its project.
        process: the id under which this process holds a lease.
        clock: for the instant of the end.
        ids: for the runs of promised scorers, which start now.

    Returns:
        `over` where the run had ended before or does not exist.
    """
    connection = await link.get()
    signed = await turns.cancel(connection, project=project, run=run, now=clock.now())
    if signed is None:
        return "over"
    state, worker, app = signed
    if state == 0:
        claimed = await turns.claim(
            connection,
            project=project,
            app=app,
            fns=[],
            worker=process,
            now=clock.time(),
            limit=1,
            run=run,
        )
        if claimed:
            await _end(
                link, claimed[0], app=app, project=project, process=process, clock=clock, ids=ids
            )
            return "cancelled"
    elif worker is not None:
        await event_store.notify(connection, worker)
    return "cancelling"


async def _end(
    link: Link,
    turn: ClaimedTurn,
    *,
    app: str,
    project: int,
    process: UUID,
    clock: Clock,
    ids: Ids,
) -> None:
    writes = Writes()
    promises = Promises(turn.run_id, turn.generation, turn.sessions or {})
    for promise in parse.promises(turn):
        promises.restore(promise)
    ending = Ending(turn, app, "cancelled")
    end(ending, promises.all(), writes, ids=ids, now=clock.time())
    flush = Flush()
    writes.add_to(flush, {"run": turn.run_id, "gen": turn.generation})
    with contextlib.suppress(flushes.TurnsLostError):
        # Then whoever has the turn now sees the sign and ends the run.
        await flushes.commit(
            await link.get(), flush, project=project, worker=process, now=clock.time()
        )
