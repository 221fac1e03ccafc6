"""Scores by name: rates and means with what is missing, and one name at length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard import sorting
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Page
from assay.dashboard.sparks import spark
from assay.dashboard.texts import iso
from assay.store.copies import scores as copies
from assay.store.score_values import Range
from assay.wire.score_names import ScoreName, ScoreNameDetail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assay.dashboard.asking import Ask
    from assay.dashboard.sorting import Key, Sorting
    from assay.dashboard.sparks import Spark

CHARTS = ("charts.js",)
RANGES = ("1", "7", "30", "90")
USUAL_DAYS = "7"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresView:
    """A page of names; `sparks` are theirs, in the same order."""

    sorting: Sorting
    scores: list[ScoreName]
    sparks: list[Spark]
    days: str
    next: str | None
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """A name at length; `about` is the query of the runs that its numbers are of."""

    score: ScoreNameDetail
    about: dict[str, str]
    days: str
    copied: Copied


async def scores(ask: Ask) -> ScoresView:
    """The names that are scored or promised."""
    order = sorting.asked(ask)
    found = await sorting.items(ask, ScoreName, order)
    sql = copies.names(ask.project, _range(found.items[0])) if found.items else None
    rows = order.of(found.items, COLUMNS)
    return ScoresView(
        sorting=order,
        scores=rows,
        sparks=[_spark(one) for one in rows],
        days=_days(ask.query),
        next=found.next,
        copied=copied(ask, sql),
    )


async def score(ask: Ask) -> ScoreView:
    """One name."""
    found = await ask.record(ScoreNameDetail)
    sql = copies.of_name(ask.project, found.name, _range(found))
    return ScoreView(
        score=found, about=about(found), days=_days(ask.query), copied=copied(ask, sql)
    )


def about(one: ScoreName) -> dict[str, str]:
    """The query of the list of runs that has the runs behind a name's numbers."""
    return {
        "score": one.name,
        "queued_after": iso(one.queued_after),
        "queued_before": iso(one.queued_before),
    }


def _missing(one: ScoreName) -> float | None:
    """The share of promises without a score; None where nothing was promised."""
    promised = sum(one.outcomes.values())
    return (promised - one.outcomes.get("observed", 0)) / promised if promised else None


def _range(one: ScoreName) -> Range:
    return Range(one.queued_after, one.queued_before)


def _spark(one: ScoreName) -> Spark:
    """A name's estimates in the time that is looked at."""
    whole = one.queued_before - one.queued_after
    return spark(
        (
            (
                (each.start + (each.end - each.start) / 2 - one.queued_after) / whole,
                each.estimate.estimate,
                each.estimate.ci,
            )
            for each in one.over_time
        ),
        is_share=one.type == "boolean",
    )


def _days(query: Mapping[str, str]) -> str:
    """The range that is looked at, where it is one in days."""
    if "queued_after" in query:
        return ""
    return query.get("days", USUAL_DAYS)


COLUMNS: Mapping[str, Callable[[ScoreName], Key]] = {
    "score": lambda one: one.name,
    "type": lambda one: one.type,
    "mean": lambda one: one.estimate.estimate,
    "runs": lambda one: one.n,
    "pending": lambda one: one.outcomes.get("pending", 0),
    "timed_out": lambda one: one.outcomes.get("timed_out", 0),
    "missing": _missing,
    "last": lambda one: one.last_at,
}
"""What the table can be sorted by."""
PAGES = (
    Page(
        path="/scores",
        name="scores",
        title="Scores",
        nav="Scores",
        key="c",
        render=scores,
        api="scores/names",
        own=frozenset({sorting.SORT}),
        live=("scores",),
    ),
    Page(
        path="/scores/{name}",
        name="scores",
        title="Score",
        template="score.html",
        render=score,
        api="scores/names/{name}",
        live=("scores",),
        scripts=CHARTS,
    ),
)
