"""The functions that events may start: each process keeps them with the version they are of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from os import getpid
from socket import gethostname
from typing import TYPE_CHECKING

from assay.engine.conditions import Condition
from assay.engine.matching import patterns_of
from assay.engine.schemas import fits
from assay.errors import AssayError
from assay.model.experiments import Declarer
from assay.store import events as store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.engine.arrivals import Arrival
    from assay.engine.options import WorkerOptions
    from assay.model.events import Json
    from assay.sdk.definitions import FunctionDefinition
    from assay.store.pool import AsyncConn


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A function that an event starts."""

    app: str
    fn: str
    kind: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trigger:
    target: Target
    condition: str | None
    schema: str | None


class Catalog:
    """Triggers by pattern, as of `version`; `load` again when the database says stale."""

    def __init__(self) -> None:
        self.version = 0
        self._triggers: dict[str, list[_Trigger]] = {}

    async def load(self, connection: AsyncConn, project: int) -> None:
        """Read all functions of the project."""
        version, rows = await store.functions(connection, project=project)
        triggers: dict[str, list[_Trigger]] = {}
        for app, fn, kind, fn_version, declared in rows:
            target = Target(app=app, fn=fn, kind=kind, version=fn_version)
            for trigger in declared:
                triggers.setdefault(trigger["event"], []).append(
                    _Trigger(
                        target=target,
                        condition=trigger.get("condition"),
                        schema=json.dumps(schema) if (schema := trigger.get("schema")) else None,
                    )
                )
        self.version, self._triggers = version, triggers

    def targets(self, event: Arrival) -> tuple[list[Target], list[str]]:
        """The functions that this event starts, each once, and why others refuse its data."""
        found: dict[Target, None] = {}
        refused: list[str] = []
        variable: dict[str, Json] | None = None
        for pattern in patterns_of(event.name):
            for trigger in self._triggers.get(pattern, ()):
                if trigger.target in found:
                    continue
                if trigger.schema is not None:
                    wrong = fits(trigger.schema, event.data)
                    if wrong is not None:
                        refused.append(f"{trigger.target.fn} was not started: {wrong}")
                        continue
                if trigger.condition is not None:
                    variable = variable or event.variable()
                    try:
                        condition = Condition.compile(trigger.condition, variables=("event",))
                    except AssayError as error:
                        # One function's fault: the others get the event.
                        refused.append(f"{trigger.target.fn} was not started: {error.message}")
                        continue
                    if not condition.holds({"event": variable}):
                        continue
                found[trigger.target] = None
        return list(found), refused

    def knows(self, name: str) -> bool:
        """Whether any function may start on events of this name."""
        return any(pattern in self._triggers for pattern in patterns_of(name))


def version_of(definition: FunctionDefinition) -> str:
    """A short name for what a function is registered as; another when any of it changes."""
    return hashlib.sha256(definition.options_json.encode()).hexdigest()[:12]


def declarer(app: str, functions: Mapping[str, str], options: WorkerOptions) -> Declarer:
    """Who this process is when it declares for an app whose functions have these versions."""
    plans = {name: plan.spec for name, plan in options.plans.items()}
    declared = json.dumps([dict(functions), plans], sort_keys=True)
    return Declarer(
        app=app,
        version=hashlib.sha256(declared.encode()).hexdigest()[:12],
        worker=f"{gethostname()}:{getpid()}",
        author=options.author,
    )


def function_row(app: str, definition: FunctionDefinition) -> dict[str, object]:
    """How a function is made known to those who take in events."""
    return {
        "app": app,
        "fn": definition.id,
        "kind": definition.kind,
        "version": version_of(definition),
        "triggers": [trigger.describe() for trigger in definition.triggers],
        "options": json.loads(definition.options_json),
    }
