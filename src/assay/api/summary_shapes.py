"""Summaries of scores and promises as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.api.answers import Answer
    from assay.scoring.ledger import Ledger, Promised
    from assay.scoring.summaries import Detail, Group, Summary
    from assay.stats.intervals import Estimate
    from assay.store.score_values import RunValue


def estimate(one: Estimate) -> dict[str, Answer]:
    """An estimate with its interval."""
    return {
        "estimate": one.estimate,
        "ci": None if one.ci is None else [*one.ci],
        "se": one.se,
        "method": one.method,
        "unit": one.unit,
        "n_units": one.n_units,
        "n_eff": one.n_eff,
        "alpha": one.alpha,
        "reason": one.reason,
    }


def summary(one: Summary) -> dict[str, Answer]:
    """A name in a list."""
    return {
        "name": one.name,
        "queued_after": one.within.after,
        "queued_before": one.within.before,
        "type": one.type,
        "n": one.n,
        "sampled": one.sampled,
        "clustered_by": one.clustered_by,
        "estimate": estimate(one.estimate),
        "min": one.least,
        "max": one.greatest,
        "last_at": one.last_at,
        "outcomes": {**one.outcomes},
        "over_time": [
            {"start": each.start, "end": each.end, **_numbers(each)} for each in one.over_time
        ],
    }


def detail(one: Detail) -> dict[str, Answer]:
    """A name at length."""
    return {
        **summary(one.summary),
        "by_function": [
            {
                "app_id": each.label[0],
                "function_id": each.label[1],
                **_numbers(each),
                "outcomes": {**each.outcomes},
            }
            for each in one.by_function
        ],
        "by_variant": [
            {"experiment": each.label[0], "variant": each.label[1], **_numbers(each)}
            for each in one.by_variant
        ],
        "distribution": [
            {"value": point.value, "share": estimate(point.share)} for point in one.distribution
        ],
        "lowest": [_run(each) for each in one.lowest],
        "highest": [_run(each) for each in one.highest],
    }


def _numbers(one: Group) -> dict[str, Answer]:
    return {"n": one.n, "estimate": estimate(one.estimate)}


def _run(one: RunValue) -> Answer:
    return {
        "run_id": one.run_id,
        "app_id": one.app,
        "function_id": one.fn,
        "value": one.value,
        "at": one.at,
    }


def ledger(one: Ledger) -> dict[str, Answer]:
    """Promises by scorer and by age."""
    return {
        "queued_after": one.within.after,
        "queued_before": one.within.before,
        "n": one.n,
        "sampled": one.sampled,
        "by_scorer": [
            {
                "scorer": each.scorer,
                "name": each.name,
                **_promised(each.promised),
                "oldest_pending_at": each.oldest_pending,
                "curve": [
                    {
                        "age_s": point.age,
                        "share": point.share,
                        "ci": None if point.ci is None else [*point.ci],
                        "at_risk": point.at_risk,
                    }
                    for point in each.curve
                ],
            }
            for each in one.by_scorer
        ],
        "by_age": [
            {"min_s": each.least_s, "max_s": each.most_s, **_promised(each.promised)}
            for each in one.by_age
        ],
    }


def _promised(one: Promised) -> dict[str, Answer]:
    return {
        "n": one.n,
        "states": {**one.states},
        "answered": estimate(one.answered),
        "overdue": one.overdue,
        "clustered_by": one.clustered_by,
    }
