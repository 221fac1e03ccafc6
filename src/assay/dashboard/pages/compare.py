"""Two runs side by side: steps, outputs and scores, each with a way to its trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard import differences
from assay.dashboard.asking import part
from assay.dashboard.page import Page
from assay.wire.runs import Run, RunDetail

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.dashboard.differences import Piece, ScorePair, StepPair

OFFERED = 10
_PARTS = (("include", "steps,scores"), ("values", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareView:
    """Two runs, as far as the query names them.

    Attributes:
        steps, scores: by what they are called; empty until there are two runs.
        pieces: of the outputs; None where they are too long, or not both there.
        offered: recent runs of the first one's function, until a second is chosen.
    """

    a: RunDetail | None
    b: RunDetail | None
    steps: list[StepPair]
    scores: list[ScorePair]
    pieces: list[Piece] | None
    offered: list[Run]


async def compare(ask: Ask) -> CompareView:
    """What the two have in common, and what not."""
    a, b = [await _run(ask, ask.query.get(name)) for name in ("a", "b")]
    if a is None or b is None:
        return CompareView(
            a=a, b=b, steps=[], scores=[], pieces=None, offered=await _offered(ask, a)
        )
    return CompareView(
        a=a,
        b=b,
        steps=differences.step_pairs(a, b, now=ask.now),
        scores=differences.score_pairs(a, b),
        pieces=differences.pieces(a.output, b.output) if a.output != b.output else [],
        offered=[],
    )


async def _run(ask: Ask, id_: str | None) -> RunDetail | None:
    if id_ is None:
        return None
    return await ask.api.get(RunDetail, f"runs/{part(id_.strip())}", _PARTS)


async def _offered(ask: Ask, a: RunDetail | None) -> list[Run]:
    """Runs that the first may be compared with."""
    if a is None:
        return []
    query = [("function_id", a.function_id), ("app_id", a.app_id), ("limit", OFFERED + 1)]
    found = await ask.api.items(Run, "runs", query)
    return [run for run in found.items if run.id != a.id][:OFFERED]


COMPARE_PAGES = (
    Page(
        path="/runs/compare",
        name="runs",
        title="Compare runs",
        template="compare.html",
        render=compare,
    ),
)
