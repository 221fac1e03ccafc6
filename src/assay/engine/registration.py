"""What a worker serves, made known to all who take in events, and taken back when it is gone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from assay.engine.catalog import function_row
from assay.store import choices, registrations
from assay.store.workers import Serves

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from assay.clock import Clock
    from assay.model.experiments import Declarer, Plan
    from assay.sdk.definitions import FunctionDefinition
    from assay.store.pool import FullConn

_log = logging.getLogger("assay.engine")


class Registration:
    """The functions of one app that a process serves.

    Args:
        open: gives a connection; whoever asks closes it.
        source: which files they are from: of the same ones, the later registration tells what is
            gone from the code.
        plans: of experiments, by id.
        by: who declares them.
    """

    def __init__(
        self,
        open: Callable[[], Awaitable[FullConn]],
        functions: Mapping[str, FunctionDefinition],
        *,
        project: int,
        source: str,
        clock: Clock,
        plans: Mapping[str, Plan],
        by: Declarer,
    ) -> None:
        self._open = open
        self._functions = functions
        self._project = project
        self._app = by.app
        self._source = source
        self._clock = clock
        self._plans = plans
        self._by = by

    async def register(self) -> Serves:
        """Have events start these functions."""
        async with await self._open() as connection:
            number = await registrations.register(
                connection,
                [function_row(self._app, one) for one in self._functions.values()],
                project=self._project,
                source=self._source,
                now=self._clock.now(),
            )
            for experiment, plan in self._plans.items():
                await choices.declare_plan(
                    connection,
                    plan,
                    project=self._project,
                    experiment=experiment,
                    by=self._by,
                    now=self._clock.now(),
                    source=self._source,
                )
                if not await choices.is_in_force(
                    connection, plan, project=self._project, experiment=experiment
                ):
                    _log.warning(
                        "the plan of experiment %r in the code of %s is not in force: a later one"
                        " is, of another app that stands by it or of another version of this one;"
                        " results say which",
                        experiment,
                        self._app,
                    )
            await choices.withdraw(
                connection,
                project=self._project,
                app=self._app,
                source=self._source,
                declared=self._plans,
            )
        return Serves(
            app=self._app,
            source=self._source,
            functions=tuple(self._functions),
            registration=number,
        )

    async def retire(self) -> None:
        """Have events no longer start what the app's code has lost; runs of it are kept."""
        async with await self._open() as connection:
            gone = await registrations.retire(
                connection, project=self._project, app=self._app, now=self._clock.now()
            )
        if gone:
            _log.warning(
                "no longer in the code of %s, so events don't start them: %s; runs of them that"
                " have not ended wait until it is there again, or are cancelled",
                self._app,
                ", ".join(gone),
            )
