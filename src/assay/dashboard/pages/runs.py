"""Runs: the list and its filters, and what is done to a run."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from assay.dashboard import filters, volumes
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Action, Page
from assay.dashboard.pages.run import RUN, RUN_PAGES
from assay.dashboard.texts import iso
from assay.errors import AssayError
from assay.ids import parse, to_text
from assay.store import exposures, function_list, scores
from assay.store.copies import runs as copies
from assay.store.exposures import ExposureRecord
from assay.store.scores import ScoreRecord
from assay.wire.runs import CancelResponse, Run
from assay.wire.scores import ScoreResponse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assay.dashboard.asking import Ask
    from assay.dashboard.forms import Form
    from assay.dashboard.volumes import Volume
    from assay.store.pages import Reading
    from assay.store.runs import RunFilter

R = TypeVar("R", ScoreRecord, ExposureRecord)

FUNCTIONS_OFFERED = 200
SCORES_SHOWN = 2_000
ABOUT = {"function_id", "app_id", "status"}
RANGES = {
    "1 h": timedelta(hours=1),
    "24 h": timedelta(days=1),
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
}
RARE = {"session_key", "session_id", "app_id", "queued_after", "queued_before"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run with what it was scored about itself and which variants it was served."""

    run: Run
    scores: list[ScoreRecord]
    exposures: list[ExposureRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsView:
    """A page of runs.

    Attributes:
        volume: how many there were when; None on later pages, and where no counts tell.
        about: the filters that it counts by, without time.
        ranges: a word, and the instant from which on it is.
        day_ago: since when the longest runs are looked for, unless the query says.
        functions, score_names: what the filters offer.
        has_rare_filters: whether one is in use that is folded away.
        is_filtered: whether a filter may be to blame where there is no run.
    """

    rows: list[RunRow]
    next: str | None
    volume: Volume | None
    about: dict[str, str]
    ranges: list[tuple[str, str]]
    day_ago: str
    copied: Copied
    functions: list[str]
    score_names: list[str]
    has_scores: bool
    has_variants: bool
    is_filtered: bool
    has_rare_filters: bool


async def runs(ask: Ask) -> RunsView:
    """The runs that fit the query, in its order, with their scores and variants."""
    found = await ask.items(Run, output=False)
    ids = [parse(run.id) for run in found.items]
    asked = filters.runs(ask)

    async def read(reading: Reading) -> tuple[list[ScoreRecord], list[ExposureRecord], list[str]]:
        given = await scores.latest_of_runs(
            reading, project=ask.project, runs=ids, limit=SCORES_SHOWN
        )
        served = await exposures.of_runs(reading, project=ask.project, runs=ids)
        known = await function_list.page(reading, project=ask.project, limit=FUNCTIONS_OFFERED)
        return given, served, sorted({one.fn for one in known.items})

    given, served, functions = await ask.read(read)
    about_run = _by_run(one for one in given if one.subject == "run")
    exposed = _by_run(served)
    return RunsView(
        rows=[
            RunRow(run=run, scores=about_run[run.id], exposures=exposed[run.id])
            for run in found.items
        ],
        next=found.next,
        volume=await _volume(ask, asked, found.items),
        about={name: text for name, text in ask.query.items() if name in ABOUT},
        ranges=_ranges(ask.now),
        day_ago=iso(ask.now.replace(second=0, microsecond=0) - RANGES["24 h"]),
        copied=copied(ask, _statement(ask, asked), is_from_here=True),
        functions=functions,
        score_names=sorted({one.name for one in given}),
        has_scores=bool(given),
        has_variants=bool(served),
        is_filtered=bool(ask.api_query().keys() - {"order"}),
        has_rare_filters=bool(RARE & ask.query.keys()),
    )


def _statement(ask: Ask, asked: RunFilter) -> str:
    order, after = ask.query.get("order"), ask.query.get("cursor")
    return copies.of_filter(ask.project, asked, longest=order == "longest", after=after)


async def _volume(ask: Ask, asked: RunFilter, found: list[Run]) -> Volume | None:
    if not found or "cursor" in ask.query:
        return None
    newest = max(run.queued_at for run in found)
    return await ask.read(
        lambda reading: volumes.of_list(
            reading, asked, project=ask.project, newest=newest, now=ask.now
        )
    )


def _ranges(now: datetime) -> list[tuple[str, str]]:
    minute = now.replace(second=0, microsecond=0)
    return [(word, iso(minute - back)) for word, back in RANGES.items()]


def _by_run(records: Iterable[R]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for one in records:
        found[to_text(one.run_id)].append(one)
    return found


async def cancel(ask: Ask, _: Form) -> str:
    """Cancel a run."""
    run = ask.params["run_id"]
    await ask.api.post(CancelResponse, f"runs/{to_text(parse(run))}/cancel", None)
    return f"/runs/{run}"


async def score(ask: Ask, form: Form) -> str:
    """Score a run by hand."""
    run = ask.params["run_id"]
    body: dict[str, object] = {
        "name": form.need("name"),
        "value": _value(form.need("value")),
        "run_id": run,
        "rationale": form.get("rationale"),
        "author": form.get("author"),
    }
    await ask.api.post(ScoreResponse, "scores", body)
    return f"/runs/{run}#scores"


def _value(text: str) -> bool | float | int:
    """A score's value as people write it: true, false or a number; `score_value`."""
    words = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise AssayError(
            f"{text!r} is no value of a score",
            code="score_value",
            field="value",
            hint="write true, false or a finite number",
        )
    try:
        return int(text)
    except ValueError:
        return number


PAGES = (
    Page(
        path="/runs",
        name="runs",
        title="Runs",
        nav="Runs",
        key="r",
        render=runs,
        api="runs",
        own=frozenset({"peek"}),
        live=("runs", "scores"),
    ),
    *RUN_PAGES,
)
ACTIONS = (
    Action(path="/runs/{run_id}/cancel", act=cancel),
    Action(path="/runs/{run_id}/score", act=score, shown_by=RUN),
)
