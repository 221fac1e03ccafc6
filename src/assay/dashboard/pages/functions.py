"""Functions: what apps have registered, and how each of them does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard import sorting
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Page
from assay.dashboard.windows import WINDOWS, summary
from assay.errors import AssayError
from assay.store import function_list
from assay.store.copies import functions as copies
from assay.store.copies import runs as copies_of_runs
from assay.store.runs import RunFilter
from assay.wire.functions import Function
from assay.wire.runs import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assay.dashboard.asking import Ask
    from assay.dashboard.sorting import Key, Sorting
    from assay.dashboard.windows import FunctionRow, Summary
    from assay.store.activity import LiveCount
    from assay.store.function_list import FunctionRecord

NEWEST = 10
_ELSEWHERE = {"kind", "triggers"}
COLUMNS: Mapping[str, Callable[[Listed], Key]] = {
    "function": lambda one: one.function.id,
    "app": lambda one: one.function.app_id,
    "runs": lambda one: one.numbers.n if one.numbers else 0,
    "failed": lambda one: (
        one.numbers.n_failed / one.numbers.n_ended if one.numbers and one.numbers.n_ended else None
    ),
    "median": lambda one: one.numbers.median_s if one.numbers else None,
    "p95": lambda one: one.numbers.p95_s if one.numbers else None,
    "queued": lambda one: one.live.queued if one.live else 0,
    "running": lambda one: one.live.running if one.live else 0,
    "waiting": lambda one: one.live.waiting if one.live else 0,
}
"""What the table can be sorted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A function with its numbers, None where it did not run in the window."""

    function: Function
    numbers: FunctionRow | None
    live: LiveCount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsView:
    """A page of functions."""

    windows: tuple[str, ...]
    summary: Summary
    sorting: Sorting
    rows: list[Listed]
    next: str | None
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionView:
    """One function.

    Attributes:
        triggers: names of events and conditions. `options`: what else it was registered with.
        scores: the names that a scorer promises. `schema`: of its data, None where it has none.
        example: the name of an event that starts it, None where there is none without wildcards.
    """

    windows: tuple[str, ...]
    function: FunctionRecord
    triggers: list[tuple[str, str | None]]
    options: dict[str, object]
    scores: list[str]
    schema: object
    example: str | None
    summary: Summary
    newest: list[Run]
    copied: Copied


async def functions(ask: Ask) -> FunctionsView:
    """The functions and scorers of all apps, by app and id."""
    order = sorting.asked(ask)
    found = await sorting.items(ask, Function, order)
    over = await summary(ask)
    numbers = {(row.app, row.fn): row for row in over.functions}
    live = {(one.app, one.fn): one for one in over.live}
    return FunctionsView(
        windows=tuple(WINDOWS),
        summary=over,
        sorting=order,
        rows=order.of(
            (
                Listed(
                    function=one,
                    numbers=numbers.get((one.app_id, one.id)),
                    live=live.get((one.app_id, one.id)),
                )
                for one in found.items
            ),
            COLUMNS,
        ),
        next=found.next,
        copied=copied(ask, copies.all_of(ask.project)),
    )


async def function(ask: Ask) -> FunctionView:
    """A function's triggers and options, its numbers in the window, its newest runs."""
    app, fn = ask.params["app_id"], ask.params["function_id"]
    found = await ask.read(
        lambda reading: function_list.find(reading, project=ask.project, app=app, fn=fn)
    )
    if found is None:
        raise AssayError(
            f"the app {app!r} has no function {fn!r}",
            code="function_not_found",
            field="function_id",
            hint="a worker registers its functions when it starts",
        )
    of = {"function_id": fn, "app_id": app}
    newest = await ask.api.items(Run, "runs", [*of.items(), ("limit", NEWEST), ("output", False)])
    sql = copies_of_runs.of_filter(ask.project, RunFilter(function=fn, app=app))
    triggers = _triggers(found)
    options = _options(found)
    scores = options.pop("scores", None)
    names = [name for name, _ in triggers if "*" not in name]
    return FunctionView(
        windows=tuple(WINDOWS),
        function=found,
        triggers=triggers,
        schema=options.pop("schema", None),
        options=options,
        scores=[str(name) for name in scores] if isinstance(scores, list) else [],
        example=names[0] if names else None,
        summary=await summary(ask, app=app, fn=fn),
        newest=newest.items,
        copied=copied(ask, sql, path="runs", query=of),
    )


def _options(found: FunctionRecord) -> dict[str, object]:
    """What it was registered with, without what the page says elsewhere or what is empty."""
    options = found.options if isinstance(found.options, dict) else {}
    return {n: v for n, v in options.items() if n not in _ELSEWHERE and v not in (None, [], {}, "")}


def _triggers(found: FunctionRecord) -> list[tuple[str, str | None]]:
    triggers: list[tuple[str, str | None]] = []
    for trigger in found.triggers if isinstance(found.triggers, list) else ():
        if isinstance(trigger, dict):
            condition = trigger.get("condition")
            triggers.append(
                (str(trigger.get("event")), condition if isinstance(condition, str) else None)
            )
    return triggers


PAGES = (
    Page(
        path="/functions",
        name="functions",
        title="Functions",
        nav="Functions",
        key="f",
        render=functions,
        api="functions",
        own=frozenset({"window", sorting.SORT}),
        live=("runs",),
    ),
    Page(
        path="/functions/{app_id}/{function_id}",
        name="functions",
        title="Function",
        template="function.html",
        render=function,
        own=frozenset({"window"}),
        live=("runs", "scores"),
    ),
)
