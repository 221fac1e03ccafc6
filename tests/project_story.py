"""A project in which everything has happened that pages show, told in any words.

`tell(server, words)` writes it; the story then knows where each page is opened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from api_server import failure, memo, step
from assay.dashboard.asking import part
from assay.experiments import daily
from assay.ids import parse, span_of, step_key, to_text
from assay.model.experiments import Declarer, MetricKind, Plan
from assay.store import choices, registrations, user_spans
from project_words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.dashboard.page import Page
    from dashboard_server import DashboardServer

SPAN = 42
STEP_SPAN = 1001
DAYS = 4


@dataclass(frozen=True, kw_only=True)
class Story:
    """What there is to look at.

    Attributes:
        runs: by status; the completed one has all that a run may have.
        events: one that started a run, and one that woke it.
        experiments: with a plan, and one without that was stopped.
    """

    words: Words
    runs: dict[str, str]
    events: tuple[str, ...]
    experiments: tuple[str, ...]

    @property
    def parameters(self) -> dict[str, str]:
        """A value for every parameter of a path: a page with another one needs it here."""
        words = self.words
        return {
            "app_id": words.app,
            "event_id": self.events[0],
            "experiment_id": words.experiment,
            "function_id": words.function,
            "key": words.session_key,
            "name": words.score,
            "run_id": self.runs["completed"],
            "session_id": words.session_id,
            "span_id": f"{SPAN:016x}",
        }

    def filled(self, path: str, **others: str) -> str:
        """A path of a page or action with its parameters filled in."""
        values = self.parameters | others
        return path.format(**{name: part(value) for name, value in values.items()})

    def places(self, page: Page) -> list[str]:
        """Where a page is opened, below the project: once for each kind of thing that it shows."""
        kinds: dict[str, tuple[str, Sequence[str]]] = {
            "/runs/{run_id}": ("run_id", tuple(self.runs.values())),
            "/scores/{name}": ("name", (self.words.score, self.words.rating)),
            "/experiments/{experiment_id}": ("experiment_id", self.experiments),
            "/events/{event_id}": ("event_id", self.events),
        }
        if page.path == "/runs/compare":
            runs = tuple(self.runs.values())
            return [f"/runs/compare?a={runs[0]}&b={runs[-1]}"]
        if page.path == "/find":
            return ["/find", *(f"/find?q={part(text[:9])}" for text in (self.words.score, "e"))]
        name, values = kinds.get(page.path, ("run_id", (self.runs["completed"],)))
        places = [self.filled(page.path, **{name: value}) for value in values]
        if page.path == "/runs/{run_id}":
            # With its panel, too: a call of a model, and a step.
            places += [f"{places[-1]}?span={span:016x}" for span in (SPAN, STEP_SPAN)]
        elif page.path.endswith("/units"):
            places += [f"{place}?metric=run.failure" for place in places]
        return places


def tell(server: DashboardServer, words: Words) -> Story:
    """Write all of it; gives where it is."""
    _register(server, words)
    runs, events = _runs(server, words)
    names = (words.experiment, words.tried)
    plan = Plan(
        primary=words.score,
        kind=MetricKind.BOOLEAN,
        control=words.control,
        days=28,
        units=40,
        maturity_s=3600,
        unit=words.unit,
        on_failure=0,
    )
    served = [start(server, words) for _ in range(12)]
    for name in names:
        serve(server, words, name, [*runs.values(), *served])
    for at, run in enumerate([*runs.values(), *served]):
        _score(server, words, run, passed=at % 3 > 0)
    _declare(server, words, plan)
    _stop(server, words)
    _promise(server, words, [*runs.values(), *served])
    return Story(words=words, runs=runs, events=events, experiments=names)


def nothing(server: DashboardServer) -> Story:
    """A story of which nothing has happened: there is no such run, event or experiment."""
    run = to_text(server.ulid())
    return Story(words=Words(), runs={"completed": run}, events=(run,), experiments=("none",))


def start(server: DashboardServer, words: Words, **more: Any) -> str:
    """A run of the project's function in its session."""
    sessions = {words.session_key: words.session_id}
    data = {"ticket": words.datum, words.attribute: [1, None, {"deep": words.datum}]}
    return server.start(name=words.event, data=data, sessions=sessions, **more)


