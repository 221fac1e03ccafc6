"""Scores given and read over HTTP, the outcomes of promised ones, and orphans."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api_server import memo
from assay.ids import to_text
from assay.wire.outcomes import Outcome
from assay.wire.scores import Score
from experiment_rows import serve

if TYPE_CHECKING:
    from api_server import ApiServer

REF = {"experiment": "answer-style", "variant": "concise"}


@pytest.fixture
def run(api: ApiServer) -> str:
    """A run that nobody works on."""
    api.register("answer")
    return api.start()


def latest(api: ApiServer, run: str) -> dict[str, Any]:
    """The latest scores of a run itself, by name."""
    return {score["name"]: score["value"] for score in api.pages(f"runs/{run}/scores")}


def test_a_score_lands_on_the_run_that_it_names(api: ApiServer, run: str) -> None:
    """Never on another."""
    other = api.start()

    told = api.post("scores", {"name": "user-feedback", "value": 1, "run_id": run})

    (score,) = api.get(f"runs/{run}/scores")["data"]
    Score.model_validate(score)
    assert told == {"id": score["id"], "is_new": True}
    assert (score["subject"], score["run_id"], score["value"]) == ("run", run, 1)
    assert (score["step_id"], score["index"], score["source"]) == (None, None, "api")
    assert latest(api, other) == {}


def test_outside_a_run_a_score_without_a_run_is_refused(api: ApiServer) -> None:
    """There is no run context."""
    response = api.ask("POST", "scores", json={"name": "q", "value": 1})
    assert response.status_code == 422
    assert response.json()["error"] == {
        "code": "score_target",
        "message": "No run context available",
    }


def test_a_score_for_an_unknown_run_is_404(api: ApiServer) -> None:
    """Rather than kept for nobody."""
    body = {"name": "q", "value": 1, "run_id": to_text(api.ulid())}
    assert api.refusal("POST", "scores", json=body)[:2] == (404, "run_not_found")


@pytest.mark.parametrize("value", [0.42, 1, 0, -3, 1e300, 0.1 + 0.2, True, False, 2**60])
def test_a_value_comes_back_as_it_was_given(api: ApiServer, run: str, value: float) -> None:
    """Booleans stay booleans, and whole numbers have no fraction."""
    api.post("scores", {"name": "q", "value": value, "run_id": run})

    (given,) = latest(api, run).values()

    assert given == value
    assert isinstance(given, bool) == isinstance(value, bool)


@pytest.mark.parametrize(
    ("score", "code", "field"),
    [
        ({"value": "1"}, "score_value", "value"),
        ({"value": None}, "score_value", "value"),
        ({"value": {}}, "score_value", "value"),
        ({"value": 10**400}, "score_value", "value"),
        ({"name": ""}, "score_name", "name"),
        ({"name": "it's"}, "score_name", "name"),
        ({"name": "a\tb"}, "score_name", "name"),
        ({"name": "a\ud800"}, "score_name", "name"),
        ({"name": "é" * 65}, "score_name", "name"),
        ({"run_id": None}, "score_target", "run_id"),
        ({"run_id": " "}, "score_target", "run_id"),
        ({"run_id": "x"}, "bad_id", "run_id"),
        ({"step_id": ""}, "score_target", "step_id"),
        ({"index": 1}, "score_target", "index"),
        ({"at": "yesterday"}, "score_detail", "at"),
        ({"at": "2026-01-01T00:00:00"}, "score_detail", "at"),
        ({"at": "0001-01-01T00:00:00Z"}, "score_detail", "at"),
        ({"at": "2099-01-01T00:00:00Z"}, "score_detail", "at"),
        ({"id": "x"}, "bad_id", "id"),
        ({"id": "7ZZZZZZZZZ0000000000000000"}, "id_time", "id"),
        ({"more": 1}, "score_options", "more"),
        ({"step_id": "s", "index": 2**31}, "score_target", "index"),
        ({"experiment": None}, "score_reference", "experiment"),
        ({"experiment": "e"}, "score_reference", "experiment"),
        ({"experiment": {"variant": "v"}}, "score_reference", "experiment.experiment"),
        (
            {"experiment": {"experiment": "e", "variant": ""}},
            "score_reference",
            "experiment.variant",
        ),
        ({"experiment": REF | {"index": -1}}, "score_reference", "experiment.index"),
        (
            {"experiment": REF | {"experiment": "\ud800"}},
            "score_reference",
            "experiment.experiment",
        ),
        ({"experiment": REF | {"more": 1}}, "score_reference", "experiment"),
        ({"experiment": REF, "step_id": "s"}, "score_reference", "experiment"),
    ],
    ids=lambda value: ascii(value)[:100],
)
def test_a_score_that_breaks_a_rule_is_refused(
    api: ApiServer, run: str, score: dict[str, object], code: str, field: str
) -> None:
    """With the rule's own message, alone and among others."""
    whole = {"name": "q", "value": 1, "run_id": run} | score
    good = {"name": "good", "value": 1, "run_id": run}

    assert api.refusal("POST", "scores", content=json.dumps(whole))[1:] == (code, field)
    both = json.dumps({"scores": [good, whole]})
    told = api.refusal("POST", "scores", content=both)[1:]

    assert told[0] == code
    assert latest(api, run) == {}


