"""Two runs side by side."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api_server import memo
from assay.dashboard.differences import pieces
from assay.ids import parse, step_key
from copied_statements import offered, results

if TYPE_CHECKING:
    from dashboard_server import DashboardServer


def ran(dash: DashboardServer, *steps: tuple[str, float], output: str, score: float) -> str:
    """A run with steps of so many seconds, one after another."""
    run = dash.start()
    start = dash.clock.now()
    for seq, (name, seconds) in enumerate(steps, 1):
        ended = dash.clock.now() + timedelta(seconds=seconds)
        times: dict[str, Any] = {"started_at": dash.clock.now(), "ended_at": ended}
        dash.insert("journal", memo(run, name, seq, **times))
        dash.clock.advance(timedelta(seconds=seconds))
    assert dash.clock.now() >= start
    dash.finish(run, output=output)
    dash.post("scores", {"run_id": run, "name": "quality", "value": score})
    return run


def two(dash: DashboardServer) -> tuple[str, str]:
    """Runs of which each has a step that the other has not."""
    dash.register("answer")
    first = ran(dash, ("plan", 1), ("search", 2), ("write", 1), output='"a b c"', score=0.25)
    second = ran(dash, ("plan", 3), ("ask", 1), ("write", 1), output='"a x c"', score=0.75)
    return first, second


def test_steps_of_one_name_stand_in_one_row(dash: DashboardServer) -> None:
    """In the first one's order, those of the second alone where they came; both are linked."""
    first, second = two(dash)
    page = dash.look("/runs/compare", a=first, b=second)
    rows = page.one("section", aria_labelledby="steps").one("table").rows()
    assert [row["Step"] for row in rows] == ["plan", "ask", "search", "write"]
    assert rows[0]["B took"].replace("\N{NO-BREAK SPACE}", " ") == "2 s more"
    assert "not there" in rows[1]["A"]
    assert "not there" in rows[2]["B"]
    links = [link.attributes.get("href", "") for link in page.all("a")]
    for run in (first, second):
        assert any(link.endswith(f"/runs/{run}#steps") for link in links)


def test_spans_within_a_step_are_paired_below_it(dash: DashboardServer) -> None:
    """By their names and whose they are in; each leads to its own place in its trace."""
    dash.register("answer")
    runs = []
    for span, tool in ((11, "look_up"), (21, "ask")):
        run = dash.start()
        dash.insert("journal", memo(run, "plan", 1, span=span), memo(run, "write", 2))
        for parent, name, own in ((span, "chat", span + 1), (span + 1, tool, span + 2)):
            dash.user_span(run, name, parent=parent, step=step_key("plan", 0), span=own)
        dash.finish(run)
        runs.append(run)
    first, second = runs
    page = dash.look("/runs/compare", a=first, b=second)
    table = page.one("section", aria_labelledby="steps").one("table")
    rows = table.rows()
    assert [row["Step"].strip() for row in rows] == ["plan", "chat", "ask", "look_up", "write"]
    assert ["not there" in row["A"] for row in rows] == [False, False, True, False, False]
    assert ["not there" in row["B"] for row in rows] == [False, False, False, True, False]
    links = [link.attributes["href"] for link in table.all("a")]
    assert links[2:4] == [
        f"/p/default/runs/{run}?span={span:016x}" for run, span in ((first, 12), (second, 22))
    ]


def test_outputs_and_scores_are_compared(dash: DashboardServer) -> None:
    """What is only in one of them is marked; scores have their difference."""
    first, second = two(dash)
    page = dash.look("/runs/compare", a=first, b=second)
    outputs = page.one("section", aria_labelledby="outputs")
    assert [one.text.strip() for one in outputs.all("del")] == ["only in A", "b"]
    assert [one.text.strip() for one in outputs.all("ins")] == ["only in B", "x"]
    (row,) = page.one("section", aria_labelledby="scores").one("table").rows()
    assert (row["A"], row["B"], row["B less A"]) == ("0.25", "0.75", "+0.5")


