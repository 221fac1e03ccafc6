"""A run whose code made tens of thousands of spans, and texts that are hard to show."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assay.ids import parse
from assay.store import user_spans

if TYPE_CHECKING:
    from api_server import ApiServer

ARABIC = "مرحبا بالعالم، كيف يمكنني مساعدتك اليوم؟"
EMOJI = "👩‍👩‍👧‍👦 family 🇪🇺 flag 👍🏽"
LONG = "tool_" + "x" * 195
HOSTILE = "<script>alert(1)</script>\"'\u202egnp.exe"
BATCH = 5_000


def store(api: ApiServer, run: str, spans: list[dict[str, Any]]) -> None:
    """Store spans of a run's code; what is not said of one is as usual."""
    now = api.clock.time()
    usual = {"trace": parse(run), "run": parse(run), "day": api.clock.now().date(), "step": None}
    usual |= {"attempt": None, "message": None, "attributes": "{}", "events": "[]", "parent": None}
    usual |= {"kind": "client", "status": "unset", "started": now, "ended": now + 1}
    for first in range(0, len(spans), BATCH):
        rows = [usual | span for span in spans[first : first + BATCH]]
        api.run(user_spans.add(api.connection, rows, project=1))


def span(number: int, start: float) -> dict[str, Any]:
    """A span among many: models call tools that query, and some fail."""
    depth = (number - 1) % 3
    begun = start + number // 3 * 3 / 1e3 + depth / 1e4
    return {
        "span": number,
        "parent": number - 1 if depth else None,
        "name": ("chat gpt-5", f"execute_tool search_{number % 9}", f"query {number % 40}")[depth],
        "started": begun,
        "ended": begun + (1 + number * 7919 % 997) / 1e4 / (1 + depth),
        "status": "error" if number % 997 == 0 else "unset",
    }


def large(api: ApiServer, count: int = 50_000) -> str:
    """A run with so many spans; gives its id."""
    run = api.start()
    start = api.clock.time()
    store(api, run, [span(number, start) for number in range(1, count + 1)])
    api.clock.advance(timedelta(seconds=60))
    api.finish(run, output='"done"')
    return run


def odd(api: ApiServer) -> str:
    """A run whose spans have names and messages that are hard to show; gives its id."""
    run = api.start()
    said = [
        {"role": "user", "parts": [{"type": "text", "content": ARABIC}]},
        {"role": "assistant", "parts": [{"type": "text", "content": EMOJI + "long " * 400_000}]},
    ]
    attributes = json.dumps({"gen_ai.input.messages": json.dumps(said)})
    spans = [
        {"span": number, "parent": number - 1 or None, "name": name, "attributes": attributes}
        for number, name in enumerate((ARABIC, EMOJI, LONG, HOSTILE), 1)
    ]
    store(api, run, spans)
    api.clock.advance(timedelta(seconds=20))
    api.finish(run, output='"done"')
    return run
