"""Two runs side by side: steps, values, scores and variants, each with a way to its trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard import differences, pairs
from assay.dashboard.asking import part
from assay.dashboard.copying import Copied, copied_each
from assay.dashboard.page import Page
from assay.dashboard.pages.trace import of_run
from assay.dashboard.pairs import Side
from assay.ids import parse
from assay.store import event_log, exposures
from assay.store.copies import runs as copies
from assay.wire.runs import Run, RunDetail

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.dashboard.differences import ArmPair, Piece, ScorePair
    from assay.dashboard.pairs import Pair
    from assay.store.event_log import EventRecord
    from assay.store.exposures import ExposureRecord
    from assay.store.pages import Reading

OFFERED = 10
_PARTS = (("include", "steps,scores"), ("values", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A value of each of the runs.

    Attributes:
        pieces: what is the same and what is not, nothing where all is the same; None where they
            are too long to be compared.
    """

    a: object
    b: object
    pieces: list[Piece] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two runs.

    Attributes:
        steps, scores, arms: by what they are called; steps with the spans in them.
        has_all: whether no trace is too long for all of its spans.
        longest_s: the seconds that the steps of both are drawn on.
        inputs: the data of the events that started them; None where one is no longer stored.
        outputs: None where not both have completed.
    """

    steps: list[Pair]
    has_all: bool
    scores: list[ScorePair]
    arms: list[ArmPair]
    longest_s: float
    inputs: Values | None
    outputs: Values | None
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareView:
    """Two runs, as far as the query names them.

    Attributes:
        compared: None until there are two.
        offered: recent runs to choose from until then: of the first one's function, or of all.
    """

    a: RunDetail | None
    b: RunDetail | None
    compared: Compared | None
    offered: list[Run]


async def compare(ask: Ask) -> CompareView:
    """What the two have in common, and what not."""
    a, b = [await _run(ask, ask.query.get(name)) for name in ("a", "b")]
    if a is None or b is None:
        return CompareView(a=a, b=b, compared=None, offered=await _offered(ask, a or b))
    return CompareView(a=a, b=b, compared=await _compared(ask, a, b), offered=[])


async def _compared(ask: Ask, a: RunDetail, b: RunDetail) -> Compared:
    ids = [parse(a.id), parse(b.id)]

    async def read(reading: Reading) -> tuple[list[ExposureRecord], list[EventRecord | None]]:
        return (
            await exposures.of_runs(reading, project=ask.project, runs=ids),
            [
                await event_log.find(reading, project=ask.project, event=parse(run.event_ids[0]))
                for run in (a, b)
            ],
        )

    served, events = await ask.read(read)
    traces = [await of_run(ask, run.id) for run in (a, b)]
    sides = [Side(run=run, rows=one.rows) for run, one in zip((a, b), traces, strict=True)]
    data = [ask.json(event.data) for event in events if event is not None]
    has_ended = a.status == b.status == "completed"
    return Compared(
        steps=pairs.pairs(*sides, now=ask.now),
        has_all=all(len(one.rows) == one.n for one in traces),
        scores=differences.score_pairs(a, b),
        arms=differences.arm_pairs(served, a, b),
        longest_s=pairs.longest_s(a, b, now=ask.now),
        inputs=_values(*data) if len(data) == len(events) else None,
        outputs=_values(a.output, b.output) if has_ended else None,
        copied=copied_each(
            ask,
            copies.two(ask.project, *ids),
            {name: f"runs/{run.id}" for name, run in (("a", a), ("b", b))},
        ),
    )


def _values(a: object, b: object) -> Values:
    return Values(a=a, b=b, pieces=differences.pieces(a, b) if a != b else [])


async def _run(ask: Ask, id_: str | None) -> RunDetail | None:
    if id_ is None:
        return None
    return await ask.api.get(RunDetail, f"runs/{part(id_.strip())}", _PARTS)


async def _offered(ask: Ask, one: RunDetail | None) -> list[Run]:
    """Runs that one may be compared with; the newest ones, where there is none yet."""
    query: list[tuple[str, object]] = [("limit", OFFERED + 1), ("output", False)]
    if one is not None:
        query += [("function_id", one.function_id), ("app_id", one.app_id)]
    found = await ask.api.items(Run, "runs", query)
    return [run for run in found.items if one is None or run.id != one.id][:OFFERED]


COMPARE_PAGES = (
    Page(
        path="/runs/compare",
        name="runs",
        title="Compare runs",
        template="compare.html",
        render=compare,
    ),
)
