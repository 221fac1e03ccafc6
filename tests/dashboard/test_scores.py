"""Pages of scores: their numbers are the API's, and what is missing is no 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from assay.dashboard.texts import number, percent, visible
from assay.ids import parse
from assay.stats import clusters, intervals

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

DASH = "\N{EM DASH}"
ODD = "a/b <b>\u202e"


@pytest.fixture
def scored(dash: DashboardServer) -> DashboardServer:
    """Twelve sessions of three runs: the first two are scored true, or false in every third."""
    dash.register("answer")
    for session in range(12):
        for place in range(3):
            run = dash.start(sessions={"ticket": str(session)})
            if place < 2:
                good = {"name": ODD, "value": session % 3 > 0, "run_id": run}
                length = {"name": "length", "value": session + place / 2, "run_id": run}
                dash.post("scores", {"scores": [good, length]})
            else:
                dash.promise(run, ODD, "pending" if session % 2 else "timed_out")
    return dash


def shown(one: dict[str, Any], is_share: bool) -> str:  # noqa: FBT001 - of one value
    """An estimate as pages write it."""
    text = percent(one["estimate"]) if is_share else number(one["estimate"])
    return " ".join(text.split())


def test_the_numbers_of_names_are_the_apis(scored: DashboardServer) -> None:
    """Rate, runs, pending and timed out, as links to what is behind them."""
    rows = {row["Score"]: row for row in scored.look("/scores").one("main").one("table").rows()}
    listed = scored.get("scores/names")["data"]
    assert len(rows) == len(listed) == 2
    for one in listed:
        row = rows[visible(one["name"])]
        assert row["Type"] == one["type"]
        assert row["Rate or mean"] == shown(one["estimate"], one["type"] == "boolean")
        assert row["Runs"] == str(one["n"]) == "24"
        assert row["Pending"] == str(one["outcomes"]["pending"])
        assert row["Timed out"] == str(one["outcomes"]["timed_out"])


def test_a_rate_varies_by_session(scored: DashboardServer) -> None:
    """Its interval is that of clusters, and runs behind it are those of the linked list."""
    path = quote(ODD, safe="")
    one = scored.get(f"scores/names/{path}")
    assert (one["clustered_by"], one["estimate"]["unit"]) == ("ticket", "session")
    good = [float(session % 3 > 0) for session in range(12) for _ in range(2)]
    arm = clusters.by_cluster(good, [session for session in range(12) for _ in range(2)])
    assert one["estimate"]["ci"] == pytest.approx(intervals.clustered_proportion(arm).ci)
    page = scored.look(f"/scores/{path}")
    link = page.one("dl", class_="figures").all("a")[0].attributes["href"]
    listed = scored.ask("GET", link.replace("/runs?", "/runs.json?")).json()["data"]
    assert len(listed) == one["n"]
    for table, key in (("over-time", "over_time"), ("by-function", "by_function")):
        rows = page.one("table", id=table).rows()
        assert [row["True"] for row in rows] == [
            shown(group["estimate"], is_share=True) for group in one[key]
        ]
        assert [row["Runs"] for row in rows] == [str(group["n"]) for group in one[key]]
    lowest = page.one("table", id="lowest").one("tbody").all("tr")
    assert [row.attributes["data-key"][-26:] for row in lowest] == [
        run["run_id"] for run in one["lowest"]
    ]
    assert {run["value"] for run in one["lowest"][:8]} == {0.0}


def test_a_number_has_its_distribution(scored: DashboardServer) -> None:
    """The share of runs with at most each value; means are read with t."""
    one = scored.get("scores/names/length")
    assert one["estimate"]["method"] == "cr2_t"
    given = [session + place / 2 for session in range(12) for place in range(2)]
    points = one["distribution"]
    assert [point["share"]["estimate"] for point in points] == pytest.approx(
        [sum(value <= point["value"] for value in given) / 24 for point in points]
    )
    rows = scored.look("/scores/length").one("table", id="distribution").rows()
    assert [row["Share"] for row in rows] == [
        shown(point["share"], is_share=True) for point in one["distribution"]
    ]


def test_variants_stand_beside_each_other(scored: DashboardServer) -> None:
    """Runs that were served one variant of an experiment, each variant on its own."""
    runs = [run["run_id"] for run in scored.get("scores", name="length", limit=4)["data"]]
    usual = {"idx": 0, "epoch": 1, "forced": False, "at": scored.clock.now().isoformat()}
    for place, run in enumerate(runs):
        row = {"experiment": "style", "run_id": parse(run), "variant": "ab"[place % 2]}
        scored.insert("exposures", row | usual)
    groups = scored.get("scores/names/length")["by_variant"]
    assert [(one["variant"], one["n"]) for one in groups] == [("a", 2), ("b", 2)]
    rows = scored.look("/scores/length").one("table", id="by-variant").rows()
    assert [row["Mean"] for row in rows] == [number(one["estimate"]["estimate"]) for one in groups]


def test_a_name_that_is_only_promised_has_no_rate(dash: DashboardServer) -> None:
    """Nothing is known of it, which is not 0; a name that nobody uses is not found."""
    dash.register("answer")
    dash.promise(dash.start(), "later")
    (row,) = dash.look("/scores").one("main").one("table").rows()
    assert (row["Rate or mean"], row["Runs"], row["Pending"]) == (DASH, "0", "1")
    assert dash.look("/scores/later").all("div", class_="empty")
    assert dash.refusal("GET", "scores/names/none")[:2] == (404, "score_name_not_found")
    backwards = "queued_after=2026-01-02T00:00Z&queued_before=2026-01-01T00:00Z"
    refused = dash.refusal("GET", f"scores/names?{backwards}")
    assert refused == (422, "bad_filter", "queued_after")


def test_a_value_of_any_size_breaks_no_page(dash: DashboardServer) -> None:
    """What is too large to be squared is kept, listed, and in no mean."""
    dash.register("answer")
    for value in (1e300, -1e300, 1.5):
        run = dash.start(sessions={"account": "acme"})
        dash.finish(run)
        dash.post("scores", {"name": "huge", "value": value, "run_id": run})
    for path in ("/", "/scores", "/scores/huge", "/sessions/account", "/sessions/account/acme"):
        assert "huge" in dash.look(path).one("main").text
    assert "1e+140" not in dash.look("/").one("section", aria_labelledby="scores").text
