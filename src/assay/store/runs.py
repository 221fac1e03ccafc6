"""Reading runs: one, or a filtered list with the newest first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from assay.errors import AssayError
from assay.ids import floor_at, minted_at
from assay.model.experiments import ExperimentRef
from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries
from assay.store.rollups import hour_of

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.pages import Reading

_SQL = queries("runs")
ENDED = ("completed", "failed", "cancelled")
LIVE = ("queued", "running", "waiting")
# An id is minted when its run is about to be queued: clocks and slow commits lie between the two.
ID_MARGIN = timedelta(hours=1)
Order = Literal["newest", "longest"]
MOST_ORDERED = 50_000
"""So many runs may lie in the time of which the longest are asked for: all are compared."""
LONGEST = "runs, the longest first"
_MICROSECOND = timedelta(microseconds=1)
_COMMON = 10_000
"""So many runs of a session key are found sooner among the newest runs than by the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it is stored; `output`, `error` and `warnings` are JSON text."""

    id: UUID
    app: str
    fn: str
    kind: str
    version: str
    event_id: UUID
    parent_run: UUID | None
    parent_defer: str | None
    trace: UUID
    parent_span: int | None
    sessions: dict[str, str] | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    output: str | None
    error: str | None
    warnings: str | None
    status: str

    @property
    def took_us(self) -> int:
        """Microseconds from its start to its end; 0 before."""
        if self.started_at is None or self.ended_at is None:
            return 0
        return (self.ended_at - self.started_at) // _MICROSECOND

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list: those that fit all that is set.

    Attributes:
        session_id: needs `session_key`.
        score: a name; with bounds (inclusive) or `score_is` only runs whose latest score fits.
        experiment: only runs that were served a variant of it; this `variant`, as this `unit`,
            `exposed_after` an instant (inclusive) and `exposed_before` one, `forced` or not,
            `without_unit` or with one.
        queued_after: inclusive. `queued_before`: exclusive.
    """

    function: str | None = None
    app: str | None = None
    status: str | None = None
    session_key: str | None = None
    session_id: str | None = None
    score: str | None = None
    score_min: float | None = None
    score_max: float | None = None
    score_is: bool | None = None
    experiment: str | None = None
    variant: str | None = None
    unit: str | None = None
    forced: bool | None = None
    without_unit: bool | None = None
    exposed_after: datetime | None = None
    exposed_before: datetime | None = None
    queued_after: datetime | None = None
    queued_before: datetime | None = None

    @property
    def is_counted(self) -> bool:
        """Whether hourly counts tell where such runs are, and there may be few of them."""
        counted = {"function": self.function, "app": self.app, "status": self.status}
        others = {name: value for name, value in asdict(self).items() if name not in counted}
        return (
            any(value is not None for value in counted.values())
            and all(value is None for value in others.values())
            and self.status not in LIVE
        )

    def parts(self) -> list[str]:
        """The names of the query's parts that it needs."""
        names = {
            "by_function": self.function,
            "by_app": self.app,
            "is_ended": self.status if self.status in ENDED else None,
            f"is_{self.status}": self.status if self.status in LIVE else None,
            "in_session": self.session_id,
            "with_session_key": self.session_key if self.session_id is None else None,
            "with_score": self.score,
            "score_min": self.score_min,
            "score_max": self.score_max,
            "score_is": self.score_is,
            "score_end": self.score,
            "in_experiment": self.experiment,
            "as_variant": self.variant,
            "as_unit": self.unit,
            "as_forced": self.forced,
            "as_no_unit": self.without_unit,
            "exposed_after": self.exposed_after,
            "exposed_before": self.exposed_before,
            "experiment_end": self.experiment,
            "queued_after": self.queued_after,
            "queued_before": self.queued_before,
        }
        return [name for name, value in names.items() if value is not None]

    def values(self) -> dict[str, object]:
        """What the parts are bound to."""
        values: dict[str, object] = asdict(self)
        if self.score_is is not None:
            values["score_is"] = float(self.score_is)
        if self.queued_after is not None:
            values["first_id"] = floor_at(self.queued_after - ID_MARGIN)
        if self.queued_before is not None:
            values["last_id"] = floor_at(self.queued_before + ID_MARGIN)
        return values


