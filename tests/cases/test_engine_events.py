"""Events: what they start, what they don't, and who sends them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pydantic
import pytest

import assay
from assay.clock import DatabaseClock
from assay.ids import Ids, to_text
from boxes import Recorder, finish, start, step

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


class Ticket(pydantic.BaseModel):
    """What a typed event holds."""

    account: int


async def test_wildcards_conditions_and_lists_start_functions(open_box: OpenBox) -> None:
    """A `*` stands for the rest after `/` or `.`; `if_` is CEL over the event."""
    client = assay.Client("app")

    @client.function("all", on="app/*")
    async def all_(_: assay.Context) -> None: ...

    @client.function("users", on=["app/user.*", "other"])
    async def users(_: assay.Context) -> None: ...

    @client.function("large", on=assay.on("app/user.paid", if_="event.data.total > 100"))
    async def large(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        for name, data, expected in (
            ("app/user.paid", {"total": 101}, {"all", "users", "large"}),
            ("app/user.paid", {"total": 100}, {"all", "users"}),
            ("app/user.paid", {}, {"all", "users"}),
            ("app/x", {}, {"all"}),
            ("other", {}, {"users"}),
            ("app", {}, set()),
        ):
            sent = await box.send(assay.Event(name, data))
            assert {(await box.run(run)).function_id for run in sent.run_ids} == expected


async def test_several_triggers_of_a_function_start_it_once(open_box: OpenBox) -> None:
    """However many of them an event matches."""
    client = assay.Client("app")

    @client.function("f", on=["go", "*", assay.on("go", if_="true")])
    async def f(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        assert len((await box.send(assay.Event("go", {}))).run_ids) == 1


async def test_an_event_of_the_future_starts_its_runs_then(open_box: OpenBox) -> None:
    """A `ts` to come delays the start to that instant."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        at = box.clock.now() + timedelta(hours=2)
        run = await start(box, ts=at)
        await box.advance("119m")
        assert (await box.run(run)).status == "queued"
        await box.advance("1m")
        assert (await box.finished(run)).started_at == at


async def test_an_idempotency_key_holds_for_a_day(open_box: OpenBox) -> None:
    """A second event with the key is stored; it starts and wakes nothing. Then the key is free."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> bool:
        event = await ctx.step.wait_for_event("w", event="go", timeout="1h", lookback="1h")
        return event is None

    async with open_box(client) as box:
        both = await box.send([assay.Event("go", {"n": n}, key="order-42") for n in (1, 2)])
        assert (len(both.event_ids), len(both.run_ids)) == (2, 1)
        await box.settled()
        again = await box.send(assay.Event("go", {"n": 3}, key="order-42"))
        assert (again.run_ids, dict(again.duplicates)) == (
            (),
            {again.event_ids[0]: both.event_ids[0]},
        )
        assert (await box.event(again.event_ids[0])).data == {"n": 3}
        assert (await box.run(both.run_ids[0])).output is False
        await box.advance("24h")
        assert len((await box.send(assay.Event("go", {}, key="order-42"))).run_ids) == 1


async def test_a_second_event_with_a_key_wakes_nothing(open_box: OpenBox) -> None:
    """Neither sent from outside nor from a run."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> object:
        event = await ctx.step.wait_for_event("w", event="reply", timeout="1h")
        return event and event.data

    @client.function("g", on="send")
    async def g(ctx: assay.Context) -> None:
        await ctx.step.send_event("s", assay.Event("reply", {"n": 3}, key="k"))

    async with open_box(client) as box:
        await box.send(assay.Event("reply", {"n": 1}, key="k"))
        await box.advance("1s")
        run = await start(box)
        await box.settled()
        await box.send(assay.Event("reply", {"n": 2}, key="k"))
        await finish(box, "send")
        assert (await box.run(run)).status == "waiting"
        await box.send(assay.Event("reply", {"n": 4}))
        assert (await box.finished(run)).output == {"n": 4}


