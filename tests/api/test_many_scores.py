"""Scores of very many runs: all are counted, and some stand for all in intervals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api_server import APP
from assay.ids import floor_at, to_text
from assay.scoring import ledger, summaries
from assay.stats import clusters, intervals
from assay.store import rolling

if TYPE_CHECKING:
    from api_server import ApiServer

COUNT = summaries.MOST_RUNS + 400
EVERY = timedelta(minutes=1)
SESSIONS = 40


def value(place: int) -> float:
    """Of a run: some sessions are better than others."""
    return float((place % SESSIONS) % 3 > 0 and place % 5 > 0)


@pytest.fixture
def many(api: ApiServer) -> ApiServer:
    """Runs of two functions, a minute apart up to now; all are scored and promised something."""
    ids, now = [], api.clock.now()
    runs, scores, promises = [], [], []
    for place in range(COUNT):
        at = now - EVERY * (COUNT - place)
        chance = (place + 1) * 0x9E3779B97F4A7C15 % 2**64
        id_ = UUID(int=floor_at(at).int | chance)
        ids.append(id_)
        runs.append(run(id_, place, at))
        for name, is_bool in (("good", True), ("length", False)):
            scores.append(
                {"run_id": id_, "subject": "run", "step": "", "idx": 0, "name": name}
                | {"value": value(place) if is_bool else place, "is_bool": is_bool}
                | {"score_id": id_, "at": at}
            )
        promises.append(
            {"run_id": id_, "defer_id": "d", "name": "liked", "scorer": "judge", "promised_at": at}
            | {"state": "observed" if place % 4 else "pending", "changed_at": at + EVERY}
        )
    api.insert("runs", *runs)
    api.insert("scores_latest", *scores)
    api.insert("outcomes", *promises)
    return api


def run(id_: UUID, place: int, at: object) -> dict[str, Any]:
    """A run that has not ended."""
    usual = {"app": APP, "kind": "function", "version": "v1", "event_id": id_, "trace": id_}
    sessions = {"ticket": str(place % SESSIONS)}
    return usual | {"id": id_, "fn": "fg"[place % 2], "sessions": sessions, "queued_at": at}


def test_rates_are_those_of_all_runs(many: ApiServer) -> None:
    """Over all, over time and by function, before hours are counted and after."""
    now = many.clock.now()
    for _ in range(2):
        one = many.get("scores/names/good", days=30)
        assert (one["n"], one["type"], one["clustered_by"]) == (COUNT, "boolean", "ticket")
        values = [value(place) for place in range(COUNT)]
        assert one["estimate"]["estimate"] == pytest.approx(sum(values) / COUNT)
        assert sum(each["n"] for each in one["over_time"]) == COUNT
        assert [(each["function_id"], each["n"]) for each in one["by_function"]] == [
            ("f", COUNT // 2),
            ("g", COUNT // 2),
        ]
        for each, first in zip(one["by_function"], (0, 1), strict=True):
            assert each["estimate"]["estimate"] == pytest.approx(
                sum(values[first::2]) / (COUNT // 2)
            )
        (listed,) = [n for n in many.get("scores/names", days=30)["data"] if n["name"] == "good"]
        assert (listed["n"], listed["estimate"]["estimate"]) == (
            one["n"],
            one["estimate"]["estimate"],
        )
        many.run(rolling.roll_all(many.connection, project=1, now=now))


def test_intervals_are_rather_too_wide(many: ApiServer) -> None:
    """They hold for sessions, of runs spread over the time that is looked at."""
    one = many.get("scores/names/good", days=30)
    assert 0.9 * summaries.MOST_RUNS <= one["sampled"] <= summaries.MOST_RUNS + 1
    values = [value(place) for place in range(COUNT)]
    arm = clusters.by_cluster(values, [place % SESSIONS for place in range(COUNT)])
    low, high = intervals.clustered_proportion(arm).ci or (1, 0)
    assert one["estimate"]["ci"][0] <= low + 0.01
    assert one["estimate"]["ci"][1] >= high - 0.01
    assert one["estimate"]["unit"] == "session"


def test_the_extremes_are_those_of_all(many: ApiServer) -> None:
    """Wherever in time they lie; among equals the newest come first."""
    length = many.get("scores/names/length", days=30)
    assert [one["value"] for one in length["lowest"]] == list(range(10))
    assert [one["value"] for one in length["highest"]] == list(range(COUNT - 1, COUNT - 11, -1))
    assert (length["min"], length["max"]) == (0, COUNT - 1)
    worst = [place for place in range(COUNT) if not value(place)][-10:][::-1]
    listed = many.get("scores/names/good", days=30)["lowest"]
    assert [one["run_id"] for one in listed] == [
        to_text(id_) for id_ in many.run(ids_of(many, worst))
    ]


async def ids_of(server: ApiServer, places: list[int]) -> list[UUID]:
    """The ids of runs by their place."""
    cursor = await server.connection.execute("SELECT id FROM assay.runs ORDER BY id")
    ids = [row[0] for row in await cursor.fetchall()]
    return [ids[place] for place in places]


def test_promises_are_counted_whole(many: ApiServer) -> None:
    """By state, by scorer and by age; some that are taken by chance give the curve."""
    found = many.get("outcomes/summary", days=30)
    (one,) = found["by_scorer"]
    assert found["n"] == one["n"] == COUNT
    assert (one["states"]["pending"], one["states"]["observed"]) == (COUNT // 4, COUNT * 3 // 4)
    assert one["answered"]["estimate"] == 0.75
    assert one["answered"]["ci"][0] < 0.75 < one["answered"]["ci"][1]
    assert sum(each["n"] for each in found["by_age"]) == COUNT
    young = next(each for each in found["by_age"] if each["max_s"] == 3600)
    assert young["n"] == 59
    assert found["sampled"] < 2 * ledger.MOST_PROMISES
    assert one["curve"][-1]["share"] == pytest.approx(0.75, abs=0.1)
