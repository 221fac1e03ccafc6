"""Experiments: the numbers of the pages are the API's, and stopping one shows at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import html_pages
from assay.dashboard import texts
from assay.ids import parse
from experiment_rows import instant
from published_experiment import CASE, LAST, NAME, load, plan, take, with_durations

if TYPE_CHECKING:
    from dashboard_server import DashboardServer
    from html_pages import Element

PATH = f"/experiments/{NAME}"


@pytest.fixture
def looked(dash: DashboardServer) -> DashboardServer:
    """The published experiment with its plan and all its looks."""
    load(dash.url, plan())
    take(dash.url, LAST + timedelta(hours=1))
    return dash


SHOWN = {
    "pending": "Pending", "scored": "Scored", "failed": "Failed", "no_response": "No response",
    "late": "Late", "early": "Early", "backdated": "Backdated", "after_epoch": "After epoch",
    "moved": "Moved",
}  # fmt: skip
"""Columns of units by the counts of an arm that they sum to."""


def number(text: str) -> int:
    """A count as the page writes it."""
    return int("".join(character for character in text if character.isdigit()))


def shown(page: Element, kind: str) -> Element:
    """The table of the metric that decides."""
    return page.one("table", **{f"data_{kind}": CASE["plan"]["primary"]})


def test_the_list_shows_each_verdict_with_its_interval(looked: DashboardServer) -> None:
    """As the look saw it that the verdict stands on."""
    (row,) = looked.look("/experiments").one("table", class_="grid").rows()
    (verdict,) = looked.get("experiments")["data"][0]["verdicts"]
    low, high = verdict["difference"]["ci"]
    assert row["Verdict"] == "↑better concise"
    assert texts.signed(verdict["difference"]["estimate"], is_share=True) in dashed(row)
    assert f"{texts.signed(low, is_share=True)} to {texts.signed(high, is_share=True)}" in dashed(
        row
    )
    assert dashed(row).endswith(f"n {verdict['difference']['n_units']}")


def dashed(row: dict[str, str]) -> str:
    """The cell of the difference, with the spaces that the page writes."""
    (cell,) = [text for head, text in row.items() if head.startswith("Difference")]
    return cell.replace(" pp", "\N{NO-BREAK SPACE}pp")


def test_a_broken_guardrail_stands_in_the_list_and_on_the_page(dash: DashboardServer) -> None:
    """With a word of its own, and the verdict with why it is not better."""
    load(dash.url, plan(guardrails={"run.duration": -2.0}))
    with_durations(dash.url, {"detailed": 3.0, "concise": 9.0})
    crossed = CASE["expected"][-1]["variants"]["concise"]["planned"]["verdict"]["cutoff"]
    take(dash.url, instant(crossed) + timedelta(hours=1))
    (row,) = dash.look("/experiments").one("table", class_="grid").rows()
    assert "keep collecting" in row["Verdict"]
    assert "guardrail broken: run.duration" in row["Verdict"]
    page = dash.look(PATH, cutoff=crossed)
    assert page.all(class_="fail")[0].text == "▲broken"


def test_a_duration_has_its_unit(dash: DashboardServer) -> None:
    """Where it is named, beside all of its numbers; shares of a relative difference have theirs."""
    load(dash.url, plan(guardrails={"run.duration": -2.0}))
    with_durations(dash.url, {"detailed": 3.0, "concise": 9.0})
    page = dash.look(f"/experiments/{NAME}")
    assert any(one.text.startswith("run.duration in s") for one in page.all("h2"))
    relative = shown(page, "differences").rows()[0]["Relative"]
    assert relative.count("%") == 2


def test_every_count_of_an_arm_is_the_apis(looked: DashboardServer) -> None:
    """Units, runs, pending, scored, failed, no response, late: a row a variant."""
    cutoff = CASE["last_look"]
    page = looked.look(PATH, cutoff=cutoff)
    metric = looked.get(f"experiments/{NAME}/results", cutoff=cutoff)["metrics"][0]
    words = {
        "Units": "units", "Runs": "exposed", "Pending": "pending", "Scored": "scored",
        "Failed": "failed", "No response": "no_response", "Late": "late",
        "After epoch": "after_epoch",
    }  # fmt: skip
    rows = shown(page, "arms").rows()
    assert len(rows) == len(metric["arms"]) == 2
    for row, arm in zip(rows, metric["arms"], strict=True):
        assert {word: number(row[word]) for word in words} == {
            word: arm["tally"][name] for word, name in words.items()
        }


def test_a_difference_has_its_interval_and_says_what_that_promises(
    looked: DashboardServer,
) -> None:
    """After the verdict today's interval is one that holds at any time."""
    cutoff = CASE["last_look"]
    row = shown(looked.look(PATH, cutoff=cutoff), "differences").rows()[0]
    results = looked.get(f"experiments/{NAME}/results", cutoff=cutoff)
    difference = results["metrics"][0]["variants"][0]["difference"]
    text = row["Estimate"].replace(" pp", "\N{NO-BREAK SPACE}pp")
    for end in (difference["estimate"], *difference["ci"]):
        assert texts.signed(end, is_share=True) in text
    assert row["Holds"] == "95 %, at any time"


