"""Statements 26-28 on sessions, and 38-41 on reading what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from opentelemetry import trace

import assay
from assay.ids import to_text
from boxes import finish, start, values

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


async def test_sessions_never_change_what_runs(open_box: OpenBox) -> None:
    """26: the same functions start with and without them."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None: ...

    @client.function("g", on=assay.on("go", if_="event.data.n == 1"))
    async def g(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        for sessions in (None, {}, {"ticket": "tk"}):
            sent = await box.send(assay.Event("go", {"n": 1}, sessions=sessions))
            started = [(await box.run(run)).function_id for run in sent.run_ids]
            assert sorted(started) == ["f", "g"]


async def test_a_session_lists_its_runs_with_all_descendants(open_box: OpenBox) -> None:
    """27: of two functions, and of what they invoke, send and promise."""
    client = assay.Client("app")

    @client.scorer("scorer", scores="a")
    async def scorer(_: assay.ScorerContext) -> bool:
        return True

    @client.function("invoked", on="never")
    async def invoked(_: assay.Context) -> None: ...

    @client.function("sent", on="other")
    async def sent(_: assay.Context) -> None: ...

    @client.function("sent-too", on="third")
    async def sent_too(_: assay.Context) -> None: ...

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.invoke("i", invoked)
        await ctx.step.send_event("s", assay.Event("other", {}))
        await client.send(assay.Event("third", {}))
        ctx.defer("d", scorer, {})

    @client.function("g", on="go")
    async def g(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        await box.send(assay.Event("go", {}, sessions={"ticket": "tk"}))
        await box.send(assay.Event("go", {}, sessions={"ticket": "other"}))
        await box.settled()
        found = await box.get("sessions/ticket/tk/runs")
        assert sorted(run["function_id"] for run in found["data"]) == [
            "f",
            "g",
            "invoked",
            "scorer",
            "sent",
            "sent-too",
        ]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (None, {"a": "1", "b": "2"}),
        ({}, {"a": "1", "b": "2"}),
        (assay.DROP, {}),
        ({"a": assay.DROP}, {"b": "2"}),
        ({"a": None, "c": 3}, {"b": "2", "c": "3"}),
        ({"a": "x"}, {"a": "x", "b": "2"}),
        (dict.fromkeys("vwxyz", "n"), dict.fromkeys("vwxyz", "n")),
        (dict.fromkeys("wxyz", "n"), {"a": "1", **dict.fromkeys("wxyz", "n")}),
    ],
)
async def test_what_an_author_says_of_inherited_sessions(
    open_box: OpenBox, layer: Any, expected: dict[str, str]
) -> None:
    """28: absent and {} keep, DROP drops all, a key's tombstone drops that key; 5 at most."""
    client = assay.Client("app")

    @client.scorer("scorer", scores="a")
    async def scorer(ctx: assay.ScorerContext) -> None:
        seen.append(ctx.sessions)

    @client.function("child", on="other")
    async def child(ctx: assay.Context) -> None:
        seen.append(ctx.sessions)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.send_event("s", assay.Event("other", {}, sessions=layer))
        await ctx.step.invoke("i", child, {}, sessions=layer)
        ctx.defer("d", scorer, {}, sessions=layer)

    seen: list[dict[str, str]] = []
    async with open_box(client) as box:
        run = await finish(box, sessions={"a": "1", "b": "2"})
        await box.settled()
        assert run.status == "completed"
        assert seen == [expected] * 3


@pytest.mark.parametrize(
    "pairs",
    [
        {"k" * 129: "v"},
        {"k": "v" * 513},
        {"k": True},
        {"k": ["v"]},
        {"": "v"},
        {"k": ""},
        dict.fromkeys("abcdef", "v"),
    ],
)
async def test_sessions_that_are_refused(open_box: OpenBox, pairs: Any) -> None:
    """28: keys of 128 bytes, ids of 512, no booleans or lists, five pairs."""
    client = assay.Client("app")
    async with open_box(client):
        with pytest.raises(assay.AssayError) as caught:
            await client.send(assay.Event("go", {}, sessions=pairs))
        assert caught.value.code == "sessions_invalid"


async def test_status_and_score_are_independent(open_box: OpenBox) -> None:
    """38: a completed run with score 0 is a success and a bad outcome."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="ok", value=ctx.event.data["ok"])
        if ctx.event.data.get("fails"):
            raise assay.NonRetriableError("no")

    async with open_box(client) as box:
        bad = await finish(box, data={"ok": 0})
        good = await finish(box, data={"ok": 1, "fails": True})
        assert (bad.status, values(bad)) == ("completed", {"ok": 0})
        assert (good.status, values(good)) == ("failed", {"ok": 1})
        found = await box.get("runs", score="ok", score_max=0, status="completed")
        assert [run["id"] for run in found["data"]] == [bad.id]


async def test_from_a_bad_score_to_its_causes(open_box: OpenBox) -> None:
    """39, 41: to the trace, the model call in its step, and the session's other runs."""
    client = assay.Client("app")
    tracer = trace.get_tracer("test")

    def call_model() -> str:
        with tracer.start_as_current_span("chat", attributes={"gen_ai.request.model": "m"}):
            return "answer"

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("answer", call_model)
        with tracer.start_as_current_span("outside"):
            await ctx.step.score("s", name="ok", value=0)

    async with open_box(client) as box:
        run = await finish(box, sessions={"ticket": "tk"})
        sibling = await finish(box, sessions={"ticket": "tk"})
        found = await box.get("runs", score="ok", score_max=0)
        assert run.id in [one["id"] for one in found["data"]]
        spans = {span.name: span for span in run.spans}
        chat = spans["chat"]
        assert (chat.step_id, chat.trace_id) == ("answer", run.trace_id)
        assert chat.attributes["gen_ai.request.model"] == "m"
        by_id = {span.span_id: span for span in run.spans}
        above = by_id[chat.parent_span_id or ""]
        assert (above.step_id, above.attempt) == ("answer", 1)
        assert "outside" not in spans
        session = await box.get("sessions/ticket/tk/runs")
        assert {one["id"] for one in session["data"]} == {run.id, sibling.id}


async def test_sql_gives_the_score_of_each_run_and_null_where_there_is_none(
    open_box: OpenBox, assay_database: str
) -> None:
    """40: by its literal name from the latest scores; what is missing stays null."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        if "ok" in ctx.event.data:
            for value in (1, ctx.event.data["ok"]):
                await ctx.step.score("s", name="answer-quality", value=value)

    async with open_box(client) as box:
        runs = [await start(box, data=data) for data in ({"ok": 0.5}, {}, {"ok": False})]
        await box.settled()
        with psycopg.connect(assay_database) as connection:
            rows = connection.execute(
                "SELECT r.id, l.value FROM assay.runs r LEFT JOIN assay.scores_latest l"
                " ON l.project_id = r.project_id AND l.run_id = r.id AND l.subject = 'run'"
                " AND l.name = 'answer-quality' WHERE r.project_id = 1"
            ).fetchall()
        found = {to_text(run): value for run, value in rows}
        assert found == dict(zip(runs, [0.5, None, 0.0], strict=True))
