"""Experiments over HTTP: every number of the published case, and what is never said."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from pydantic import TypeAdapter

from assay.wire.experiments import AssignmentPage, Experiment, Look
from assay.wire.experiments import Results as ResultsShape
from experiment_rows import instant
from published_experiment import CASE, LAST, NAME, load, plan, take, with_durations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api_server import ApiServer

PATH = f"experiments/{NAME}"
FIGURE = {
    "estimate", "ci", "se", "method", "unit", "n_units", "n_eff", "mode", "alpha", "data_cutoff",
    "reason",
}  # fmt: skip


def near(value: Any) -> Any:
    """Equal to 9 digits."""
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def primary(api: ApiServer, cutoff: str | None = None, **asked: str) -> dict[str, Any]:
    """The first metric of the results."""
    given = asked if cutoff is None else {**asked, "cutoff": cutoff}
    metric: dict[str, Any] = api.get(f"{PATH}/results", **given)["metrics"][0]
    return metric


def looked(api: ApiServer, **changes: Any) -> None:
    """The published case with all its looks."""
    load(api.url, plan(**changes))
    take(api.url, LAST + timedelta(hours=1))


@pytest.mark.parametrize("expected", CASE["expected"], ids=lambda one: one["cutoff"][:10])
def test_every_number_of_the_published_case(api: ApiServer, expected: dict[str, Any]) -> None:
    """Rows in, JSON out, to 9 digits: arms, differences, coverage, balance, today's interval."""
    load(api.url, plan(mode="anytime"))
    results = api.get(f"{PATH}/results", cutoff=expected["cutoff_asked"])
    (metric,) = results["metrics"]
    (found,) = metric["variants"]
    wanted = expected["variants"]["concise"]

    assert instant(results["data_cutoff"]) == instant(expected["cutoff"])
    assert results["balance"] == {"log_e": near(expected["srm_loge"]), "is_broken": False}
    for arm in metric["arms"]:
        names = {"exposed_runs": "exposed", "immature": "pending"}
        counts = expected["counts"][arm["variant"]]
        assert counts == {name: arm["tally"][names.get(name, name)] for name in counts}
    for figure, numbers in (
        (found["difference"], wanted["run_weighted"]),
        (found["by_unit"], wanted["unit_weighted"]),
        (found["coverage"]["difference"], wanted["coverage"]),
    ):
        assert figure["estimate"] == near(numbers["estimate"])
        assert figure["se"] == near(numbers["se"])
        assert figure["n_eff"] == near(numbers["df"] + 1)
    arms = wanted["run_weighted"]["arms"]
    for side, name in (("control", "detailed"), ("treatment", "concise")):
        assert found[side]["estimate"] == near(arms[name]["estimate"])
        assert found[side]["se"] == near(arms[name]["se"])
        assert found[side]["n_units"] == arms[name]["units"]
    today = wanted["anytime_now"]
    assert found["difference"]["ci"] == near(today["ci"])
    assert found["difference"]["n_units"] == today["n"]
    assert (found["difference"]["mode"], found["difference"]["alpha"]) == ("anytime", 0.05)
    assert found["coverage"]["p"] == near(wanted["coverage"]["p"])


def test_today_and_a_look_at_the_same_cutoff_see_the_same(api: ApiServer) -> None:
    """Before the verdict the planned interval of today is that which a look has."""
    looked(api)
    for look in api.pages(f"{PATH}/looks"):
        if look["mode"] != "planned" or not look["tested"] or look["word"] != "keep collecting":
            continue
        found = primary(api, look["cutoff"])["variants"][0]["difference"]
        assert found["ci"] == near(look["difference"]["ci"])
        assert (found["mode"], found["alpha"]) == ("planned", 0.05)


def test_a_verdict_stands_with_the_interval_of_its_look(api: ApiServer) -> None:
    """Beside it stands today's, which holds at any time."""
    looked(api)
    (found,) = primary(api, CASE["last_look"])["variants"]
    standing, wanted = found["standing"], CASE["expected"][-1]["variants"]["concise"]
    assert (standing["word"], standing["is_decided"]) == ("better", True)
    assert instant(standing["cutoff"]) == instant(wanted["planned"]["verdict"]["cutoff"])
    (crossing,) = [
        one
        for one in wanted["planned"]["looks"]
        if instant(one["cutoff"]) == instant(standing["cutoff"])
    ]
    assert standing["difference"]["ci"] == near(crossing["ci"])
    assert standing["sentence"].startswith("'concise' is better than 'detailed' (+")
    assert (found["difference"]["mode"], found["difference"]["ci"]) == (
        "anytime",
        near(wanted["anytime_now"]["ci"]),
    )
    # Since then coverage has come to differ so much that silence could turn it (p = 2e-5).
    doubt = "answered 57% of 'concise' and 79% of 'detailed'"
    assert standing["reason"] == f"in doubt since: {doubt}"
    assert standing["sentence"].endswith(f"By now who is silent could turn it: {doubt}.")
    (then,) = primary(api, standing["cutoff"])["variants"]
    assert (then["standing"]["word"], then["standing"]["reason"]) == ("better", None)
    (listed,) = api.pages("experiments")
    (verdict,) = listed["verdicts"]
    assert verdict["word"] == "better"
    assert verdict["difference"] == standing["difference"]


