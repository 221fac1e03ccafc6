"""`assay experiment`: what may be said of one experiment, and stopping it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from assay.cli.asking import ask
from assay.cli.forest import forest
from assay.cli.options import Json, settings_of
from assay.cli.printing import at, console, duration, note, print_json, print_table, say
from assay.experiments.amounts import count, difference, ends, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.cli.printing import Item

_COUNTS = ("mature", "scored", "failed", "no response", "pending", "coverage", "late")
_WIDE, _USUAL = 100, 80
_DAY_S = 86400
_PLAIN = typer.Option(help="Draw with ASCII characters alone.")


def experiment(
    id: Annotated[str, typer.Argument(help="The experiment's name.")],
    metric: Annotated[str | None, typer.Option(help="Show this score alone.")] = None,
    cutoff: Annotated[
        str | None, typer.Option(help="What happened later does not count: 2026-03-23T00:00:00Z.")
    ] = None,
    decision: Annotated[str | None, typer.Option(help="With --stop: what is done now.")] = None,
    reason: Annotated[str | None, typer.Option(help="With --stop: why.")] = None,
    author: Annotated[str | None, typer.Option(help="With --stop: who decided.")] = None,
    *,
    stop: Annotated[
        bool, typer.Option("--stop", help="Take no looks any more, and keep the decision: once.")
    ] = False,
    plain: Annotated[bool, _PLAIN] = False,
    as_json: Json = False,
) -> None:
    """Show an experiment's verdicts, arms and differences; reading them is no look."""
    path = f"/experiments/{quote(id, safe='')}"
    settings = settings_of()
    if stop:
        if not (decision and reason):
            raise typer.BadParameter(
                'say what is done now, and why: --decision "concise stays" --reason "..."',
                param_hint="'--stop'",
            )
        body = {"decision": decision, "reason": reason, "author": author or settings.author}
        stopped = ask(lambda api: api.post(f"{path}/stop", body), settings)
        if as_json:
            print_json([stopped])
        else:
            say(f"{id} stopped: {decision}")
        return
    if decision or reason or author:
        raise typer.BadParameter("a decision is kept with --stop alone", param_hint="'--decision'")
    found = ask(lambda api: api.get(f"{path}/results", metric=metric, cutoff=cutoff), settings)
    if as_json:
        print_json([found])
    else:
        _show(found, plain=plain)


def _show(found: Item, *, plain: bool) -> None:
    plan = found["plan_version"]
    mode = "no plan" if plan is None else f"plan {plan}, {found['mode']}, alpha {found['alpha']:g}"
    say(f"{found['experiment']}: {mode}; data until {at(found['data_cutoff'])}")
    if plan is not None:
        one = next(version for version in found["plans"] if version["version"] == plan)
        who = (
            f" by app {one['app']!r} ({one['app_version']}, {one['worker']})" if one["app"] else ""
        )
        author = f", {one['author']}" if one["author"] else ""
        say(f"plan {plan} declared {at(one['declared_at'])}{who}{author}")
    if found["stopped"] is not None:
        one = found["stopped"]
        by = "" if one["author"] is None else f" by {one['author']}"
        say(f"stopped {at(one['at'])}{by}: {one['decision']} ({one['reason']})")
    if found["after_cutoff"] and found["epochs"]:
        say(f"{found['after_cutoff']:,} exposures came since and are not in these numbers")
    if found["forced"]:
        say(f"left out, since a variant was forced: {count(found['forced'], 'exposure')}")
    for warning in found["warnings"]:
        note(f"! {warning}")
    for metric in (one for one in found["metrics"] if one["arms"]):
        _show_metric(metric, found, plain=plain)
    if found["other_metrics"]:
        say("")
        say(f"other metrics (--metric NAME): {', '.join(found['other_metrics'])}")