async def test_an_event_of_a_run_says_that_it_is_a_duplicate(open_box: OpenBox) -> None:
    """It names the event that had its key."""
    client = assay.Client("app")

    @client.function("g", on="go")
    async def g(ctx: assay.Context) -> str:
        sent = await ctx.step.send_event("s", assay.Event("reply", {}, key="k"))
        return sent.event_ids[0]

    async with open_box(client) as box:
        first = await box.send(assay.Event("reply", {}, key="k"))
        second = (await finish(box)).output
        await box.settled()
        assert (await box.event(str(second))).duplicate_of == first.event_ids[0]


async def test_a_wait_looks_back_past_the_day_of_a_key(open_box: OpenBox) -> None:
    """An event that another one with its key has followed since was no duplicate."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> object:
        event = await ctx.step.wait_for_event("w", event="reply", timeout="1h", lookback="7d")
        return event and event.data

    async with open_box(client) as box:
        for n in (1, 2):
            await box.send(assay.Event("reply", {"n": n}, key="k"))
            await box.advance("25h")
        assert (await finish(box)).output == {"n": 1}


async def test_the_same_event_id_sent_again_gives_the_same_runs(open_box: OpenBox) -> None:
    """Sending twice is safe: the sender minted the id."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        first = await box.send(assay.Event("go", {}))
        again = await box.send(assay.Event("go", {}, id=first.event_ids[0]))
        assert again == first
        assert len(await box.runs()) == 1


async def test_data_that_fails_the_schema_starts_nothing_and_the_event_says_so(
    open_box: OpenBox,
) -> None:
    """Sent from outside and by a run alike; other functions start."""
    client = assay.Client("app")

    @client.function("typed", on="ticket")
    async def typed(ctx: assay.Context[Ticket]) -> int:
        return ctx.event.data.account

    @client.function("plain", on="ticket")
    async def plain(_: assay.Context) -> None: ...

    @client.function("sender", on="go")
    async def sender(ctx: assay.Context) -> list[str]:
        sent = await ctx.step.send_event("s", assay.Event("ticket", {"account": "x"}))
        return list(sent.event_ids)

    async with open_box(client) as box:
        assert (await box.send(assay.Event("ticket", {"account": 1}))).run_ids
        sent = await box.send(assay.Event("ticket", {"account": "x"}))
        assert [(await box.run(run)).function_id for run in sent.run_ids] == ["plain"]
        run = await finish(box)
        assert isinstance(run.output, list)
        for event in (*sent.event_ids, *run.output):
            (warning,) = (await box.event(event)).warnings
            assert "typed was not started: data.account" in warning
        assert [len(await box.runs(fn)) for fn in ("typed", "plain")] == [1, 3]


