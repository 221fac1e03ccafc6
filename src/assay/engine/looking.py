"""Daily looks at experiments, taken by whichever worker comes first."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from assay.experiments import daily
from assay.store import looks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from assay.clock import Clock
    from assay.store.pool import FullConn

_log = logging.getLogger("assay.engine")
LOOK_S = 60.0
AGAIN_S = 600.0
"""For what another process took upon itself and did not do."""


class Looking:
    """Takes the looks of one project that are due.

    Args:
        open: gives a connection; whoever asks closes it.
    """

    def __init__(
        self, open: Callable[[], Awaitable[FullConn]], *, project: int, clock: Clock
    ) -> None:
        self._open = open
        self._project = project
        self._clock = clock
        self._done: datetime | None = None
        self._again_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether a midnight has gone by since the last looks."""
        return daily.last_cutoff(self._clock.now()) != self._done

    async def take(self) -> int:
        """Look at what was not looked at since the last midnight; gives how many looks it took.

        An experiment that can't be looked at costs the others nothing, and is tried again.
        """
        now = self._clock.now()
        cutoff = daily.last_cutoff(now)
        if not self.is_due and now.timestamp() < self._again_at:
            return 0
        taken = 0
        async with await self._open() as connection:
            async with connection.cursor(row_factory=dict_row) as cursor:
                names = await looks.unlooked(cursor, project=self._project, cutoff=cutoff)
            for name in names:
                try:
                    taken += await self._look(connection, name, now)
                except Exception:  # noqa: BLE001 - one experiment must not cost the others theirs
                    _log.exception("experiment %r can't be looked at", name)
        self._done = cutoff
        self._again_at = now.timestamp() + AGAIN_S
        return taken

    async def _look(self, connection: FullConn, experiment: str, now: datetime) -> int:
        async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            return await daily.look(cursor, project=self._project, experiment=experiment, now=now)