@pytest.mark.parametrize(("seconds", "word"), [(3.0, "better"), (7.0, "keep collecting")])
def test_a_guardrail_on_the_duration_of_runs(api: ApiServer, seconds: float, word: str) -> None:
    """Where it rises by more than the margin nothing is called better."""
    load(api.url, plan(guardrails={"run.duration": -2.0}))
    with_durations(api.url, {"detailed": 3.0, "concise": seconds})
    take(api.url, LAST + timedelta(hours=1))
    cutoff = CASE["expected"][-1]["variants"]["concise"]["planned"]["verdict"]["cutoff"]
    decides, duration = api.get(f"{PATH}/results", cutoff=cutoff)["metrics"]
    standing = decides["variants"][0]["standing"]
    assert (standing["word"], standing["is_decided"]) == (word, word == "better")
    assert (standing["reason"] == "guardrail broken: run.duration") is (word != "better")
    assert (duration["metric"], duration["role"]) == ("run.duration", "guardrail")
    rise = duration["variants"][0]["difference"]["estimate"]
    assert rise == pytest.approx(seconds - 3.0, abs=0.3)


def test_a_guardrail_that_nobody_ever_scored(api: ApiServer) -> None:
    """Nothing is called better, and results say why, of which metric, and which there are."""
    load(api.url, plan(guardrails={"tonne": 0.05}))
    take(api.url, LAST + timedelta(hours=1))
    cutoff = CASE["expected"][-1]["variants"]["concise"]["planned"]["verdict"]["cutoff"]
    results = api.get(f"{PATH}/results", cutoff=cutoff)
    (variant,) = results["metrics"][0]["variants"]
    unheard, said = "no score 'tonne' ever came", variant["standing"]["sentence"]
    assert said.startswith(f"Keep collecting (guardrail: {unheard})")
    assert variant["guardrails"][0]["difference"]["reason"] == unheard
    (said,) = [one for one in results["warnings"] if unheard in one]
    assert said.endswith(f"there are {CASE['plan']['primary']!r}, 'run.failure'")


def test_what_runs_say_is_shown_without_a_plan(api: ApiServer) -> None:
    """After the scores; with a plan it is named beside its metrics."""
    load(api.url)
    with_durations(api.url, {"detailed": 3.0, "concise": 3.0})
    estimands = {one["metric"]: one["estimand"] for one in api.get(f"{PATH}/results")["metrics"]}
    assert list(estimands.items()) == [
        (CASE["plan"]["primary"], "survivors"),
        ("run.failure", "all runs"),
        ("run.duration", "all runs"),
    ]


def test_missing_tokens_are_missing(api: ApiServer) -> None:
    """The mean is over the runs whose spans say what they used, and the others are no response."""
    load(api.url, plan(guardrails={"run.tokens": -50}))
    with_durations(api.url, {"detailed": 3.0, "concise": 3.0})
    with psycopg.connect(api.url) as connection:
        connection.execute(
            "INSERT INTO assay.run_usage SELECT DISTINCT 1, run_id,"
            " CASE variant WHEN 'concise' THEN 300 ELSE 100 END FROM assay.exposures"
            " WHERE ascii(right(run_id::text, 1)) %% 3 > 0",
            (),
        )
    tokens = api.get(f"{PATH}/results", cutoff=CASE["last_look"])["metrics"][1]
    assert (tokens["metric"], tokens["role"]) == ("run.tokens", "guardrail")
    assert tokens["variants"][0]["difference"]["estimate"] == near(200)
    for arm in tokens["arms"]:
        tally = arm["tally"]
        assert 0 < tally["scored"] < tally["mature"]
        assert arm["mean"]["estimate"] == near({"concise": 300, "detailed": 100}[arm["variant"]])


def test_reading_results_is_no_look(api: ApiServer) -> None:
    """However often somebody reads them."""
    load(api.url, plan())
    for _ in range(3):
        primary(api)
    assert api.pages(f"{PATH}/looks") == []
    assert primary(api)["variants"][0]["standing"]["reason"] == "not looked at yet"


