"""Page times at scale: what the server takes for every list and page of a million runs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

import httpx2
from benchmarks.scale import fill
from benchmarks.table import Line

from assay.api.app import create_app
from assay.dashboard.site import add_dashboard
from assay.store import rolling
from assay.store.pool import connect

if TYPE_CHECKING:
    from benchmarks.place import Place

LIMIT_MS = 100.0
TIMES = 5
API = (
    "runs",
    "runs?status=completed",
    "runs?status=failed",
    "runs?status=cancelled",
    "runs?status=running",
    "runs?status=waiting",
    "runs?status=queued",
    "runs?function_id=agent-3",
    "runs?function_id=rare",
    "runs?function_id=none",
    "runs?function_id=rare&status=failed",
    "runs?function_id=agent-3&status=cancelled",
    "runs?score=helpful&score_is=false",
    "runs?score=quality&score_min=0.99",
    "runs?score=rare",
    "runs?score=rare&score_is=false",
    "runs?score=quality&score_min=2",
    "runs?score=none",
    "runs?session_key=account&session_id={account}",
    "runs?session_key=account",
    "runs?session_key=none",
    "runs?session_key=conversation&session_id={conversation}",
    "runs?queued_after={week_ago}&queued_before={days_ago}",
    "runs?queued_before={week_ago}&status=failed",
    "runs/{run}",
    "runs/{run}/trace/skeleton",
    "runs/{run}/scores",
    "events",
    "events?name=ticket",
    "events?name=none",
    "events/{event}",
    "sessions",
    "sessions/account",
    "sessions/conversation",
    "sessions/account/{account}",
    "sessions/account/{account}/runs",
    "sessions/account/{account}/scores",
    "scores",
    "scores?name=helpful",
    "scores?name=rare",
    "scores?history=true",
    "outcomes",
    "outcomes?state=pending",
    "outcomes?name=liked&state=timed_out",
    "functions",
)
PAGES = (
    "",
    "runs",
    "runs?status=failed",
    "runs?score=helpful&score_is=false",
    "runs/{run}",
    "runs/{run}/peek",
    "runs/{run}/trace",
    "runs/compare?a={run}&b={trace}",
    "find?q=a",
    "find?q=agent-3",
    "find?q=account=a4",
    "find?q={run}",
    "find?q=zzzzzz",
    "sessions",
    "sessions/account",
    "sessions/conversation",
    "sessions/account/{account}",
    "scores",
    "scores/helpful",
    "outcomes",
    "experiments",
    "functions",
    "functions/support/agent-3",
    "functions/support/rare",
    "events",
    "events/{event}",
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with so many runs whose hours are counted, and how long that took.

    Attributes:
        words: what is worth looking at in it, by the words that paths use.
    """

    url: str
    runs: int
    words: dict[str, str]
    fill_s: float
    count_s: float
    hours: int


async def filled(place: Place, *, is_quick: bool) -> Filled:
    """Fill the place's other database."""
    runs = 50_000 if is_quick else 1_000_000
    began = time.perf_counter()
    words = await asyncio.to_thread(fill, place.other_url, runs=runs)
    now = datetime.now(UTC)
    words |= {
        f"{word}_ago": (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for word, days in (("week", 7), ("days", 3))
    }
    done = time.perf_counter()
    async with await connect(place.other_url) as connection:
        hours = await rolling.roll_all(connection, project=1, now=now)
        await connection.execute("VACUUM (ANALYZE)")
    return Filled(place.other_url, runs, words, done - began, time.perf_counter() - done, hours)


async def times(filled: Filled) -> list[Line]:
    """The slowest of all pages and lists, with those that are over the limit."""
    found = await _all(filled.url, filled.words)
    slow = sorted(((ms, path) for path, ms in found.items()), reverse=True)
    told = "\n".join(f"{ms:6.0f} ms {path}" for ms, path in slow if ms > LIMIT_MS)
    return [
        Line(
            name=f"page times at scale: the slowest of {len(found)}, {filled.runs:,} runs",
            figure=told or f"median {median(found.values()):.0f} ms",
            value=slow[0][0],
            gate=LIMIT_MS,
            unit="ms",
            is_limit=True,
        ),
        Line(
            name="counting its hours",
            figure=f"{filled.hours} hours in {filled.count_s:.0f} s;"
            f" filled in {filled.fill_s:.0f} s",
            value=filled.count_s / max(1, filled.hours) * 1000,
            unit="ms an hour",
        ),
    ]


async def _all(url: str, words: dict[str, str]) -> dict[str, float]:
    """Server times in milliseconds, the median of a few, by path."""
    app = create_app(database_url=url, dev=True)
    site = add_dashboard(app, app.state.services)
    transport = httpx2.ASGITransport(app=app)
    found: dict[str, float] = {}
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in (*(f"/api/v1/{one}" for one in API), *(f"/p/default/{one}" for one in PAGES)):
            spent = []
            for _ in range(TIMES):
                started = time.perf_counter()
                answer = await client.get(path.format(**words), timeout=120)
                spent.append((time.perf_counter() - started) * 1000)
                assert answer.status_code == 200, (path, answer.text[:300])
                if spent[-1] > 20 * LIMIT_MS:
                    break
            found[path] = median(spent)
    site.live.close()
    await app.state.services.close()
    return found
