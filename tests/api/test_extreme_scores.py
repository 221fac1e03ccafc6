"""Experiments whose scores are so large or small that their squares are no numbers."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from assay.model.experiments import MetricKind
from published_experiment import CASE, LAST, NAME, load, plan, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api_server import ApiServer

RESULTS = f"experiments/{NAME}/results"
SCALE = "UPDATE assay.experiment_scores SET value = (value + ascii(unit) %% 7) * %s"
ONE = (
    "UPDATE assay.experiment_scores SET value = %s WHERE score_id ="
    " (SELECT score_id FROM assay.experiment_scores WHERE unit IS NOT NULL ORDER BY at LIMIT 1)"
)


def numbers(value: Any) -> Iterator[float]:
    """All numbers of an answer."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers(part)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("scale", [1e300, 1e130, 1e-90, 1e-300])
def test_scores_of_any_size_have_results(api: ApiServer, scale: float) -> None:
    """Looks are taken, every number is one, and the same scores say the same on another scale."""
    load(api.url, plan(kind=MetricKind.NUMBER, on_failure=None, margin=None))
    with psycopg.connect(api.url) as connection:
        connection.execute(SCALE, (1.0,))
    (usual,) = api.get(RESULTS, cutoff=CASE["last_look"])["metrics"][0]["variants"]
    with psycopg.connect(api.url) as connection:
        connection.execute(SCALE.replace("ascii(unit) %% 7", "0"), (scale,))
    take(api.url, LAST + timedelta(hours=1))
    results = api.get(RESULTS, cutoff=CASE["last_look"])
    looks = api.pages(f"experiments/{NAME}/looks")
    assert any(look["tested"] for look in looks) is (scale > 1e-100)
    assert all(math.isfinite(one) for one in numbers([results, looks]))
    metric = results["metrics"][0]
    (found,) = metric["variants"]
    told = [one for one in metric["warnings"] if "beyond 1e140" in one]
    assert bool(told) is (scale > 1e140)
    if 1e-100 < scale < 1e140:
        for name in ("estimate", "se"):
            assert found["difference"][name] == pytest.approx(scale * usual["difference"][name])
        assert found["difference"]["n_eff"] == pytest.approx(usual["difference"]["n_eff"])
        assert found["relative"]["se"] == pytest.approx(usual["relative"]["se"])


@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_one_score_that_is_beyond_all_is_told(api: ApiServer, value: float) -> None:
    """It counts as the bound: no experiment is lost, and none is called better by it."""
    load(api.url, plan(kind=MetricKind.NUMBER, on_failure=None, margin=None))
    with psycopg.connect(api.url) as connection:
        connection.execute(ONE, (value,))
    take(api.url, LAST + timedelta(hours=1))
    metric = api.get(RESULTS)["metrics"][0]
    assert metric["beyond"] == 1
    assert any("beyond 1e140, which count as that: 1 score;" in one for one in metric["warnings"])
    assert max(abs(arm["mean"]["estimate"]) for arm in metric["arms"]) > 1e130
    assert metric["variants"][0]["standing"]["word"] not in {"better", "worse"}
