"""Experiments: verdicts, what each number rests on, who was served what, and stopping them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import RootModel

from assay.dashboard import filters
from assay.dashboard.asking import part
from assay.dashboard.copying import Copied, copied
from assay.dashboard.growth import growth
from assay.dashboard.page import Action, Page
from assay.experiments.reading import hour
from assay.store.copies import experiments as copies
from assay.store.experiments import UnitFilter
from assay.wire.experiments import Assignment, Experiment, Look, Results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.dashboard.asking import Ask
    from assay.dashboard.forms import Form
    from assay.dashboard.growth import Reached
    from assay.model.results import Figure, MetricResult

MOST_LOOKS = 1_000
"""A year of looks at a variant in both modes is 730."""
_LOOKS_A_PAGE = 200
_MODES = ("plan", "planned", "anytime")
_MARGIN = 1.08
"""Pictures end a little outside of what they show."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The ends of the axis on which the differences of a table are drawn."""

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentsView:
    """A page of experiments.

    Attributes:
        scales: of each experiment, for its differences.
    """

    experiments: list[Experiment]
    scales: dict[str, Scale]
    next: str | None
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """An experiment with all that it says.

    Attributes:
        metrics: the one that decides first, each with the axis of its differences.
        mode: of the looks that are shown; None without a plan.
        looks: of the newest plan, the oldest first.
        growth: how often each variant was served until when.
        names: of all variants, the control last: one has the same colour in all charts.
    """

    experiment: Experiment
    results: Results
    metrics: list[tuple[MetricResult, Scale]]
    mode: str | None
    looks: list[Look]
    growth: list[Reached]
    names: list[str]
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsView:
    """A page of the units behind the numbers."""

    name: str
    units: list[Assignment]
    next: str | None
    copied: Copied


async def experiments(ask: Ask) -> ExperimentsView:
    """All experiments by name, each with what its looks have come to."""
    found = await ask.items(Experiment)
    return ExperimentsView(
        experiments=found.items,
        scales={
            one.id: _scale(verdict.difference for verdict in one.verdicts) for one in found.items
        },
        next=found.next,
        copied=copied(ask, copies.all_of(ask.project)),
    )


async def experiment(ask: Ask) -> ExperimentView:
    """An experiment as it is now, or at `?cutoff=`."""
    path = f"experiments/{part(ask.params['experiment_id'])}"
    record = await ask.api.get(Experiment, path)
    results = (await ask.record(RootModel[Results])).root
    shown = _mode(ask, record)
    looks = [] if shown is None else await _looks(ask, path, shown, record.plan_version)
    grown = await _growth(ask, results)
    names = {one.variant for one in grown} | {one.variant for one in looks}
    return ExperimentView(
        experiment=record,
        results=results,
        metrics=[
            (one, _scale(_drawn(one)))
            for one in sorted(results.metrics, key=lambda one: one.role != "primary")
        ],
        mode=shown,
        looks=looks,
        growth=grown,
        names=sorted(names, key=lambda name: (name == results.control, name)),
        copied=copied(ask, copies.one(ask.project, results.experiment, results.data_cutoff)),
    )


async def units(ask: Ask) -> UnitsView:
    """The units by name with what each was served first, and what it adds to `?metric=`.

    With `?having=` those of them with runs that count as that.
    """
    found = await ask.items(Assignment)
    name, asked = ask.params["experiment_id"], filters.units(ask)
    before = asked.exposed_before
    if asked.metric is not None:
        before = hour(before, ask.now, field="exposed_before")
    # What runs count as is told by the rules of the analysis, which no view has.
    sql = (
        copies.units(
            ask.project,
            name,
            UnitFilter(variant=asked.variant, epoch=asked.epoch),
            before=before,
        )
        if asked.having is None
        else None
    )
    return UnitsView(name=name, units=found.items, next=found.next, copied=copied(ask, sql))


async def stop(ask: Ask, form: Form) -> str:
    """Take no looks any more, and keep what was decided and why."""
    path = f"experiments/{part(ask.params['experiment_id'])}"
    body = {"decision": form.need("decision"), "reason": form.need("reason")}
    author = form.get("author")
    await ask.api.post(
        Experiment, f"{path}/stop", body if author is None else {**body, "author": author}
    )
    return f"/{path}"


async def _growth(ask: Ask, results: Results) -> list[Reached]:
    return await ask.read(
        lambda reading: growth(
            reading,
            project=ask.project,
            experiment=ask.params["experiment_id"],
            control=results.control,
            until=results.data_cutoff if "cutoff" in ask.query else ask.now,
        )
    )


def _mode(ask: Ask, record: Experiment) -> str | None:
    asked = ask.choice("looks", _MODES)
    if record.plan is None:
        return None
    return record.plan.mode.value if asked == _MODES[0] else asked


async def _looks(ask: Ask, path: str, mode: str, version: int | None) -> list[Look]:
    looks: list[Look] = []
    cursor: str | None = None
    while len(looks) < MOST_LOOKS:
        found = await ask.api.items(
            Look, f"{path}/looks", [("limit", _LOOKS_A_PAGE), ("cursor", cursor)]
        )
        looks += found.items
        cursor = found.next
        if cursor is None:
            break
    return [one for one in looks if one.mode.value == mode and one.plan_version == version]


def _drawn(metric: MetricResult) -> Iterable[Figure]:
    for variant in metric.variants:
        yield variant.difference
        yield variant.by_unit


def _scale(figures: Iterable[Figure | None]) -> Scale:
    """An axis that holds 0 and all intervals."""
    ends = [0.0]
    for figure in figures:
        if figure is not None and figure.estimate is not None:
            ends += [figure.estimate, *(figure.ci or ())]
    least, most = min(ends), max(ends)
    reach = max(most - least, 1e-9) * (_MARGIN - 1)
    return Scale(least - reach, most + reach)


_EXPERIMENT = Page(
    path="/experiments/{experiment_id}",
    name="experiments",
    template="experiment.html",
    title="Experiment",
    render=experiment,
    api="experiments/{experiment_id}/results",
    own=frozenset({"looks", "decision", "reason", "author"}),
    scripts=("charts.js",),
)
PAGES = (
    Page(
        path="/experiments",
        name="experiments",
        title="Experiments",
        nav="Experiments",
        key="x",
        render=experiments,
        api="experiments",
    ),
    _EXPERIMENT,
    Page(
        path="/experiments/{experiment_id}/units",
        name="experiments",
        template="experiment_units.html",
        title="Units of an experiment",
        render=units,
        api="experiments/{experiment_id}/assignments",
    ),
)
ACTIONS = (Action(path="/experiments/{experiment_id}/stop", act=stop, shown_by=_EXPERIMENT),)
