"""What is often read off an experiment, beside its verdict and the truth: read, and shown."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2

from assay.access.principals import DEFAULT_PROJECT
from assay.cli.customers import ACCOUNTS, DAYS, truth
from assay.cli.helpdesk import CONTROL, EXPERIMENT, HELPED, VARIANT
from assay.cli.printing import print_table, say
from assay.errors import AssayError
from assay.experiments.amounts import difference, ends
from assay.store import trials
from assay.store.pool import ReadPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from assay.cli.printing import Item

_Z = 1.96
_WIDTH = 79
_ALARM = 1_000
_WHY = (
    "Runs alone mislead: the weights moved to the long answer when all were harder to help,"
    " silence is not a no, and a hundred runs of one account are not a hundred customers."
)
_COLUMNS = ("helped", CONTROL, VARIANT, "difference", "95 % interval")
_ARM = (
    "",
    "scored accounts",
    "mature runs",
    "scored",
    "no response",
    "failed",
    "pending",
    "coverage",
)


async def read(url: str, address: str, *, cutoff: datetime) -> Item:
    """The experiment as `--json` prints it: naive numbers, results of the API, the truth.

    Raises:
        AssayError: `demo_incomplete`.
    """
    pool = ReadPool(url)
    try:
        async with pool.reading(DEFAULT_PROJECT) as reading:
            served = await trials.served(
                reading, project=DEFAULT_PROJECT, experiment=EXPERIMENT, name=HELPED
            )
    finally:
        await pool.close()
    path = f"{address}/api/v1/experiments/{quote(EXPERIMENT, safe='')}"
    async with httpx2.AsyncClient() as http:
        results = await http.get(f"{path}/results", params={"cutoff": cutoff.isoformat()})
        looks = await http.get(f"{path}/looks", params={"limit": 500})
    for answer in (results, looks):
        answer.raise_for_status()
    found: Item = results.json()
    taken = [
        one
        for one in looks.json()["data"]
        if one["mode"] == found["mode"] and one["cutoff"] <= found["data_cutoff"]
    ]
    if found["metrics"][0]["variants"][0]["standing"]["cutoff"] is None:
        raise AssayError(
            "the experiment was not looked at",
            code="demo_incomplete",
            hint="`assay runs --status failed` says whether its runs went wrong",
        )
    return {
        "naive": {
            "silence_as_no": _naive(served, of=lambda one: one.runs),
            "answers_only": _naive(served, of=lambda one: one.answered),
        },
        "results": found,
        "looks": {"taken": len(taken), "tested": sum(one["tested"] for one in taken)},
        "truth": truth(),
    }


def _naive(served: dict[str, trials.Served], *, of: Callable[[trials.Served], int]) -> Item:
    """Two shares as if each run stood for itself: all epochs together, and a z interval."""
    control, variant = served[CONTROL], served[VARIANT]
    shares = [one.passes / of(one) for one in (control, variant)]
    se = math.sqrt(
        math.fsum(
            share * (1 - share) / of(one)
            for share, one in zip(shares, (control, variant), strict=True)
        )
    )
    gap = shares[1] - shares[0]
    return {
        CONTROL: {"estimate": shares[0], "runs": of(control)},
        VARIANT: {"estimate": shares[1], "runs": of(variant)},
        "difference": {
            "estimate": gap,
            "ci": [gap - _Z * se, gap + _Z * se],
            "z": gap / se,
            "unit": "run",
        },
    }


def show(found: Item) -> None:
    """All of that for people."""
    metric = found["results"]["metrics"][0]
    beside = metric["variants"][0]
    say("")
    say(f"Two styles of answer at a help desk: {ACCOUNTS} accounts over {DAYS} days.")
    say("What customers do is simulated, and a clock moved by hand went through the days;")
    say("events, runs, scorers, exposures and daily looks are the engine's own.")
    say("")
    print_table(_COLUMNS, _differences(found, beside), empty="")
    say("")
    print_table(_ARM, [_arm(arm) for arm in metric["arms"]], empty="")
    say("")
    for fact in _facts(found, beside):
        say(textwrap.fill(fact, _WIDTH, subsequent_indent="  "))
    say("")
    say(textwrap.fill(_WHY, _WIDTH))


def _differences(found: Item, beside: Item) -> Iterator[tuple[str, ...]]:
    naive = found["naive"]
    for name, title in (("silence_as_no", "each run, silence is no"), ("answers_only", "each run")):
        arms = [naive[name][style]["estimate"] for style in (CONTROL, VARIANT)]
        yield (title, *map(_share, arms), *_figure(naive[name]["difference"]))
    standing = beside["standing"]
    yield (f"verdict of {standing['cutoff'][:10]}", "", "", *_figure(standing["difference"]))
    arms = [beside[arm]["estimate"] for arm in ("control", "treatment")]
    yield (
        f"at the end ({beside['difference']['mode']})",
        *map(_share, arms),
        *_figure(beside["difference"]),
    )
    yield ("the truth", "", "", difference(found["truth"], is_share=True), "")


def _share(estimate: float | None) -> str:
    return "-" if estimate is None else f"{estimate:.1%}"


def _figure(figure: Item | None) -> tuple[str, str]:
    if figure is None or figure["estimate"] is None:
        return "-", "-"
    seen, ci = difference(figure["estimate"], is_share=True), figure["ci"]
    return seen, "-" if ci is None else ends(ci, is_share=True)


def _arm(arm: Item) -> tuple[str, ...]:
    tally = arm["tally"]
    counts = (tally[name] for name in ("units_scored", "mature", "scored", "no_response"))
    return (
        arm["variant"],
        *map(str, counts),
        str(tally["failed"]),
        str(tally["pending"]),
        f"{arm['coverage']['estimate']:.0%}",
    )


def _facts(found: Item, beside: Item) -> Iterator[str]:
    results, looks = found["results"], found["looks"]
    yield f"verdict: {beside['standing']['sentence']}"
    yield f"looks: {looks['taken']} daily ones, {looks['tested']} tested"
    for epoch in results["epochs"]:
        weights = ", ".join(f"{name} {weight:g}" for name, weight in epoch["weights"].items())
        units = ", ".join(f"{n} {name}" for name, n in epoch["units"].items())
        day = epoch["opened_at"][:10]
        yield f"epoch {epoch['epoch']} from {day}: {weights}; accounts first served then: {units}"
    log_e = results["balance"]["log_e"]
    evidence = "-" if log_e is None else f"{math.exp(log_e):.2g}"
    word = "broken" if results["balance"]["is_broken"] else "as the weights say"
    yield f"assignment (SRM): {word} (evidence against it {evidence}, alarm at {_ALARM:,})"
