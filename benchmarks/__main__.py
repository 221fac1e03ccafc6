"""`python -m benchmarks`: the speed and memory of Assay beside the floor and beside DBOS."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from benchmarks import experiments, pages, paint, rates, waiting
from benchmarks.dbos_runs import dbos_per_second
from benchmarks.engine import running
from benchmarks.place import Floor, fsync_ms, place
from benchmarks.table import Line, show

from assay.engine.garbage import collect_less

if TYPE_CHECKING:
    from benchmarks.place import Place


async def measure(place: Place, *, is_quick: bool, parts: set[str]) -> list[Line]:
    """All lines of the table."""
    floor = Floor(place)
    lines: list[Line] = []
    async with running(place.url) as (worker, sender):
        if "rates" in parts:
            pairs, scale = (3, 0.2) if is_quick else (5, 1.0)
            lines += await rates.rates(place, floor, worker, sender, pairs=pairs, scale=scale)
        if "latency" in parts:
            lines += await waiting.latency(worker, sender, times=60 if is_quick else 305)
    if "parked" in parts:
        # A worker without a past, since its memory is measured.
        async with running(place.url) as (worker, sender):
            lines += await waiting.parked(
                place,
                worker,
                sender,
                count=5_000 if is_quick else 100_000,
                idle_s=5 if is_quick else 20,
                times=20 if is_quick else 100,
            )
    if "experiments" in parts:
        lines += await experiments.results(place, is_quick=is_quick)
    if {"pages", "paint"} & parts:
        filled = await pages.filled(place, is_quick=is_quick)
        lines += await pages.times(filled) if "pages" in parts else []
        lines += await paint.paint(filled.url, filled.words) if "paint" in parts else []
    if "dbos" in parts:
        lines.append(beside_dbos(place, lines, is_quick=is_quick))
    if "imports" in parts:
        lines.append(waiting.import_cost(sys.executable, times=3 if is_quick else 7))
    floor.close()
    return lines


def beside_dbos(place: Place, lines: list[Line], *, is_quick: bool) -> Line:
    """One-step runs of both with 200 in flight."""
    theirs = dbos_per_second(place.other_url, count=200 if is_quick else 1_000)
    ours = next(line.rate for line in lines if line.rate)
    return Line(
        name="one-step runs, 200 in flight, beside DBOS",
        figure=f"DBOS {version('dbos')}: {theirs:,.0f}/s",
        value=ours / theirs,
        gate=20,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute, for development")
    known = ("rates", "latency", "parked", "experiments", "pages", "paint", "dbos", "imports")
    parser.add_argument("--only", choices=known, action="append", help="one part of it")
    chosen = parser.parse_args()
    if chosen.only and "dbos" in chosen.only and "rates" not in chosen.only:
        parser.error("dbos is measured beside rates: --only rates --only dbos")
    collect_less()
    with place() as found, tempfile.TemporaryDirectory() as directory:
        before = fsync_ms(Path(directory))
        lines = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(
            measure(found, is_quick=chosen.quick, parts=set(chosen.only or known))
        )
        after = fsync_ms(Path(directory))
    show(lines, f"fsync of 8 kB: {before:.2f} ms before, {after:.2f} ms after")


if __name__ == "__main__":
    main()
