"""The units behind each number of an experiment's results."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import psycopg
import pytest

from assay.model.results import Counted
from assay.wire.experiments import AssignmentPage
from experiment_rows import instant
from published_experiment import CASE, NAME, load, plan, with_durations

if TYPE_CHECKING:
    from api_server import ApiServer

PATH = f"experiments/{NAME}"
PLANNED = instant(CASE["epochs"][0]["from"]) + timedelta(days=7)


@pytest.mark.parametrize("cutoff", [CASE["expected"][0]["cutoff_asked"], CASE["last_look"]])
def test_the_tallies_of_units_sum_to_those_of_their_variants(api: ApiServer, cutoff: str) -> None:
    """Of every metric; units that were served before the plan have none."""
    load(api.url, plan(), declared=PLANNED)
    with_durations(api.url, {"detailed": 3.0, "concise": 9.0})
    with psycopg.connect(api.url) as connection:
        connection.execute(
            "INSERT INTO assay.run_usage SELECT DISTINCT 1, run_id, 7 FROM assay.exposures"
            " WHERE ascii(right(run_id::text, 1)) %% 3 > 0",
            (),
        )
    for metric in (CASE["plan"]["primary"], "run.failure", "run.duration", "run.tokens"):
        results = api.get(f"{PATH}/results", metric=metric, cutoff=cutoff)
        arms = next(one for one in results["metrics"] if one["metric"] == metric)["arms"]
        for arm in arms:
            asked = {"metric": metric, "variant": arm["variant"], "exposed_before": cutoff}
            units = api.pages(f"{PATH}/assignments", limit=20, **asked)
            sums: Counter[str] = Counter()
            for one in units:
                counts, is_early = one["tally"], instant(one["first_at"]) < PLANNED
                assert (counts is None) is is_early
                if counts is not None:
                    assert (counts.pop("mean") is None) is (counts["scored"] == 0)
                    sums.update(counts, units=1)
            shared = sums.keys() & arm["tally"].keys()
            assert len(shared) == 12
            assert {name: sums[name] for name in shared} == {
                name: arm["tally"][name] for name in shared
            }


@pytest.mark.parametrize("cutoff", [CASE["expected"][0]["cutoff_asked"], CASE["last_look"]])
def test_each_count_has_the_units_that_make_it_up(api: ApiServer, cutoff: str) -> None:
    """Those with such runs and no others, page by page."""
    load(api.url, plan(), declared=PLANNED)
    metric = CASE["plan"]["primary"]
    found = api.get(f"{PATH}/results", metric=metric, cutoff=cutoff)["metrics"][0]
    zero: set[str] = set()
    for arm in found["arms"]:
        asked = {"metric": metric, "variant": arm["variant"], "exposed_before": cutoff}
        every = [one for one in api.pages(f"{PATH}/assignments", **asked) if one["tally"]]
        for having in get_args(Counted):
            units = api.pages(f"{PATH}/assignments", limit=20, having=having, **asked)
            assert units == [one for one in every if one["tally"][having] > 0]
            n = sum(one["tally"][having] for one in units)
            assert n == arm["tally"].get(having, n)
            zero |= {having} if not n else set()
    assert len(zero) < len(get_args(Counted)) - 5


def test_a_tally_is_there_where_it_was_asked_for(api: ApiServer) -> None:
    """By the metrics and the cutoffs that results take, and in the shape that OpenAPI says."""
    load(api.url, plan())
    assert all("tally" not in one for one in api.pages(f"{PATH}/assignments"))
    served = api.get(f"{PATH}/assignments", metric="run.failure")
    assert AssignmentPage.model_validate(served).model_dump(mode="json") == served
    for query, wanted in (
        ("metric=no", (404, "metric_not_found", "metric")),
        ("metric=", (404, "metric_not_found", "metric")),
        (
            "metric=run.failure&exposed_before=2099-01-01T00:00:00Z",
            (422, "experiment_cutoff", "exposed_before"),
        ),
        ("having=failed", (422, "bad_filter", "metric")),
        ("metric=run.failure&having=mean", (422, "invalid", "having")),
    ):
        assert api.refusal("GET", f"{PATH}/assignments?{query}") == wanted