def _register(server: DashboardServer, words: Words) -> None:
    usual = {"app": words.app, "version": "v1", "options": {"retries": 4}}
    triggers = [{"event": words.event}]
    rows: list[dict[str, Any]] = [
        {**usual, "fn": words.function, "kind": "function", "triggers": triggers},
        {**usual, "fn": words.scorer, "kind": "scorer", "triggers": []},
    ]
    server.run(
        registrations.register(
            server.connection, rows, project=1, source="", now=server.clock.now()
        )
    )


def _runs(server: DashboardServer, words: Words) -> tuple[dict[str, str], tuple[str, str]]:
    runs = {
        status: start(server, words, **({"key": words.key} if status == "completed" else {}))
        for status in ("queued", "running", "waiting", "cancelled", "failed", "completed")
    }
    sent = {"name": words.waited, "data": {"helpful": True, "words": words.datum}}
    (woke,) = server.post("events", {"events": [sent]})["event_ids"]
    for status in ("running", "waiting"):
        server.claim(runs[status])
    _wait(server, words, runs["waiting"])
    server.park(runs["waiting"])
    whole = runs["completed"]
    _journal(server, words, whole, woke)
    _family(server, words, whole)
    _spans(server, words, whole)
    server.clock.advance(timedelta(seconds=9))
    error = failure(words.error_type, words.message, traceback=words.message, code="odd")
    server.finish(runs["failed"], "failed", error=error)
    server.insert("journal", memo(runs["cancelled"], "listen", 1, kind="wait"))
    server.finish(runs["cancelled"], "cancelled")
    server.finish(whole, output=json.dumps({"answer": words.output, "list": [words.output]}))
    return runs, (server.get(f"runs/{whole}")["event_ids"][0], woke)


def _journal(server: DashboardServer, words: Words, run: str, woke: str) -> None:
    now = server.clock.now()
    tried = {"worker_id": server.worker, "started_at": now - timedelta(seconds=5), "ended_at": now}
    error = failure(words.error_type, words.message, traceback=f"Traceback\n{words.message}")
    text = json.dumps({"text": words.output})
    server.insert(
        "journal",
        memo(run, words.step, 1, attempts=2, input=text, output=text),
        memo(run, "ask", 2, kind="invoke", output="1"),
        memo(run, "rest", 3, kind="sleep", output="null"),
        memo(run, "listen", 4, kind="wait", event_id=parse(woke), output="null"),
        memo(run, "break", 5, error=error),
    )
    server.insert("attempts", step(run, words.step, span=1001, attempt=1, error=error, **tried))
    server.insert("run_events", {"run_id": parse(run), "event_id": parse(woke)})


def _wait(server: DashboardServer, words: Words, run: str) -> None:
    now = server.clock.now()
    until = now + timedelta(days=7)
    waiting = {"kind": "wait", "event_name": words.waited, "since": now, "registered_at": now}
    server.insert("waits", step(run, "listen", span=77, expires_at=until, **waiting))


def _family(server: DashboardServer, words: Words, run: str) -> None:
    """A run that it invoked, and one that scores it."""
    usual = {
        "app": words.app,
        "fn": words.function,
        "kind": "function",
        "version": "v1",
        "event_id": server.ulid(),
        "parent_run": parse(run),
        "trace": parse(run),
        "status": "completed",
        "queued_at": server.clock.now(),
        "started_at": server.clock.now(),
        "ended_at": server.clock.now(),
        "sessions": {words.session_key: words.session_id},
    }
    invoked = {"id": server.ulid(), "parent_step": step_key("ask", 0), "parent_span": 1002}
    scorer = {"id": server.ulid(), "fn": words.scorer, "kind": "scorer", "parent_defer": "d"}
    server.insert("runs", usual | invoked, usual | scorer)
    session = {"key": words.session_key, "value": words.session_id}
    server.insert("run_sessions", *(session | {"run_id": one["id"]} for one in (invoked, scorer)))
    deferred = {"run_id": parse(run), "defer_id": "d", "scorer": words.scorer, "state": "started"}
    server.insert(
        "defers",
        deferred
        | {"names": [words.rating], "child_run": scorer["id"]}
        | {"payload": json.dumps(words.datum), "promised_at": server.clock.now()},
    )