def _show_metric(metric: Item, found: Item, *, plain: bool) -> None:
    say("")
    direction = "" if metric["direction"] is None else f", {metric['direction']} is better"
    say(f"{metric['metric']} ({metric['role']}{direction}, {metric['estimand']})")
    for variant in metric["variants"]:
        if variant["standing"] is not None:
            say(f"  {variant['standing']['sentence']}")
    say("")
    # Two tables, since one would be wider than a terminal.
    level = f"{100 * (1 - metric['arms'][0]['mean']['alpha']):.4g} % for one look"
    print_table(
        ("variant", "mean", level, f"{found['unit']}s", "with a score"),
        [_arm(arm, is_share=metric["is_share"]) for arm in metric["arms"]],
        empty="no runs yet",
    )
    say("")
    print_table(("runs of", *_COUNTS), [_runs(arm) for arm in metric["arms"]], empty="")
    exposed, pending = (
        sum(arm["tally"][name] for arm in metric["arms"]) for name in ("exposed", "pending")
    )
    if exposed and exposed == pending:
        wait = found["maturity_s"]
        waited = f"{wait / _DAY_S:g} d" if wait >= _DAY_S else duration(wait)
        say(f"  all are pending: answers are waited for until {waited} after the exposure")
    else:
        _show_differences(metric, plain=plain)


def _show_differences(metric: Item, *, plain: bool) -> None:
    drawn = forest(metric["variants"], width=_width(), plain=plain, is_share=metric["is_share"])
    for line in drawn:
        console().print(line, soft_wrap=True)
    if any(arm["tally"]["failed"] for arm in metric["arms"]):
        for line in _beside_failures(metric):
            say(line)
    for variant in metric["variants"]:
        for guardrail in variant["guardrails"]:
            state = {
                "held": "holds",
                "open": "is open",
                "broken": "is broken",
                None: "can't be told",
            }[guardrail["word"]]
            margin = f"margin {size(guardrail['margin'], is_share=guardrail['is_share'])}"
            why = guardrail["difference"]["reason"] if guardrail["word"] is None else None
            say(
                f"  guardrail {guardrail['metric']} {state} for {variant['variant']} ({margin})"
                + ("" if why is None else f": {why}")
            )
    for warning in metric["warnings"]:
        note(f"! {warning}")


def _beside_failures(metric: Item) -> Iterator[str]:
    """What failed runs leave open: how many more fail, and what is seen of those that did not."""
    for variant in metric["variants"]:
        asked = [("failed runs", variant["failures"]["difference"], True)]
        if metric["estimand"] == "all runs":
            asked.append(("without failed runs", variant["survivors"], metric["is_share"]))
        for words, figure, is_share in asked:
            if figure["ci"] is not None:
                seen = difference(figure["estimate"], is_share=is_share)
                reach = ends(figure["ci"], is_share=is_share)
                level = f"{100 * (1 - figure['alpha']):.4g} %"
                looks = "one look" if figure["mode"] == "fixed" else figure["mode"]
                yield f"  {words}, {variant['variant']}: {seen} ({reach}, {level}, {looks})"


def _arm(arm: Item, *, is_share: bool) -> Sequence[str]:
    tally, mean = arm["tally"], arm["mean"]

    def text(number: float | None) -> str:
        return _percent(number) if is_share else _number(number)

    return (
        f"{arm['variant']} (control)" if arm["is_control"] else arm["variant"],
        text(mean["estimate"]),
        mean["reason"] or "" if mean["ci"] is None else " to ".join(map(text, mean["ci"])),
        f"{tally['units']:,}",
        f"{tally['units_scored']:,}",
    )


def _runs(arm: Item) -> Sequence[str]:
    tally, coverage = arm["tally"], arm["coverage"]["estimate"]
    names = ("mature", "scored", "failed", "no_response", "pending")
    return (
        arm["variant"],
        *(f"{tally[name]:,}" for name in names),
        "-" if coverage is None else f"{coverage:.0%}",
        f"{tally['late']:,}",
    )


def _number(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _width() -> int:
    # A pipe has no width: whoever reads it has that of a terminal.
    return min(console().width, _WIDE) if console().is_terminal else _USUAL