async def page(
    cursor: Reading,
    *,
    project: int,
    filter_: RunFilter,
    limit: int,
    after: str | None = None,
    with_output: bool = True,
) -> Page[RunRecord]:
    """A page of runs, the newest first; `bad_cursor` where `after` is none of this list."""
    values: dict[str, object] = {
        **filter_.values(),
        "project": project,
        "limit": limit + 1,
        "with_output": with_output,
        "after": None if after is None else decode("runs", after, (UUID,))[0],
    }
    names = ["list", *filter_.parts()] + (["after"] if after is not None else [])
    end = "newest_first"
    if filter_.status in LIVE:
        names[0], end = "list_live", "newest_live_first"
        names += ["after_live"] if after is not None else []
    elif filter_.is_counted:
        ends = (await fetch(cursor, _SQL["ends"], values))[0]
        if ends["first"] is not None:
            last = min(ends["last"], values["after"] or ends["last"])
            values["first_hour"] = hour_of(minted_at(ends["first"]))
            values["last_hour"] = hour_of(minted_at(last))
            names = ["list_counted"]
    elif "with_session_key" in names:
        counted = await fetch(cursor, _SQL["of_key"], values | {"common": _COMMON})
        if counted[0]["n"] == _COMMON:
            names[names.index("with_session_key")] = "carrying_key"
    rows = await fetch(cursor, _query(*names, end), values)
    return page_of("runs", [RunRecord(**row) for row in rows], limit, lambda run: (run.id,))


async def longest(
    cursor: Reading,
    *,
    project: int,
    filter_: RunFilter,
    limit: int,
    after: str | None = None,
    with_output: bool = True,
    most: int = MOST_ORDERED,
) -> Page[RunRecord]:
    """A page of runs that have ended, those that took longest first.

    No index has them in this order, which would cost every run: all of the filter's time are read.

    Raises:
        AssayError: `bad_cursor`; `bad_filter` without `queued_after`; `order_too_wide` where there
            are more than `most` in that time.
    """
    if filter_.queued_after is None:
        raise AssayError(
            "the longest runs can't be asked for without queued_after",
            code="bad_filter",
            field="queued_after",
            hint="say since when, such as a day ago",
        )
    took, last = (None, None) if after is None else decode(LONGEST, after, (int, UUID))
    values: dict[str, object] = {
        "last_id": None,
        **filter_.values(),
        "project": project,
        "limit": limit + 1,
        "with_output": with_output,
        "took": took,
        "after": last,
        "most": most + 1,
    }
    (found,) = await fetch(cursor, _SQL["in_time"], values)
    if found["n"] > most:
        raise AssayError(
            f"more than {most:,} runs were queued in that time: too many to put in order",
            code="order_too_wide",
            field="queued_after",
            hint="ask for a shorter time: queued_after later, or queued_before earlier",
        )
    parts = ["carrying_key" if one == "with_session_key" else one for one in filter_.parts()]
    names = ["list", *parts, "has_ended", *(["after_longer"] if after else [])]
    rows = await fetch(cursor, _query(*names, "longest_first"), values)
    return page_of(
        LONGEST, [RunRecord(**row) for row in rows], limit, lambda run: (run.took_us, run.id)
    )


async def find(cursor: Reading, *, project: int, run: UUID) -> RunRecord | None:
    """One run, None where there is none."""
    values = {"project": project, "run": run, "with_output": True}
    rows = await fetch(cursor, _query("list", "by_id"), values)
    return RunRecord(**rows[0]) if rows else None


async def started_by(cursor: Reading, *, project: int, event: UUID, limit: int) -> list[RunRecord]:
    """The newest runs that an event started."""
    return await _all(cursor, "by_event", project=project, event=event, limit=limit)


async def woken_by(cursor: Reading, *, project: int, event: UUID, limit: int) -> list[RunRecord]:
    """The newest runs whose wait an event resolved."""
    return await _all(cursor, "woken_by", project=project, event=event, limit=limit)


async def of_trace(cursor: Reading, *, project: int, trace: UUID, limit: int) -> list[RunRecord]:
    """The runs of a trace, without their outputs: the first one, its children and their scorers."""
    return await _all(
        cursor, "by_trace", project=project, trace=trace, limit=limit, with_output=False
    )


async def orphans(cursor: Reading, *, project: int, run: UUID) -> list[tuple[str, int]]:
    """Steps (id, index) of a run that were scored but never ran."""
    rows = await fetch(cursor, _SQL["orphans"], {"project": project, "run": run})
    return [(row["step"], row["idx"]) for row in rows]


async def unserved(cursor: Reading, *, project: int, run: UUID) -> list[ExperimentRef]:
    """What scores of a run name, but the run was not served."""
    rows = await fetch(cursor, _SQL["unserved"], {"project": project, "run": run})
    return [ExperimentRef(**row) for row in rows]


async def ambiguous(cursor: Reading, *, project: int, run: UUID) -> list[str]:
    """Experiments of which a run was served several variants, where scores of it name none."""
    rows = await fetch(cursor, _SQL["ambiguous"], {"project": project, "run": run})
    return [row["experiment"] for row in rows]


async def _all(
    cursor: Reading, part: str, *, with_output: bool = True, **values: object
) -> list[RunRecord]:
    values["with_output"] = with_output
    rows = await fetch(cursor, _query("list", part, "newest_first"), values)
    return [RunRecord(**row) for row in rows]


def _query(*names: str) -> str:
    return compose(_SQL[name] for name in names)
