"""Plans that were stored by an older or newer release of Assay, whose plans say less or more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from assay import AssayError
from assay.experiments import reading
from assay.model.experiments import Plan
from assay.store import choices
from assay.store.pool import connect
from experiment_rows import PROJECT
from published_experiment import BY, LAST, NAME, load, plan, take

NOW = LAST + timedelta(hours=1)


def declared(url: str, one: Plan) -> tuple[int, bool]:
    """The version in force once a worker has declared a plan, and whether it is that plan."""

    async def declare() -> tuple[int, bool]:
        async with await connect(url) as connection:
            version = await choices.declare_plan(
                connection, one, project=PROJECT, experiment=NAME, by=BY, now=NOW
            )
            return version, await choices.is_in_force(
                connection, one, project=PROJECT, experiment=NAME
            )

    return asyncio.run(declare())


def stored(url: str, change: str) -> None:
    """Change what is stored of the plan, as its version and as what the app declared last."""
    with psycopg.connect(url) as connection:
        for table in ("experiment_plans", "experiment_declarations"):
            connection.execute(f"UPDATE assay.{table} SET spec = {change}")


def warnings(url: str) -> list[str]:
    """What results warn of."""

    async def read() -> list[str]:
        async with (
            await connect(url) as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            found = await reading.results(cursor, project=PROJECT, experiment=NAME, now=NOW)
            return list(found.warnings)

    return asyncio.run(read())


@pytest.mark.parametrize("missing", sorted(Plan.defaults()))
def test_a_field_that_a_stored_plan_does_not_say_is_the_default(
    assay_database: str, missing: str
) -> None:
    """So an upgrade begins no version; a plan that asks for something else there does."""
    usual = Plan(primary="helpful", kind=plan().kind)
    load(assay_database, usual)
    stored(assay_database, f"spec - '{missing}'")
    assert declared(assay_database, usual) == (1, True)
    other: Any = {"tone": 0.5} if missing == "guardrails" else "lower"
    changed = replace(usual, **{missing: other})
    assert declared(assay_database, changed) == (2, True)


def test_what_a_newer_plan_asks_for_beyond_this_release_is_not_passed_over(
    assay_database: str,
) -> None:
    """No look is taken by less, results say so, and the plan without it is another."""
    load(assay_database, plan())
    stored(assay_database, """spec || '{"futility": 0.1}'""")
    with pytest.raises(AssayError) as refused:
        take(assay_database, NOW)
    assert refused.value.code == "plan_newer"
    assert any("the plan says 'futility', which this" in one for one in warnings(assay_database))
    assert declared(assay_database, plan()) == (2, True)
    assert not any("futility" in one for one in warnings(assay_database))


def test_the_stored_form_of_a_plan_grows_by_what_is_asked_for_alone() -> None:
    """A field added later is left out at its default: older releases can tell by its name."""
    assert sorted(plan().spec) == [
        "alpha",
        "control",
        "days",
        "direction",
        "guardrails",
        "kind",
        "margin",
        "maturity_s",
        "mde",
        "mode",
        "on_failure",
        "power",
        "primary",
        "unit",
        "units",
    ]