def test_what_a_score_counts_for_comes_with_it(api: ApiServer, run: str) -> None:
    """Named or not, in lists and in the history, and what it names in vain."""
    serve(api.url, run, *REF.values())
    serve(api.url, run, "model", "m", index=1)
    given: dict[str, dict[str, object]] = {
        "plain": {},
        "named": {"experiment": REF | {"index": 0}},
        "vain": {"experiment": REF | {"index": 1}},
        "step": {"step_id": "s"},
    }
    for name, more in given.items():
        api.post("scores", {"name": name, "value": 1, "run_id": run, **more})

    served = REF | {"index": 0, "counted": True}
    model = {"experiment": "model", "variant": "m", "index": 1, "counted": True}
    expected = {
        "plain": [served, model],
        "named": [served],
        "vain": [REF | {"index": 1, "counted": False}],
        "step": [],
    }
    for found in (
        api.pages("scores"),
        api.pages(f"runs/{run}/scores", history="true", limit=1),
        api.get(f"runs/{run}")["scores"],
    ):
        assert {score["name"]: score["attributions"] for score in found} == expected
    (span,) = api.get(f"runs/{run}/trace")["spans"]
    noted = [event["attributes"] for event in span["events"]]
    assert {
        one["gen_ai.evaluation.name"]: one.get("assay.score.attributions", []) for one in noted
    } == {name: uses for name, uses in expected.items() if name != "step"}


def test_a_score_sent_twice_is_attributed_once(api: ApiServer, run: str) -> None:
    """The first counts, whatever the second says."""
    serve(api.url, run, *REF.values())
    score = {"id": to_text(api.ulid()), "name": "q", "value": 1, "run_id": run}
    for reference in (REF, REF | {"variant": "detailed"}):
        api.post("scores", {**score, "experiment": reference})

    (given,) = api.pages("scores", history="true")

    assert given["attributions"] == [REF | {"index": 0, "counted": True}]


def test_a_name_is_kept_as_it_is(api: ApiServer, run: str) -> None:
    """128 bytes fit, blanks are no less part of it than letters."""
    for name in (" a ", "é" * 64, '"><script>', "%00", "\U0001f4a9"):
        api.post("scores", {"name": name, "value": 1, "run_id": run})
        assert name in latest(api, run)
        assert len(api.pages("scores", name=name)) == 1


def test_up_to_100_scores_are_one_request(api: ApiServer, run: str) -> None:
    """All of them are taken, or none."""
    scores = [{"name": f"n{number}", "value": number, "run_id": run} for number in range(100)]

    assert len(api.post("scores", {"scores": scores})["data"]) == 100
    assert len(latest(api, run)) == 100
    assert api.refusal("POST", "scores", json={"scores": [*scores, scores[0]]})[:2] == (
        413,
        "too_many_scores",
    )
    unknown = {"name": "m", "value": 1, "run_id": to_text(api.ulid())}
    ours = {"name": "m", "value": 1, "run_id": run}
    assert api.refusal("POST", "scores", json={"scores": [ours, unknown]})[0] == 404
    assert "m" not in latest(api, run)
    assert api.post("scores", {"scores": []}) == {"data": []}


