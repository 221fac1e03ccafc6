"""What stays whole in a narrow terminal, and what a failed run tells."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from assay.cli import printing
from assay.cli.tree import tree_of

RUN = "01M82T97VPZGT1D2EA74HFTED9"
FAILED: dict[str, Any] = {
    "id": RUN,
    "app_id": "app",
    "function_id": "answer",
    "kind": "function",
    "status": "failed",
    "sessions": [],
    "queued_at": "2026-11-23T00:00:00Z",
    "started_at": "2026-11-23T00:00:00Z",
    "ended_at": "2026-11-23T00:00:01Z",
    "parent_run_id": None,
    "output": None,
    "warnings": [],
    "outcomes": [],
    "steps": [],
}
ROOT: dict[str, Any] = {
    "span_id": "a",
    "parent_span_id": None,
    "run_id": RUN,
    "name": "answer",
    "status": "error",
    "status_message": None,
    "started_at": "2026-11-23T00:00:00Z",
    "ended_at": "2026-11-23T00:00:01Z",
    "attributes": {"assay.kind": "run"},
    "events": [],
}


@pytest.mark.parametrize("width", [80, 120, 200])
def test_ids_and_states_stay_whole(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They get copied, so only texts are folded."""
    out = Console(width=width, record=True, quiet=False)
    monkeypatch.setattr(printing, "console", lambda: out)
    printing.print_table(
        ("run", "function", "status", "queued", "took", "sessions", "result"),
        [
            (
                RUN,
                "answer-support-ticket",
                Text("cancelled"),
                "2026-11-23 00:00:00",
                "59.9 min",
                "ticket_id=tk_123",
                "word " * 8,
            )
        ],
        empty="",
    )

    lines = out.export_text().splitlines()
    row = next(line for line in lines if RUN in line)
    for part in (RUN, "cancelled", "2026-11-23", "59.9 min"):
        assert part in row
    assert all(len(line) <= width for line in lines)


def test_a_failed_run_tells_all_of_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole message, the code, and the line of the author's own code."""
    message = f"the start {'and more ' * 30}the end"
    error: dict[str, Any] = {
        "type": "AssayError",
        "code": "body_io",
        "message": message,
        "traceback": "Traceback (most recent call last):\n"
        '  File "/x/src/assay/sdk/declaring.py", line 141, in start\n    await body()\n'
        '  File "/home/me/app.py", line 93, in answer\n    await asyncio.sleep(1)\n'
        '  File "/usr/lib/python3.11/asyncio/tasks.py", line 645, in sleep\n    loop.call_later()\n'
        f"assay.errors.AssayError: {message}\n",
    }
    printing.console().print(tree_of(FAILED | {"error": error, "spans": [ROOT]}, []))

    shown = capsys.readouterr().out
    assert f"error AssayError (body_io): {message}" in shown
    assert "at /home/me/app.py, line 93, in answer" in shown


@pytest.mark.parametrize(("value", "text"), [(33.0, "33"), (0.5, "0.5"), (1e300, "1e+300")])
def test_a_score_tells_what_it_counts_for(
    capsys: pytest.CaptureFixture[str], value: float, text: str
) -> None:
    """Its value as short as it was given; each use of an experiment, and what it names in vain."""
    use = {"experiment": "answer-style", "variant": "concise", "index": 0, "counted": True}
    uses = [use, use | {"experiment": "model", "variant": "m", "index": 2, "counted": False}]
    scored = {
        "name": "gen_ai.evaluation.result",
        "attributes": {
            "gen_ai.evaluation.name": "quality",
            "gen_ai.evaluation.score.value": value,
            "assay.score.source": "api",
            "assay.score.attributions": uses,
        },
    }
    printing.console().print(
        tree_of(FAILED | {"error": None, "spans": [ROOT | {"events": [scored]}]}, [])
    )

    shown = " ".join(capsys.readouterr().out.split())
    assert f"quality {text} score from api, for concise of answer-style" in shown
    assert "left out: not served m of model (2)" in shown