def test_what_failed_runs_leave_open_stands_beside_the_difference(looked: DashboardServer) -> None:
    """How many more fail, and what is seen of those that did not."""
    cutoff = CASE["last_look"]
    rows = {row["Of"]: row for row in shown(looked.look(PATH, cutoff=cutoff), "differences").rows()}
    results = looked.get(f"experiments/{NAME}/results", cutoff=cutoff)
    variant = results["metrics"][0]["variants"][0]
    for words, figure in (
        ("means of runs that did not fail", variant["survivors"]),
        ("failed runs", variant["failures"]["difference"]),
    ):
        text = rows[words]["Estimate"].replace(" pp", "\N{NO-BREAK SPACE}pp")
        assert texts.signed(figure["estimate"], is_share=True) in text


def test_the_verdict_stands_in_words(looked: DashboardServer) -> None:
    """The sentence of the API, which reads from the left whatever names are in it."""
    page = looked.look(PATH, cutoff=CASE["last_look"])
    results = looked.get(f"experiments/{NAME}/results", cutoff=CASE["last_look"])
    sentence = results["metrics"][0]["variants"][0]["standing"]["sentence"]
    assert page.one("div", data_verdict="concise").one("bdi", dir="ltr").text == sentence


def test_every_look_of_a_mode_is_a_row(looked: DashboardServer) -> None:
    """The plan's mode unless another is asked for."""
    looks = looked.pages(f"experiments/{NAME}/looks")
    for mode, query in (("planned", {}), ("anytime", {"looks": "anytime"})):
        rows = looked.look(PATH, **query).one("table", id="looks-table").rows()
        wanted = [look["cutoff"][:10] for look in looks if look["mode"] == mode]
        assert [row["Cutoff"] for row in rows] == wanted


def test_units_lead_to_their_runs(looked: DashboardServer) -> None:
    """The units behind each number, each with the runs that it was served in."""
    page = looked.look(f"{PATH}/units")
    units = looked.get(f"experiments/{NAME}/assignments")["data"]
    assert [row["Unit"] for row in page.one("table", class_="grid").rows()] == [
        unit["unit"] for unit in units
    ]
    first = page.one("table", class_="grid").all("a")[0].attributes["href"]
    assert f"unit={units[0]['unit']}" in first


@pytest.mark.parametrize("cutoff", [CASE["expected"][0]["cutoff_asked"], CASE["last_look"]])
def test_the_number_of_units_leads_to_so_many(looked: DashboardServer, cutoff: str) -> None:
    """Those that were served the variant first, until the cutoff."""
    rows = shown(looked.look(PATH, cutoff=cutoff), "arms").one("tbody").all("tr")
    assert len(rows) == 2
    for row in rows:
        link = next(one for one in row.all("a") if "/units?" in one.attributes["href"])
        asked = dict(parse_qsl(urlsplit(link.attributes["href"]).query))
        assert len(looked.pages(f"experiments/{NAME}/assignments", **asked)) == number(link.text)
        assert looked.look(f"{PATH}/units", **asked).one("table", class_="grid").rows()


def column(dash: DashboardServer, href: str, name: str) -> list[int]:
    """A column over all pages of a list."""
    found: list[int] = []
    while True:
        page = html_pages.read(dash.ask("GET", href).text)
        found += [number(row[name]) for row in page.one("table", class_="grid").rows()]
        following = page.all("a", id="next")
        if not following:
            return found
        href = following[0].attributes["href"]