def _spans(server: DashboardServer, words: Words, run: str) -> None:
    """A call of a model in a step, with what was said, and a call of a tool below it."""
    call = {"type": "tool_call", "id": "c1", "name": words.tool, "arguments": {"q": words.said}}
    given = {"type": "tool_call_response", "id": "c1", "result": words.said}
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": words.said}]},
        {"role": "user", "parts": [{"type": "text", "content": words.said * 9}]},
        {"role": "assistant", "parts": [call]},
        {"role": "tool", "parts": [given]},
    ]
    said = [{"role": "assistant", "parts": [{"type": "text", "content": words.said}]}]
    attributes = {
        "gen_ai.request.model": words.attribute,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps(said),
    }
    stamp = server.clock.now().isoformat()
    usual = {
        "day": server.clock.now().date(),
        "trace": parse(run),
        "run": parse(run),
        "step": step_key(words.step, 0),
        "attempt": 2,
        "kind": "client",
        "started": server.clock.time(),
        "ended": server.clock.time() + 1,
        "events": json.dumps([{"name": "token", "ts": stamp, "attributes": {"n": words.said}}]),
    }
    model = {"span": SPAN, "parent": span_of(1001, 2), "name": words.span, "status": "error"}
    model |= {"message": words.span_message, "attributes": json.dumps(attributes)}
    tool = {"span": SPAN + 1, "parent": SPAN, "name": f"execute_tool {words.tool}"}
    tool |= {"status": "unset", "message": None, "attributes": "{}"}
    server.run(user_spans.add(server.connection, [usual | model, usual | tool], project=1))


def serve(server: DashboardServer, words: Words, name: str, runs: Sequence[str]) -> None:
    """An experiment that has served these runs, some days ago."""
    begun = server.clock.now() - timedelta(days=DAYS)
    epoch = {"strategy": "bucket", "salt": "s", "unit_kind": "bucket", "sticky": False}
    weights = {words.control: 50, words.variant: 50}
    server.insert("experiments", {"experiment": name, "name": name, "first_seen": begun})
    server.insert(
        "experiment_epochs",
        {"experiment": name, "epoch": 1, "fingerprint": "f", "variants": list(weights)}
        | {"weights": weights, "app": words.app, "author": words.author, "opened_at": begun}
        | epoch,
    )
    usual = {"experiment": name, "idx": 0, "p": 0.5, "epoch": 1, "forced": False, "at": begun}
    server.insert(
        "exposures",
        *(
            usual
            | {"run_id": parse(run), "variant": [words.control, words.variant][at % 2]}
            | {"unit": f"{words.unit}{at}"}
            for at, run in enumerate(runs)
        ),
    )


def _score(server: DashboardServer, words: Words, run: str, *, passed: bool) -> None:
    """One boolean about the run, one number about its step."""
    given = {"run_id": run, "rationale": words.rationale, "author": words.author}
    at = (server.clock.now() - timedelta(days=DAYS - 1)).isoformat()
    server.post("scores", given | {"name": words.score, "value": passed, "at": at})
    server.post(
        "scores", given | {"name": words.rating, "value": 1.5 + passed, "step_id": words.step}
    )


def _declare(server: DashboardServer, words: Words, plan: Plan) -> None:
    """A plan, and the looks at it until now."""
    now = server.clock.now()

    async def work() -> None:
        await choices.declare_plan(
            server.connection,
            plan,
            project=1,
            experiment=words.experiment,
            by=Declarer(app=words.app, version="1", worker="host:1", author=words.author),
            now=now - timedelta(days=DAYS),
        )
        async with (
            server.connection.transaction(),
            server.connection.cursor(row_factory=dict_row) as cursor,
        ):
            await daily.look(cursor, project=1, experiment=words.experiment, now=now)

    server.run(work())


def _stop(server: DashboardServer, words: Words) -> None:
    body = {"decision": words.decision, "reason": words.stop_reason, "author": words.author}
    server.post(f"experiments/{part(words.tried)}/stop", body)


def _promise(server: DashboardServer, words: Words, runs: Sequence[str]) -> None:
    """An outcome in each state."""
    states = ("pending", "observed", "timed_out", "skipped", "failed", "cancelled")
    for run, state in zip(runs, states, strict=False):
        server.promise(run, words.rating, state, words.reason)