def test_the_same_id_twice_is_one_score(api: ApiServer, run: str) -> None:
    """In two requests as in one; the first counts."""
    one = {"id": to_text(api.ulid()), "name": "q", "value": 1, "run_id": run}

    assert api.post("scores", one)["is_new"]
    assert not api.post("scores", one | {"value": 0})["is_new"]
    two = {"id": to_text(api.ulid()), "name": "r", "value": 1, "run_id": run}
    api.post("scores", {"scores": [two, two | {"value": 0}]})

    assert latest(api, run) == {"q": 1, "r": 1}
    assert len(api.pages("scores", history="true")) == 2


def test_the_latest_by_its_own_time_counts_and_all_are_kept(api: ApiServer, run: str) -> None:
    """Whatever the order of arrival."""
    now = api.clock.now()
    for value, ago in ((1, 10), (2, 5), (3, 20)):
        at = (now - timedelta(seconds=ago)).isoformat()
        api.post("scores", {"name": "q", "value": value, "run_id": run, "at": at})
        api.clock.advance(timedelta(milliseconds=1))

    history = api.pages("scores", history="true", run_id=run, limit=1)

    assert latest(api, run) == {"q": 2}
    assert [(one["value"], one["is_latest"]) for one in history] == [
        (3, False),
        (2, True),
        (1, False),
    ]
    assert api.pages(f"runs/{run}/scores", history="true") == history


def test_scores_of_steps_indexes_and_names_are_apart(api: ApiServer, run: str) -> None:
    """Each is a series of its own; a renamed score is another."""
    for target in ({}, {"step_id": "a"}, {"step_id": "a", "index": 1}, {"step_id": "b"}):
        for name in ("q", "r"):
            api.post("scores", {"name": name, "value": 1, "run_id": run, **target})

    pages = api.pages(f"runs/{run}/scores", limit=3)

    assert len(pages) == 8
    assert {(one["step_id"], one["index"]) for one in pages} == {
        (None, None),
        ("a", 0),
        ("a", 1),
        ("b", 0),
    }


def test_why_and_who_are_kept_whatever_they_hold(api: ApiServer, run: str) -> None:
    """A model's words should not cost the score."""
    score = {"name": "q", "value": 1, "run_id": run, "rationale": "a\0b\ud800", "author": "Zoë"}
    api.ask("POST", "scores", content=json.dumps(score))

    (given,) = api.pages("scores")

    assert (given["rationale"], given["author"]) == ("a\ufffdb\ufffd", "Zoë")


def test_a_score_about_a_step_that_never_ran_is_reported_on_the_run(
    api: ApiServer, run: str
) -> None:
    """It is kept; while the run lives the step may still come."""
    for step in ("ran", "never"):
        api.post("scores", {"name": "q", "value": 1, "run_id": run, "step_id": step})
    assert api.get(f"runs/{run}")["warnings"] == []

    api.insert("journal", memo(run, "ran", 1))
    api.finish(run)

    assert api.get(f"runs/{run}")["warnings"] == [
        "a score is about step 'never' (index 0), which never ran"
    ]
    orphans = {one["step_id"]: one["is_orphan"] for one in api.pages(f"runs/{run}/scores")}
    assert orphans == {"ran": False, "never": True}


def test_status_and_score_are_independent(api: ApiServer, run: str) -> None:
    """A run that completed with a bad outcome is both."""
    api.finish(run)
    api.post("scores", {"name": "q", "value": 0, "run_id": run})
    assert [one["id"] for one in api.pages("runs", status="completed", score="q", score_max=0)] == [
        run
    ]


def test_outcomes_are_read_with_all_their_changes(api: ApiServer, run: str) -> None:
    """By run, name and state, in pages."""
    api.promise(run, "liked")
    api.promise(run, "solved")
    api.clock.advance(timedelta(seconds=1))
    api.promise(run, "liked", "failed", "no input")

    found = api.pages("outcomes", limit=1)

    for one in found:
        Outcome.model_validate(one)
    assert {(one["name"], one["state"]) for one in found} == {
        ("liked", "failed"),
        ("solved", "pending"),
    }
    (liked,) = api.pages("outcomes", name="liked", state="failed", run_id=run)
    assert [(c["state"], c["reason"]) for c in liked["changes"]] == [
        ("pending", None),
        ("failed", "no input"),
    ]
    assert liked["promised_at"] < liked["changes"][1]["at"]
    assert api.get(f"runs/{run}")["outcomes"] == sorted(
        found, key=lambda one: str(one["name"]), reverse=True
    )
    assert api.refusal("GET", "outcomes", params={"state": "gone"})[2] == "state"