@pytest.mark.parametrize("cutoff", [CASE["expected"][0]["cutoff_asked"], CASE["last_look"]])
def test_the_counts_of_an_arm_lead_to_units_that_sum_to_them(
    looked: DashboardServer, cutoff: str
) -> None:
    """Each that is not 0, of the metric that decides: to those alone that add to it."""
    metric = looked.get(f"experiments/{NAME}/results", cutoff=cutoff)["metrics"][0]
    rows = shown(looked.look(PATH, cutoff=cutoff), "arms").one("tbody").all("tr")
    for arm, row in zip(metric["arms"], rows, strict=True):
        links = {}
        for link in row.all("a"):
            asked = dict(parse_qsl(urlsplit(link.attributes["href"]).query))
            if "having" in asked and asked["having"] not in links:
                links[asked["having"]] = link
        # The first way leads to all units: so many as there are.
        units = column(looked, links.pop("exposed").attributes["href"], "Exposed")
        assert (len(units), sum(units)) == (arm["tally"]["units"], arm["tally"]["exposed"])
        counts = {name: n for name, n in arm["tally"].items() if n and name in SHOWN}
        assert links.keys() == counts.keys() != set()
        for name, n in counts.items():
            added = column(looked, links[name].attributes["href"], SHOWN[name])
            assert min(added) > 0
            assert sum(added) == n == number(links[name].text)


def test_the_runs_of_a_unit_are_those_until_the_cutoff(dash: DashboardServer) -> None:
    """What it was served later is not behind the number."""
    dash.register("answer")
    now = dash.clock.now()
    dash.insert("experiments", {"experiment": "style", "name": "style", "first_seen": now})
    served = {"experiment": "style", "idx": 0, "variant": "a", "unit": "u", "p": 0.5, "epoch": 1}
    times = [now + timedelta(hours=hour) for hour in range(3)]
    exposures = [{"run_id": parse(dash.start()), "at": at, "forced": False} for at in times]
    dash.insert("exposures", *(served | one for one in exposures))
    for query, n in ((f"?exposed_before={times[2]:%Y-%m-%dT%H:%M:%S.%fZ}", 2), ("", 3)):
        page = html_pages.read(dash.ask("GET", f"/p/default/experiments/style/units{query}").text)
        (row,) = page.one("table", class_="grid").one("tbody").all("tr")
        (count,) = row.all("a")
        runs = html_pages.read(dash.ask("GET", count.attributes["href"]).text)
        assert len(runs.one("tbody", data_live_rows="").all("tr")) == int(count.text) == n


def test_before_its_first_full_hour_it_says_so(looked: DashboardServer) -> None:
    """Exposures after the cutoff are not nobody, and an assignment without units is not broken."""
    page = looked.look(PATH, cutoff=(LAST - timedelta(days=365)).isoformat())
    main = page.one("main").text
    assert "results start with the next full hour" in main
    assert "not randomised" not in main
    assert not page.all("table", data_arms=CASE["plan"]["primary"])


def test_without_a_plan_nothing_is_called_better(dash: DashboardServer) -> None:
    """What is shown is exploratory, and says so."""
    load(dash.url)
    page = dash.look(PATH, cutoff=CASE["last_look"])
    assert "Exploratory." in page.one("main").text
    assert not page.all("div", data_verdict="concise")
    assert not page.all("table", id="looks-table")


def test_stopping_is_shown_at_once_and_happens_once(looked: DashboardServer) -> None:
    """With who decided what, and why."""
    fields: dict[str, Any] = {"decision": "concise stays", "reason": "better", "author": "ada"}
    answered = looked.act(f"{PATH}/stop", **fields)
    assert (answered.status_code, answered.headers["location"]) == (303, f"/p/default{PATH}")
    text = looked.look(PATH).one("main").text
    assert "concise stays" in text
    assert "by ada" in text
    assert not looked.look(PATH).all("form", method="post")
    looked.clock.advance(timedelta(seconds=1))
    assert looked.act(f"{PATH}/stop", **fields).status_code == 409


def test_an_experiment_that_is_not_there_is_said_to_be_missing(dash: DashboardServer) -> None:
    """Not an empty page."""
    assert dash.ask("GET", "/p/default/experiments/none").status_code == 404


def test_the_overview_says_verdicts_as_the_list_does(looked: DashboardServer) -> None:
    """With their shape, not by words alone."""
    looked.register("answer")
    looked.start()
    section = looked.look("/").one("section", aria_labelledby="experiments")
    (row,) = section.one("table").rows()
    assert row["Verdict"] == "↑better concise"
