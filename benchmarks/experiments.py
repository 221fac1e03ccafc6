"""Results of an experiment with a million exposures and scores of 100,000 units."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

import httpx2
from benchmarks.place import installed
from benchmarks.table import limit_line

from assay.api.app import create_app
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from benchmarks.place import Place
    from benchmarks.table import Line

NAME = "bench"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
# Accounts of uneven activity; 3 % of runs fail; answers take two days on the average.
_LOAD = """
SELECT setseed(0.5);
CREATE TEMP TABLE made AS
SELECT i, %(first)s::timestamptz + i * interval '28 days' / %(runs)s AS at,
    'account-' || floor(%(units)s * power(random(), 1.7))::int AS unit,
    random() AS fails, -ln(random() + 1e-12) * interval '2 days' AS waits, random() < 0.6 AS good
FROM generate_series(0, %(runs)s - 1) i;
ALTER TABLE made ADD id uuid, ADD variant text;
UPDATE made SET variant = CASE WHEN hashtext(unit) % 2 = 0 THEN 'a' ELSE 'b' END,
    id = (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || substr(md5(i::text), 1, 20))::uuid;
INSERT INTO assay.experiments (project_id, name, first_seen) VALUES (1, %(name)s, %(first)s);
INSERT INTO assay.experiment_epochs (project_id, experiment, epoch, fingerprint, strategy, variants,
    weights, salt, unit_kind, sticky, app, opened_at)
VALUES (1, %(name)s, 1, '', 'bucket', '{a,b}', '{"a": 1, "b": 1}', '', 'bucket', false, 'bench',
    %(first)s);
INSERT INTO assay.exposures (project_id, experiment, run_id, idx, variant, unit, p, epoch, forced,
    at, failed_at)
SELECT 1, %(name)s, id, 0, variant, unit, 0.5, 1, false, at,
    CASE WHEN fails < 0.03 THEN at + interval '30 s' END
FROM made ORDER BY at;
INSERT INTO assay.experiment_scores (project_id, experiment, metric, run_id, idx, score_id, variant,
    epoch, unit, exposed_at, value, at, recorded_at, is_first)
SELECT 1, %(name)s, 'user-feedback', id, 0, md5(i::text)::uuid, variant, 1, unit, at, good::int,
    at + waits, at + waits, true
FROM made ORDER BY at + waits
"""


async def results(place: Place, *, is_quick: bool) -> list[Line]:
    """The lines about results: asked of a warm server, and by a program that starts for it."""
    runs = 100_000 if is_quick else 1_000_000
    _load(place, runs=runs, units=runs // 10)
    times = 3 if is_quick else 7
    warm, page = await _warm(place, times=times)
    size = f"{runs:,} exposures and scores, {runs // 10:,} units"
    return [
        limit_line(
            f"results of an experiment, warm server ({size})",
            warm,
            gate=1.5,
            unit="s",
        ),
        limit_line("a page of its units", page, gate=0.1, unit="s"),
        limit_line(
            "the same by a program that starts (`assay experiment`)",
            _cold(place, times=max(2, times // 2)),
            gate=2.5,
            unit="s",
        ),
    ]


def _load(place: Place, *, runs: int, units: int) -> None:
    values = {"first": _FIRST, "runs": runs, "units": units, "name": NAME}
    with connect_blocking(place.url) as connection:
        for statement in _LOAD.split(";"):
            connection.execute(statement.encode(), values if "%(" in statement else None)
    place.vacuum()


async def _warm(place: Place, *, times: int) -> tuple[float, float]:
    """Seconds that results take, and a page of units."""
    app = create_app(database_url=place.url, dev=True)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8787/api/v1/", timeout=60
        ) as client,
    ):
        results = await _asked(client, f"experiments/{NAME}/results", times)
        return results, await _asked(client, f"experiments/{NAME}/assignments", times)


async def _asked(client: httpx2.AsyncClient, path: str, times: int) -> float:
    spent = []
    for _ in range(times + 1):
        started = time.perf_counter()
        answer = await client.get(path)
        answer.raise_for_status()
        spent.append(time.perf_counter() - started)
    return median(spent[1:])


def _cold(place: Place, *, times: int) -> float:
    program = [sys.executable, "-m", "assay.cli", "experiment", NAME, "--json"]
    spent = []
    with installed() as environment:
        environment["ASSAY_DATABASE_URL"] = place.url
        for _ in range(times + 1):
            started = time.perf_counter()
            subprocess.run(program, env=environment, check=True, capture_output=True)
            spent.append(time.perf_counter() - started)
    return median(spent[1:])