def test_inputs_and_variants_are_compared(dash: DashboardServer) -> None:
    """Of the events that started them; what only one was served is said."""
    dash.register("answer")
    first = dash.start(data={"question": "why", "account": 1})
    second = dash.start(data={"question": "who", "account": 1})
    usual = {"idx": 0, "p": 0.5, "epoch": 1, "forced": False, "at": dash.clock.now()}
    served = [(first, "style", "short"), (second, "style", "long"), (second, "model", "small")]
    dash.insert(
        "exposures",
        *(
            usual | {"run_id": parse(run), "experiment": experiment, "variant": variant}
            for run, experiment, variant in served
        ),
    )
    page = dash.look("/runs/compare", a=first, b=second)
    inputs = page.one("section", aria_labelledby="inputs")
    assert [one.text.strip() for one in inputs.all("del")] == ["only in A", '"why"']
    assert [one.text.strip() for one in inputs.all("ins")] == ["only in B", '"who"']
    rows = page.one("section", aria_labelledby="arms").one("table").rows()
    assert [list(row.values()) for row in rows] == [
        ["model", "\N{WHITE DIAMOND} not served", "small", "another"],
        ["style", "short", "long", "another"],
    ]


def test_both_are_copied_with_what_they_have_in_common(dash: DashboardServer) -> None:
    """As SQL each name's rows of both follow each other; as curl both runs are asked for."""
    first, second = two(dash)
    page = dash.look("/runs/compare", a=first, b=second)
    runs, steps, scores, variants = results(dash, offered(page))
    assert [run["id"] for run in runs] == [first, second]
    assert [(step["step_id"], step["run_id"]) for step in steps] == [
        ("ask", second),
        ("plan", first),
        ("plan", second),
        ("search", first),
        ("write", first),
        ("write", second),
    ]
    assert [score["value"] for score in scores] == [0.25, 0.75]
    assert variants == []
    curl = page.one("pre", aria_label="curl").exact
    assert all(run in line for run, line in zip((first, second), curl.splitlines(), strict=True))


def test_a_run_alone_is_offered_others_of_its_function(dash: DashboardServer) -> None:
    """In either place; without any the newest ones are, and the page says what it is for."""
    first, second = two(dash)
    for place, other in (("a", "b"), ("b", "a")):
        page = dash.look("/runs/compare", **{place: first}).one("main")
        table = page.one("table")
        assert [row["Run"] for row in table.rows()] == [second]
        assert f"{other}={second}" in table.one("a").attributes["href"]
    page = dash.look("/runs/compare").one("main")
    assert page.all("div", class_="empty")
    assert [row["Run"] for row in page.one("table").rows()] == [second, first]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("one two", "one 2", [("same", "one "), ("out", "two"), ("in", "2")]),
        (
            "1\n2\n3\nfour five six\n",
            "1\n2\n3\nfour 5 six\n",
            [
                ("same", "1\n2\n3\n"),
                ("same", "four "),
                ("out", "five"),
                ("in", "5"),
                ("same", " "),
                ("same", "six\n"),
            ],
        ),
        ({"n": 1}, {"n": 1}, [("same", '{\n  "n": 1\n}')]),
        (None, "", [("out", "null")]),
        ("x " * 3_000, "y", None),
        ("x" * 30_000, "y", None),
    ],
)
def test_pieces_are_by_word_or_by_line(
    a: object, b: object, expected: list[tuple[str, str]] | None
) -> None:
    """Values that are too long are not compared."""
    found = pieces(a, b)
    assert (None if found is None else [(one.kind, one.text) for one in found]) == expected


def test_a_run_that_failed_has_no_output_to_compare(dash: DashboardServer) -> None:
    """It is not the same as one that returned null."""
    dash.register("answer")
    first, second = dash.start(), dash.start()
    dash.finish(first, output='"a b c"')
    dash.finish(second, "failed")
    outputs = dash.look("/runs/compare", a=first, b=second).one(
        "section", aria_labelledby="outputs"
    )
    assert "None: the run failed." in outputs.text
    assert "null" not in outputs.text
    assert not outputs.all("del")
