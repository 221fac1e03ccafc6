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


def test_the_overview_has_the_same_difference_and_says_what_is_stopped(
    looked: DashboardServer,
) -> None:
    """With its interval and n, as in the list."""
    looked.register("answer")
    looked.start()
    (verdict,) = looked.get("experiments")["data"][0]["verdicts"]
    looked.post(f"experiments/{NAME}/stop", {"decision": "stays", "reason": "better"})
    section = looked.look("/").one("section", aria_labelledby="experiments")
    (row,) = section.one("table").rows()
    said = row["Verdict, and the difference at its look"].replace("\N{NO-BREAK SPACE}", " ")
    low, high = (texts.signed(end, is_share=True) for end in verdict["difference"]["ci"])
    told = f"{low} to {high}, n {verdict['difference']['n_units']}"
    assert told.replace("\N{NO-BREAK SPACE}", " ") in said
    assert said.endswith("stopped")


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


@pytest.mark.parametrize("cutoff", [CASE["expected"][0]["cutoff_asked"], CASE["last_look"]])
def test_the_units_of_an_epoch_lead_to_so_many(looked: DashboardServer, cutoff: str) -> None:
    """By variant, those that were first served then."""
    table = next(
        one
        for one in looked.look(PATH, cutoff=cutoff).all("table")
        if "data-epochs" in one.attributes
    )
    links = [one for one in table.all("a") if "/units?" in one.attributes["href"]]
    assert len(links) >= 2
    for link in links:
        assert len(column(looked, link.attributes["href"], "Exposed")) == number(link.text)


def test_exposures_that_are_left_out_lead_to_their_runs(dash: DashboardServer) -> None:
    """Forced ones, those of which the code named no unit, and those since the cutoff."""
    dash.register("answer")
    hour = dash.clock.now().replace(minute=0, second=0, microsecond=0)
    dash.insert("experiments", {"experiment": "e", "name": "e", "first_seen": hour})
    dash.insert(
        "experiment_epochs",
        {
            "experiment": "e", "epoch": 1, "fingerprint": "", "strategy": "bucket", "salt": "",
            "variants": ["a"], "unit_kind": "bucket", "sticky": False, "app": "app",
            "opened_at": hour - timedelta(hours=3),
        },
    )  # fmt: skip
    early, late = hour - timedelta(hours=2), hour
    kinds = [
        ("u", False, early), ("u", True, early), (None, True, early), (None, False, early),
        ("u", True, late), ("u", False, late), (None, False, late),
    ]  # fmt: skip
    runs = [parse(dash.start()) for _ in kinds]
    served = {"experiment": "e", "idx": 0, "variant": "a", "p": 0.5, "epoch": 1}
    dash.insert(
        "exposures",
        *(
            served | {"run_id": run, "unit": unit, "forced": forced, "at": at}
            for run, (unit, forced, at) in zip(runs, kinds, strict=True)
        ),
    )
    led = []
    for link in dash.look("/experiments/e").all("a"):
        path, _, query = link.attributes["href"].partition("?")
        if path.endswith("/runs") and "experiment=e&" in query and "variant" not in query:
            found = html_pages.read(dash.ask("GET", link.attributes["href"]).text)
            rows = found.one("tbody", data_live_rows="").all("tr")
            assert len(rows) == number(link.text)
            led.append({parse(row.attributes["data-key"]) for row in rows})
    assert sorted(led, key=len) == [{runs[3]}, {*runs[1:3]}, {*runs[4:]}]


def test_a_difference_leads_to_the_units_of_both_variants(looked: DashboardServer) -> None:
    """So many of each: with scored runs where means are compared, else with mature ones."""
    cutoff = CASE["last_look"]
    metric = looked.get(f"experiments/{NAME}/results", cutoff=cutoff)["metrics"][0]
    tallies = {arm["variant"]: arm["tally"] for arm in metric["arms"]}
    page = looked.look(PATH, cutoff=cutoff)
    table = shown(page, "differences")
    ways = {"units_scored": ("scored", "Scored"), "units_mature": ("mature", "Mature")}
    assert len(table.rows()) > 3
    for told, row in zip(table.rows(), table.one("tbody").all("tr"), strict=True):
        name = "units_scored" if told["Of"].startswith("means") else "units_mature"
        links = [one for one in row.all("a") if "/units?" in one.attributes["href"]]
        for link, variant in zip(links, ("concise", "detailed"), strict=True):
            asked = dict(parse_qsl(urlsplit(link.attributes["href"]).query))
            having, head = ways[name]
            assert (asked["variant"], asked["having"]) == (variant, having)
            units = column(looked, link.attributes["href"], head)
            assert len(units) == number(link.text) == tallies[variant][name] > 0
            assert min(units) > 0


def test_a_look_leads_to_the_results_as_of_its_cutoff(looked: DashboardServer) -> None:
    """And the verdict to those of the look that gave it."""
    looks = looked.pages(f"experiments/{NAME}/looks")
    page = looked.look(PATH)
    rows = page.one("table", id="looks-table").one("tbody").all("tr")
    (crossed,) = [one for one in page.all("a") if one.text == "Results as of that look"]
    first = rows[len(rows) // 2].all("a")[0]
    verdict = looked.get("experiments")["data"][0]["verdicts"][0]["cutoff"]
    for link, cutoff in ((first, None), (crossed, verdict)):
        asked = dict(parse_qsl(urlsplit(link.attributes["href"]).query))
        assert asked["cutoff"] in {one["cutoff"] for one in looks}
        assert cutoff is None or asked["cutoff"] == cutoff
        then = html_pages.read(looked.ask("GET", link.attributes["href"]).text)
        table = then.one("table", id="looks-table").one("tbody")
        (current,) = [row for row in table.all("tr") if row.all("a", aria_current="true")]
        assert current.attributes["data-x"][:19] == asked["cutoff"][:19]
        (chip,) = then.all("li", class_="chip")
        assert asked["cutoff"] in chip.text


def test_a_guardrail_leads_to_the_results_of_its_metric(dash: DashboardServer) -> None:
    """Alone, with a way back."""
    load(dash.url, plan(guardrails={"run.failure": 0.05}))
    (link,) = dash.look(PATH).one("table", data_guardrails="concise").all("a")
    then = html_pages.read(dash.ask("GET", link.attributes["href"]).text)
    assert [
        one.attributes["data-arms"] for one in then.all("table") if "data-arms" in one.attributes
    ] == ["run.failure"]
    (back,) = then.one("li", class_="chip").all("a")
    assert "metric" not in back.attributes["href"]


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
    told = row["Verdict, and the difference at its look"]
    assert told.startswith("↑better concise")
