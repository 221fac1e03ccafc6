"""The code that empty pages teach runs as it stands there."""

from __future__ import annotations

import asyncio
import runpy
from typing import TYPE_CHECKING

import pytest

import assay
from assay.dashboard import teaching
from assay.testing import Sandbox
from dashboard_server import DashboardServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUESTION = {"question": "May I return it?", "account": "acct_1"}


@pytest.mark.parametrize(
    ("code", "event", "scores"),
    [
        (teaching.first_function, assay.Event("question/asked", QUESTION), ["is-short"]),
        (teaching.first_experiment, assay.Event("question/asked", QUESTION), ["is-short"]),
        (teaching.first_scorer, assay.Event("ticket/opened", {"ticket": "tk_1"}), []),
    ],
    ids=["function", "experiment", "scorer"],
)
def test_what_is_taught_runs(
    code: Callable[[], str],
    event: assay.Event,
    scores: list[str],
    assay_database: str,
    tmp_path: Path,
) -> None:
    """As a whole file, on the event that its page sends."""
    app = tmp_path / "app.py"
    app.write_text(code())
    client = runpy.run_path(str(app))["client"]
    assert isinstance(client, assay.Client)

    async def story() -> None:
        async with Sandbox(client, database_url=assay_database) as box:
            sent = await client.send(event)
            run = await box.finished(sent.run_ids[0])
            assert run.status == "completed"
            assert [score.name for score in await box.scores(run.id)] == scores
            promised = [outcome.name for outcome in run.outcomes]
            assert promised == (["user-feedback"] if code is teaching.first_scorer else [])

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/", "/outcomes", "/experiments", "/functions"])
def test_a_program_is_taught_with_what_runs_it_here(path: str, assay_database: str) -> None:
    """The worker of `assay dev` takes what is saved in its files; beside others one is started."""
    with DashboardServer(assay_database) as server:
        taught = server.look(path).one(class_="empty")
        assert "assay worker app.py" in [one.text for one in taught.all("pre")]
        assert "assay dev" not in taught.text
    with DashboardServer(assay_database, targets=("agents/main.py",)) as server:
        taught = server.look(path).one(class_="empty")
        assert "Put this into agents/main.py: saved, it is started again." in taught.text
        assert "assay worker" not in taught.text