async def test_a_condition_that_is_no_cel_costs_its_own_function_alone(open_box: OpenBox) -> None:
    """The event is taken, the others start, and the event says what did not."""
    client = assay.Client("app")

    @client.function("broken", on=assay.on("go", if_="event.data. >"))
    async def broken(_: assay.Context) -> None: ...

    @client.function("whole", on="go")
    async def whole(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        sent = await box.send(assay.Event("go", {}))
        assert len(sent.run_ids) == 1
        (warning,) = (await box.event(sent.event_ids[0])).warnings
        assert warning.startswith("broken was not started: the condition is not valid")


async def test_one_event_id_twice_in_one_sending_is_one_event(open_box: OpenBox) -> None:
    """From outside and from a run alike: the first of them counts, and starts its run once."""
    client = assay.Client("app")
    ids = [to_text(Ids(DatabaseClock()).new()) for _ in range(2)]

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.send_event("s", [assay.Event("a", {"n": n}, id=ids[1]) for n in (3, 4)])

    @client.function("g", on="a")
    async def g(ctx: assay.Context) -> int:
        return int(ctx.event.data["n"])

    async with open_box(client) as box:
        sent = await box.send([assay.Event("a", {"n": n}, id=ids[0]) for n in (1, 2)])
        await finish(box)
        await box.settled()
        runs = await box.runs("g")
        assert sent.event_ids == (ids[0], ids[0])
        assert len(sent.run_ids) == 1
        assert sorted(str(run.output) for run in runs) == ["1", "3"]


async def test_send_event_is_a_step_that_starts_runs(open_box: OpenBox) -> None:
    """Once, whatever replays; inside a run no run ids are known yet."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[int]:
        sent = await ctx.step.send_event("s", [assay.Event("a", {}), assay.Event("b", {})])
        await ctx.step.sleep("nap", "1h")
        return [len(sent.event_ids), len(sent.run_ids)]

    @client.function("g", on=["a", "b"])
    async def g(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        ended = await box.finished(run)
        children = await box.runs("g")
        assert ended.output == [2, 0]
        assert [child.parent_run_id for child in children] == [run, run]
        assert {child.trace_id for child in children} == {ended.trace_id}


async def test_client_send_in_a_body_is_a_step(open_box: OpenBox) -> None:
    """It is sent once, however often the body is replayed."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await client.send(assay.Event("a", {}))
        await ctx.step.sleep("nap", "1h")

    @client.function("g", on="a")
    async def g(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        await start(box)
        await box.advance("1h")
        assert len(await box.runs("g")) == 1


async def test_client_send_in_a_step_is_kept_also_when_the_attempt_fails(
    open_box: OpenBox,
) -> None:
    """It is buffered to the attempt: each attempt sends its own."""
    client, tries = assay.Client("app"), Recorder()

    async def send() -> None:
        await client.send(assay.Event("a", {"attempt": assay.current_step().attempt}))
        tries.append("")
        if len(tries) == 1:
            raise ValueError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", send)

    @client.function("g", on="a")
    async def g(ctx: assay.Context) -> int:
        return int(ctx.event.data["attempt"])

    async with open_box(client) as box:
        await start(box)
        await box.advance("15s")
        assert [run.output for run in await box.runs("g")] == [1, 2]


async def test_invoke_gives_the_output_of_the_child(open_box: OpenBox) -> None:
    """Typed by the child's return type; the child is part of the trace."""
    client, other = assay.Client("app"), assay.Client("other-app")

    @other.function("child", on="never")
    async def child(ctx: assay.Context) -> Ticket:
        await ctx.step.sleep("nap", "1h")
        return Ticket(account=ctx.event.data["n"])

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        ticket = await ctx.step.invoke("i", child, {"n": 7})
        return ticket.account

    async with open_box(client, other) as box:
        run = await start(box)
        await box.advance("1h")
        ended = await box.finished(run)
        (made,) = await box.runs("child")
        assert ended.output == 7
        assert (made.parent_run_id, made.trace_id) == (run, ended.trace_id)


async def test_a_failed_child_is_a_step_error(open_box: OpenBox) -> None:
    """With the name and message of what failed it; no further attempt is made."""
    client = assay.Client("app")

    @client.function("child", on="never")
    async def child(_: assay.Context) -> None:
        raise assay.NonRetriableError("no such account")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.invoke("i", child)
        except assay.StepError as error:
            return f"{error.name}: {error.message}"
        return ""

    async with open_box(client) as box:
        assert (await finish(box)).output == "NonRetriableError: no such account"
        assert len(await box.runs("child")) == 1


async def test_an_invoke_that_times_out_leaves_the_child_alone(open_box: OpenBox) -> None:
    """The step fails with `invoke_timeout`; the child goes on to its end."""
    client = assay.Client("app")

    @client.function("child", on="never")
    async def child(ctx: assay.Context) -> str:
        await ctx.step.sleep("nap", "2h")
        return "late"

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.invoke("i", child, timeout="1h")
        except assay.StepError as error:
            return error.code
        return ""

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        assert (await box.finished(run)).output == "invoke_timeout"
        await box.advance("1h")
        (made,) = await box.runs("child")
        assert (made.status, made.output) == ("completed", "late")


async def test_a_waiting_run_shows_what_it_waits_for(open_box: OpenBox) -> None:
    """Asking the sandbox for its end says so, rather than waiting for ever."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.sleep("nap", "1h")

    async with open_box(client) as box:
        with pytest.raises(assay.AssayError, match="sleep 'nap'") as caught:
            await finish(box)
        assert caught.value.code == "sandbox_waiting"
        (run,) = await box.runs()
        assert step(await box.run(run.id), "nap").status == "waiting"
