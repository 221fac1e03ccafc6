"""Scores by name: rates and means with what is missing, and one name at length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Page
from assay.dashboard.texts import iso
from assay.store.copies import scores as copies
from assay.store.score_values import Range
from assay.wire.score_names import ScoreName, ScoreNameDetail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.dashboard.asking import Ask
    from assay.wire.score_names import ScoreStretch

CHARTS = ("charts.js",)
RANGES = ("1", "7", "30", "90")
USUAL_DAYS = "7"
Point = tuple[float, float]
Bounds = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Spark:
    """A line over time in [0, 1] pairs, with its band where there is one."""

    points: list[Point]
    band: list[Bounds]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresView:
    """A page of names; `sparks` are theirs, in the same order."""

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
    found = await ask.items(ScoreName)
    sql = copies.names(ask.project, _range(found.items[0])) if found.items else None
    return ScoresView(
        scores=found.items,
        sparks=[spark(one.over_time) for one in found.items],
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


def _range(one: ScoreName) -> Range:
    return Range(one.queued_after, one.queued_before)


def spark(over_time: Sequence[ScoreStretch]) -> Spark:
    """A small picture of a rate or mean over time; none of fewer than two stretches."""
    known = [
        (one.start.timestamp(), one.estimate.estimate, one.estimate.ci)
        for one in over_time
        if one.estimate.estimate is not None
    ]
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return Spark([], [])
    heights = [y for _, y, _ in known] + [bound for *_, ci in known if ci for bound in ci]
    first, span = known[0][0], known[-1][0] - known[0][0]
    low, room = min(heights), max(heights) - min(heights) or 1.0
    return Spark(
        [((x - first) / span, (y - low) / room) for x, y, _ in known],
        [
            ((x - first) / span, (ci[0] - low) / room, (ci[1] - low) / room)
            for x, _, ci in known
            if ci is not None
        ],
    )


def _days(query: Mapping[str, str]) -> str:
    """The range that is looked at, where it is one in days."""
    if "queued_after" in query:
        return ""
    return query.get("days", USUAL_DAYS)


PAGES = (
    Page(
        path="/scores",
        name="scores",
        title="Scores",
        nav="Scores",
        key="c",
        render=scores,
        api="scores/names",
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
