"""`assay demo`: 200 published agent conversations and an experiment, offline and without a key."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import assay
from assay.app.database import database
from assay.app.process import interruptible, run, unless
from assay.app.serving import serving
from assay.app.working import working
from assay.cli import airline, contrast, helpdesk
from assay.cli.batch import PATIENCE, SHORT_PATIENCE, Batch
from assay.cli.customers import DAYS, ERAS
from assay.cli.options import PORT, DataDir, Host, settings_of
from assay.cli.printing import duration, note, print_table, say
from assay.cli.simulation import Simulation
from assay.cli.trajectories import PUBLISHED
from assay.clock import DatabaseClock
from assay.errors import AssayError
from assay.stats.repeats import pass_hat_k

if TYPE_CHECKING:
    import asyncio

    from assay.cli.printing import Item
    from assay.cli.simulation import Weeks
    from assay.settings import Settings
    from assay.stats.repeats import Repeated

SEED = 1
"""Of what the customers of the experiment do."""


def demo(
    host: Host = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Listen here; 8787, with --exit any free one."),
    ] = None,
    data_dir: DataDir = None,
    silence: Annotated[
        float, typer.Option(min=0, max=1, help="Withhold this share of the rewards.")
    ] = 0.0,
    tasks: Annotated[int | None, typer.Option(min=1, max=50, hidden=True)] = None,
    *,
    experiment: Annotated[bool, typer.Option(hidden=True)] = True,
    exit: Annotated[bool, typer.Option("--exit", help="End when it is done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run 200 published conversations of an airline's agent as durable runs, and score them.

    A second part is an experiment with simulated customers, whose truth is known. Killed and
    started again it goes on where it was; nothing is run or scored twice.
    """
    began = time.monotonic()
    # Its own server is asked without a key, which stands for the default project.
    settings = replace(settings_of(data_dir), project="default")
    if port is None:
        port = 0 if exit else PORT

    with interruptible(), database(settings, on_progress=note) as url:

        async def main(stop: asyncio.Event) -> None:
            async with serving(url, settings, host=host, port=port) as address:
                if not (as_json or exit):
                    say(f"ready {address}")
                weeks = await unless(stop, _go_through(url, settings)) if experiment else None
                if stop.is_set():
                    return
                # From here on in the present, where customers may still answer.
                async with working(url, settings, _clients(weeks)):
                    found = await unless(stop, _play(url, address, tasks, silence, weeks))
                    if found is None:
                        return
                    found["seconds"] = round(time.monotonic() - began, 3)
                    if as_json:
                        say(json.dumps(found))
                    else:
                        _show(found, silence)
                    _check(found)
                    if not exit:
                        if not as_json:
                            _say_what_to_look_at(address)
                        await stop.wait()

        run(main)


def _clients(weeks: Weeks | None) -> list[assay.Client]:
    return [airline.client, *([] if weeks is None else [helpdesk.desk(ERAS[-1][0])])]


async def _go_through(url: str, settings: Settings) -> Weeks:
    """Go through the weeks of the experiment, before anything happens in the present."""
    simulation = Simulation(url, seed=SEED, now=DatabaseClock().now(), lease_s=settings.lease_s)
    try:
        with _progress() as bars:
            days = bars.add_task("days", total=DAYS)
            return await simulation.run(lambda n: bars.update(days, completed=n))
    finally:
        await simulation.close()


async def _play(
    url: str, address: str, tasks: int | None, silence: float, weeks: Weeks | None
) -> Item:
    """Play, reward and read all back; gives what `--json` prints."""
    client = assay.Client(airline.APP, url=address)
    batch = Batch(url, client, tasks=tasks, silence=silence)
    try:
        with _progress() as bars:
            total = len(batch.trajectories)
            played = bars.add_task("conversations", total=total)
            scored = bars.add_task("outcomes", total=total)
            await batch.start()
            await batch.until_played(lambda n: bars.update(played, completed=n))
            await batch.reward()
            await batch.until_scored(lambda n: bars.update(scored, completed=n))
        found = await _read_back(batch)
        found["experiment"] = (
            None if weeks is None else await contrast.read(url, address, cutoff=weeks.end)
        )
        return found
    finally:
        await batch.close()
        await client.aclose()


async def _read_back(batch: Batch) -> Item:
    runs, outcomes, volume = (
        await batch.run_states(),
        await batch.outcome_states(),
        await batch.volume(),
    )
    counts = [(task.n, task.passes) for task in await batch.trials()]
    return {
        "runs": sum(runs.values()),
        "pass_hat_k": {str(k): _figure(pass_hat_k(counts, k)) for k in PUBLISHED},
        "published": {str(k): value for k, value in PUBLISHED.items()},
        "outcomes": {"observed": 0, "timed_out": 0} | outcomes,
        "scores": volume.scores,
        "steps": volume.steps,
        "spans": volume.spans,
    }


def _check(found: Item) -> None:
    """A demo whose figures are not all of its conversations' has failed."""
    outcomes = found["outcomes"]
    missing = found["runs"] - outcomes["observed"] - outcomes["timed_out"]
    if missing:
        raise AssayError(
            f"{missing} of {found['runs']} conversations have neither a reward nor its absence",
            code="demo_incomplete",
            hint="`assay runs --status failed` and `assay outcomes --state failed` say why",
        )


def _figure(found: Repeated) -> Item:
    estimate = found.estimate
    return {
        "estimate": estimate.estimate,
        "ci": None if estimate.ci is None else list(estimate.ci),
        "method": estimate.method,
        "tasks": estimate.n_units,
        "tasks_left_out": found.n_left_out,
        "reason": estimate.reason,
    }


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:>13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _show(found: Item, silence: float) -> None:
    rows = []
    for k, figure in found["pass_hat_k"].items():
        estimate, ci = figure["estimate"], figure["ci"]
        rows.append(
            (
                f"pass^{k}",
                "-" if estimate is None else f"{estimate:.3f}",
                figure["reason"] or "-" if ci is None else f"{ci[0]:.3f} to {ci[1]:.3f}",
                str(figure["tasks"]),
                str(figure["tasks_left_out"]),
                f"{found['published'][k]:.3f}",
            )
        )
    columns = ("", "measured", "95 % interval, by task", "tasks", "left out", "published")
    print_table(columns, rows, empty="")
    outcomes = ", ".join(f"{n} {state}" for state, n in found["outcomes"].items())
    say("")
    say(f"{found['runs']} runs, {found['steps']} steps, {found['spans']} spans")
    say(f"{found['scores']} scores; rewards: {outcomes}")
    if silence:
        say(f"withheld rewards time out after {SHORT_PATIENCE}, where others have {PATIENCE}")
    if found["experiment"] is not None:
        contrast.show(found["experiment"])
    say("")
    say(f"{duration(found['seconds'])}; the figures are computed from the stored scores")


def _say_what_to_look_at(address: str) -> None:
    say("")
    say("Look at it from another terminal in this directory:")
    say("  assay runs --function airline-agent --score task-reward")
    say(f"  assay runs --function {helpdesk.DESK} --status failed")
    say("  assay sessions task")
    say("  assay outcomes --state timed_out")
    say("  assay run ID")
    say(f"or over HTTP: {address}/api/v1/runs")
    say(f"  {address}/api/v1/experiments/{helpdesk.EXPERIMENT}/results")
    say("Ctrl-C ends the server.")
