"""An experiment that was stopped before anything was shown: what is said of it from then on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from assay.model.experiments import Mode
from assay.stats import power
from experiment_rows import instant
from published_experiment import CASE, NAME, load, plan, take

if TYPE_CHECKING:
    from api_server import ApiServer

PATH = f"experiments/{NAME}"
EARLY = instant(CASE["expected"][0]["cutoff"])


def test_what_a_stop_left_open_is_not_shown_everywhere(api: ApiServer) -> None:
    """Nothing is collected any more; what could have been found is by the look that is shown."""
    load(api.url, plan())
    take(api.url, EARLY + timedelta(hours=1))
    (before,) = api.get(PATH)["verdicts"]
    api.post(f"{PATH}/stop", {"decision": "detailed stays", "reason": "costs too much"})
    (listed,) = api.get(PATH)["verdicts"]
    (variant,) = api.get(f"{PATH}/results")["metrics"][0]["variants"]
    standing = variant["standing"]
    assert before["word"] == "keep collecting"
    assert listed["word"] == standing["word"] == "not shown"
    assert listed["reason"] == standing["reason"]
    assert standing["cutoff"] == EARLY.isoformat().replace("+00:00", "Z")
    found = power.detectable(
        standing["difference"]["se"],
        alpha=standing["difference"]["alpha"],
        power=variant["planning"]["power"],
        factor=power.PLANNED_FACTOR,
    )
    assert found > 1.1 * variant["planning"]["mde"]
    assert f"A difference of {100 * found:.1f} pp could be found." in standing["sentence"]


@pytest.mark.parametrize("days", [0, 3])
def test_before_there_is_an_interval_nothing_could_be_found(api: ApiServer, days: int) -> None:
    """A stop so early leaves no number of a look to speak of."""
    load(api.url, plan())
    if days:
        take(api.url, instant(CASE["epochs"][0]["from"]) + timedelta(days=days, hours=1))
    api.post(f"{PATH}/stop", {"decision": "detailed stays", "reason": "costs too much"})
    (variant,) = api.get(f"{PATH}/results")["metrics"][0]["variants"]
    assert variant["planning"]["mde"] is not None
    assert "could be found" not in variant["standing"]["sentence"]


def test_days_are_no_end_in_the_anytime_mode(api: ApiServer) -> None:
    """Looks go on."""
    load(api.url, plan(mode=Mode.ANYTIME))
    results = api.get(f"{PATH}/results")
    assert (results["mode"], results["ends_at"]) == ("anytime", None)
