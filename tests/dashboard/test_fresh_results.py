"""Results are never older than the request for them, whoever else reads them at the same time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from assay.ids import Ids
from assay.store import choices
from experiment_rows import EPOCH, EXPOSURE, PROJECT, SCORE
from locks import blocked_query
from published_experiment import BY, CASE, NAME, load, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dashboard_server import DashboardServer

METRIC = CASE["plan"]["primary"]
PATH = f"experiments/{NAME}"
# Runs of units that count, with neither a score nor a failure.
SILENT = """
SELECT x.run_id, x.variant, x.epoch, x.unit, x.at FROM assay.exposures x
WHERE x.epoch = 1 AND x.unit IS NOT NULL AND NOT x.forced AND x.failed_at IS NULL
    AND NOT EXISTS (SELECT FROM assay.experiment_scores s
        WHERE s.project_id = x.project_id AND s.run_id = x.run_id)
ORDER BY x.run_id LIMIT 4
"""


class Story:
    """The published experiment, to which more happens."""

    def __init__(self, dash: DashboardServer) -> None:
        self.dash = dash
        load(dash.url, plan())
        self.silent = self.rows(SILENT)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives, by itself and committed."""
        with psycopg.connect(self.dash.url) as connection:
            cursor = connection.execute(query.encode(), values)
            return [] if cursor.description is None else cursor.fetchall()

    def score(self) -> None:
        """A run that had none is scored."""
        self._score(recorded_after=timedelta(hours=1))

    def score_backdated(self) -> None:
        """A score comes long after its instant."""
        self._score(recorded_after=timedelta(days=60))

    def _score(self, *, recorded_after: timedelta) -> None:
        run, variant, epoch, unit, at = self.silent.pop()
        given = at + timedelta(hours=1)
        values = (PROJECT, NAME, METRIC, run, 0, run, variant, epoch, unit, at, 1.0, given)
        self.rows(SCORE, (*values, at + recorded_after))

    def fail(self) -> None:
        """A run ends as failed."""
        run, *_, at = self.silent.pop()
        ended = at + timedelta(seconds=1)
        self.rows("UPDATE assay.exposures SET failed_at = %s WHERE run_id = %s", (ended, run))

    def expose(self) -> None:
        """A unit is served once more."""
        _, variant, epoch, unit, at = self.silent[0]
        run = Ids(self.dash.clock).new()
        self.rows(EXPOSURE, (PROJECT, NAME, run, 0, variant, unit, 0.5, epoch, False, at, None))

    def choose_anew(self) -> None:
        """The weights change."""
        weights = '{"detailed": 1, "concise": 3}'
        names, opened = ["detailed", "concise"], self.dash.clock.now() - timedelta(hours=2)
        self.rows(EPOCH, (PROJECT, NAME, 9, "new", names, weights, "", False, opened))

    def plan_anew(self) -> None:
        """The plan changes."""
        self.dash.run(
            choices.declare_plan(
                self.dash.connection,
                plan(alpha=0.01),
                project=PROJECT,
                experiment=NAME,
                by=BY,
                now=self.dash.clock.now() - timedelta(hours=2),
            )
        )

    def stop(self) -> None:
        """It is over."""
        self.dash.post(f"{PATH}/stop", {"decision": "concise stays", "reason": "better"})


def total(results: Any, name: str) -> int:
    """A count of the metric that decides, of both variants together."""
    return sum(int(arm["tally"][name]) for arm in results["metrics"][0]["arms"])


def test_whatever_happens_is_in_the_very_next_reading(dash: DashboardServer) -> None:
    """By the API and by the page."""
    story = Story(dash)
    changes: list[tuple[Callable[[], None], Callable[[Any], int]]] = [
        (story.score, lambda said: total(said, "scored")),
        (story.score_backdated, lambda said: total(said, "backdated")),
        (story.fail, lambda said: total(said, "failed")),
        (story.expose, lambda said: total(said, "exposed")),
        (story.choose_anew, lambda said: len(said["epochs"])),
        (story.plan_anew, lambda said: int(said["plan_version"])),
        (story.stop, lambda said: int(said["stopped"] is not None)),
    ]
    said, page = dash.get(f"{PATH}/results"), dash.look(f"/{PATH}").text
    assert dash.look(f"/{PATH}").text == page
    for change, count in changes:
        change()
        now, page_now = dash.get(f"{PATH}/results"), dash.look(f"/{PATH}").text
        assert count(now) == count(said) + 1
        assert page_now != page
        said, page = now, page_now


def test_who_asks_while_results_are_read_is_given_what_came_since(dash: DashboardServer) -> None:
    """The first reading has summed the scores, and waits; the score after it is in the second."""
    story = Story(dash)

    async def ask(client: Any) -> Any:
        return (await client.get(f"/api/v1/{PATH}/results")).json()

    async def both(client: Any) -> list[Any]:
        holder = await psycopg.AsyncConnection.connect(dash.url)
        await holder.execute("LOCK TABLE assay.score_references")
        first = asyncio.create_task(ask(client))
        async with await psycopg.AsyncConnection.connect(dash.url, autocommit=True) as watch:
            words = {"words": "%score_references%"}
            query = blocked_query(is_citus=False).encode()
            async with asyncio.timeout(60):
                while not await (await watch.execute(query, words)).fetchone():  # noqa: ASYNC110 - the database tells nobody
                    await asyncio.sleep(0.005)
        story.score()
        others = [asyncio.create_task(ask(client)) for _ in range(3)]
        await asyncio.sleep(0)
        await holder.commit()
        await holder.close()
        return await asyncio.gather(first, *others)

    ((first, *others),) = dash.ask_all(both)
    scored = total(first, "scored")
    assert [total(one, "scored") for one in others] == [scored + 1] * 3