def test_without_a_plan_nothing_is_called_better(api: ApiServer) -> None:
    """Intervals hold at any time, and are labelled exploratory."""
    load(api.url)
    results = api.get(f"{PATH}/results", cutoff=CASE["last_look"])
    metric, failure = results["metrics"]
    assert failure["metric"] == "run.failure"
    (found,) = metric["variants"]
    assert (metric["role"], metric["estimand"]) == ("exploratory", "survivors")
    assert found["standing"]["word"] is None
    assert found["difference"]["mode"] == "anytime"
    assert found["difference"]["ci"] is not None
    assert results["warnings"] == ["no plan is declared: all intervals are exploratory"]


@pytest.mark.parametrize("planned", [True, False])
def test_what_chance_did_not_choose_has_numbers_and_no_interval(
    api: ApiServer, *, planned: bool
) -> None:
    """A custom choice without probabilities is invalid, with a plan and without."""
    load(api.url, *([plan()] if planned else []))
    with psycopg.connect(api.url) as connection:
        connection.execute(
            "UPDATE assay.experiment_epochs SET strategy = 'custom', weights = NULL"
            " WHERE project_id = 1"
        )
    (found,) = primary(api)["variants"]
    assert (found["standing"]["word"], found["standing"]["reason"]) == ("invalid", "not randomised")
    assert found["difference"]["estimate"] is not None
    assert found["difference"]["ci"] is None
    assert found["control"]["ci"] is not None


def figures(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All figures in an answer."""
    if isinstance(value, dict):
        if "estimate" in value and "margin" not in value:
            yield path, value
        for name, part in value.items():
            yield from figures(part, f"{path}.{name}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from figures(part, f"{path}[{place}]")


def bare_numbers(value: Any, path: str = "") -> Iterator[str]:
    """Numbers that are no counts and stand in no figure."""
    if isinstance(value, dict) and "estimate" not in value:
        for name, part in value.items():
            yield from bare_numbers(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from bare_numbers(part, path)
    elif isinstance(value, float) and not isinstance(value, bool):
        yield path


@pytest.mark.parametrize("cutoff", ["2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z", None])
def test_no_bare_mean_leaves_the_api(api: ApiServer, cutoff: str | None) -> None:
    """Each number is a figure, a count, or one of a plan; what is missing is null with a reason."""
    looked(api, mde=0.1, margin=0.05, guardrails={"run.failure": -0.02})
    asked = {} if cutoff is None else {"cutoff": cutoff}
    answers = [api.get(f"{PATH}/results", **asked), *api.pages(f"{PATH}/looks")]
    found = [one for answer in answers for one in figures(answer)]
    assert len(found) > 20
    for path, figure in found:
        assert set(figure) == FIGURE, path
        numbers = [figure["estimate"], figure["se"], *(figure["ci"] or ())]
        assert all(number is None or math.isfinite(number) for number in numbers), path
        if figure["estimate"] is None or figure["ci"] is None:
            assert figure["reason"], path
    allowed = {
        ".maturity_s", ".alpha", ".balance.log_e", ".epochs.log_e", ".epochs.weights.concise",
        ".epochs.weights.detailed", ".metrics.on_failure", ".metrics.variants.epochs.weight",
        ".metrics.variants.coverage.p", ".metrics.variants.runs_per_unit.p",
        ".metrics.variants.failures.p", ".metrics.variants.guardrails.margin",
    }  # fmt: skip
    bare = set(bare_numbers(answers[0]))
    assert {path for path in bare if ".planning." not in path} <= allowed


def test_every_answer_has_the_fields_of_its_shape(api: ApiServer) -> None:
    """What is served is what OpenAPI says."""
    looked(api, guardrails={"run.failure": -0.02})
    api.post(f"{PATH}/stop", {"decision": "concise stays", "reason": "better"})
    results = api.get(f"{PATH}/results")
    adapter = TypeAdapter(ResultsShape)
    assert adapter.dump_python(adapter.validate_python(results), mode="json") == results
    for shape, served in (
        (Experiment, api.get(PATH)),
        (Experiment, api.pages("experiments")[0]),
        (Look, api.pages(f"{PATH}/looks")[0]),
        (AssignmentPage, api.get(f"{PATH}/assignments")),
    ):
        assert shape.model_validate(served).model_dump(mode="json", exclude_unset=True) == served


def test_swapping_the_variants_flips_the_sign_alone(api: ApiServer) -> None:
    """Errors, intervals and counts are the same."""
    load(api.url, plan())
    (there,) = primary(api, CASE["last_look"])["variants"]
    with psycopg.connect(api.url) as connection:
        connection.execute(
            'UPDATE assay.experiment_plans SET spec = spec || \'{"control": "concise"}\''
        )
    (back,) = primary(api, CASE["last_look"])["variants"]
    for name in ("difference", "by_unit", "survivors"):
        one, other = there[name], back[name]
        assert one["estimate"] == near(-other["estimate"])
        assert one["se"] == near(other["se"])
        assert one["ci"] == near([-bound for bound in reversed(other["ci"])])
    assert there["treatment"] == back["control"]
    assert there["coverage"]["p"] == near(back["coverage"]["p"])


def test_units_and_the_log_of_how_variants_were_chosen(api: ApiServer) -> None:
    """Each unit once, with what it was served first; who changed the weights, and when."""
    load(api.url, plan())
    units = api.pages(f"{PATH}/assignments", limit=20)
    served = {one["unit"] for one in CASE["exposures"] if one["unit"] and not one["forced"]}
    assert [one["unit"] for one in units] == sorted(served)
    (entry,) = api.get(f"{PATH}/assignments")["log"]
    assert (entry["weights"], entry["app"]) == ({"detailed": 50, "concise": 50}, "tests")


def test_a_stop_is_kept_once(api: ApiServer) -> None:
    """A second one is refused, and changes nothing."""
    load(api.url, plan())
    stop = {"decision": "concise stays", "reason": "costs too much", "author": "ada"}
    stopped = api.post(f"{PATH}/stop", stop)["stopped"]
    assert stopped == {**stop, "at": stopped["at"]}
    assert api.refusal("POST", f"{PATH}/stop", json={**stop, "reason": "other"}) == (
        409, "experiment_is_stopped", "experiment_id",
    )  # fmt: skip
    assert api.get(PATH)["stopped"] == stopped
    assert api.get(f"{PATH}/results")["stopped"] == stopped
    assert take(api.url, LAST) != []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"reason": "x"}, "decision"),
        ({"decision": "x", "reason": " "}, "reason"),
        ({"decision": "x", "reason": "y", "author": 7}, "author"),
        ({"decision": "x", "reason": "\u0000"}, "reason"),
        ({"decision": "x", "reason": "y", "note": "z"}, "note"),
    ],
)
def test_a_stop_says_what_and_why(api: ApiServer, body: Any, field: str) -> None:
    """Anything else is refused, with the field."""
    assert api.refusal("POST", f"{PATH}/stop", json=body) == (422, "experiment_stop", field)


def test_what_there_is_not(api: ApiServer) -> None:
    """No experiment, no metric, no future, no cursor."""
    load(api.url, plan())
    for path in ("", "/results", "/looks", "/assignments"):
        unknown = api.refusal("GET", f"experiments/a%2Fb{path}")
        assert unknown == (404, "experiment_not_found", "experiment_id")
    stop = {"decision": "x", "reason": "y"}
    assert api.refusal("POST", "experiments/no/stop", json=stop)[:2] == (
        404,
        "experiment_not_found",
    )
    for query, wanted in (
        ("metric=no", (404, "metric_not_found", "metric")),
        ("cutoff=2099-01-01T00:00:00Z", (422, "experiment_cutoff", "cutoff")),
        ("cutoff=yesterday", (422, "invalid", "cutoff")),
        ("metrics=x", (422, "bad_filter", "metrics")),
    ):
        assert api.refusal("GET", f"{PATH}/results?{query}") == wanted
    assert api.refusal("GET", f"{PATH}/looks?cursor=x")[:2] == (400, "bad_cursor")


def test_a_cursor_belongs_to_its_list(api: ApiServer) -> None:
    """That of experiments is none of units or names, nor that of one experiment of another."""
    load(api.url, plan())
    api.insert("experiments", {"name": "zz", "first_seen": LAST})
    lists = ("experiments", f"{PATH}/assignments", "scores/names", "experiments/zz/assignments")
    for path in lists[:2]:
        cursor = api.get(path, limit=1)["next"]
        for other in lists:
            if other != path:
                told = api.refusal("GET", f"{other}?cursor={cursor}")
                assert told == (400, "bad_cursor", "cursor")
        assert api.get(path, limit=1, cursor=cursor)["data"] != api.get(path, limit=1)["data"]


def test_an_experiment_that_nobody_was_served(api: ApiServer) -> None:
    """A plan alone: no arms, no numbers, a warning."""
    api.insert("experiments", {"name": "a/b é", "first_seen": LAST})
    results = api.get("experiments/a%2Fb%20%C3%A9/results")
    assert (results["control"], results["epochs"]) == (None, [])
    (metric,) = results["metrics"]
    assert (metric["metric"], metric["arms"]) == ("run.failure", [])
    assert results["warnings"][0] == "nobody was served a variant yet"
