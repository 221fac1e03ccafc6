"""Waits: sleeps, and events by value, by condition, in time or too late."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pydantic
import pytest

import assay
from boxes import Recorder, finish, start, step

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


class Feedback(pydantic.BaseModel):
    """What a typed event holds."""

    stars: int


def waiting(match: dict[str, Any] | None = None, **options: Any) -> assay.Client:
    """A client with a function that waits for `reply` for a day and gives its data."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> object:
        event = await ctx.step.wait_for_event(
            "wait", event="reply", timeout="1d", match=match, **options
        )
        return None if event is None else event.data

    return client


async def test_sleeps_end_at_their_instants(open_box: OpenBox) -> None:
    """One after the other, to the second; an instant that has passed is no wait."""
    client, woken = assay.Client("app"), []

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.sleep("a", "1d")
        await ctx.step.run("note", lambda: woken.append(box.clock.now()))
        await ctx.step.sleep_until("b", begun + timedelta(days=3))
        await ctx.step.run("note", lambda: woken.append(box.clock.now()))
        await ctx.step.sleep_until("c", datetime(2020, 1, 1, tzinfo=UTC))

    async with open_box(client) as box:
        begun = box.clock.now()
        run = await start(box)
        await box.advance("7d")
        ended = await box.finished(run)
        assert woken == [begun + timedelta(days=1), begun + timedelta(days=3)]
        assert ended.ended_at == begun + timedelta(days=3)


async def test_a_wait_takes_the_event_whose_values_are_equal(open_box: OpenBox) -> None:
    """Values compare as JSON: 1 is 1.0, and neither is "1"."""
    async with open_box(waiting(match={"user.id": 1})) as box:
        run = await start(box)
        await box.settled()
        others: list[dict[str, Any]] = [{"user": {"id": "1"}}, {"user": {"id": True}}, {"user": {}}]
        for other in [*others, {"id": 1}]:
            await box.send(assay.Event("reply", other))
        await box.settled()
        assert (await box.run(run)).status == "waiting"
        await box.send(assay.Event("reply", {"user": {"id": 1.0}}))
        assert (await box.finished(run)).output == {"user": {"id": 1}}


@pytest.mark.parametrize("id_", ["it's", 'a"b', "x' || true || '", "\\", "é"])
async def test_a_value_with_quotes_is_only_a_value(open_box: OpenBox, id_: str) -> None:
    """Values are bound, never spliced into an expression."""
    async with open_box(waiting(match={"ticketId": id_})) as box:
        run = await start(box)
        await box.settled()
        await box.send(assay.Event("reply", {"ticketId": "other"}))
        await box.settled()
        assert (await box.run(run)).status == "waiting"
        await box.send(assay.Event("reply", {"ticketId": id_}))
        assert (await box.finished(run)).output == {"ticketId": id_}


async def test_a_condition_compares_the_event_with_the_runs_own(open_box: OpenBox) -> None:
    """CEL over `async` and `event`; a missing key is no match, never an error."""
    client = waiting(if_="async.data.n == event.data.n && async.data.total > 10")
    async with open_box(client) as box:
        run = await start(box, data={"n": 7})
        await box.settled()
        for other in ({"n": 7}, {"n": 7, "total": 10}, {"n": 8, "total": 99}, {"total": "x"}):
            await box.send(assay.Event("reply", other))
        await box.settled()
        assert (await box.run(run)).status == "waiting"
        await box.send(assay.Event("reply", {"n": 7, "total": 11}))
        assert (await box.finished(run)).output == {"n": 7, "total": 11}


async def test_a_condition_that_is_none_fails_its_step(open_box: OpenBox) -> None:
    """Non-retriably, with the code that says so."""
    async with open_box(waiting(if_="async.data.n ==")) as box:
        run = await finish(box)
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "bad_condition")


async def test_a_wait_that_times_out_gives_none(open_box: OpenBox) -> None:
    """What comes at its last instant or later comes too late."""
    async with open_box(waiting()) as box:
        run = await start(box)
        await box.advance(timedelta(days=1, microseconds=-1))
        assert (await box.run(run)).status == "waiting"
        await box.advance(timedelta(microseconds=1))
        ended = await box.finished(run)
        await box.send(assay.Event("reply", {}))
        assert ended.output is None
        assert ended.ended_at == ended.queued_at + timedelta(days=1)


async def test_events_before_the_wait_are_missed_unless_looked_for(open_box: OpenBox) -> None:
    """A function looks back only as far as it says."""
    async with open_box(waiting()) as box:
        await box.send(assay.Event("reply", {"n": 0}))
        await box.advance("1s")
        run = await start(box)
        await box.advance("2d")
        assert (await box.finished(run)).output is None


async def test_lookback_gives_the_oldest_event_not_yet_taken(open_box: OpenBox) -> None:
    """Two waits of a run take the first two of the last hour, in their order."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[int]:
        seen = []
        for _ in range(2):
            event = await ctx.step.wait_for_event(
                "wait", event="reply", timeout="1d", lookback="1h"
            )
            assert event is not None
            seen.append(event.data["n"])
        return seen

    async with open_box(client) as box:
        await box.send(assay.Event("reply", {"n": 0}))
        await box.advance("2h")
        for n in (1, 2, 3):
            await box.send(assay.Event("reply", {"n": n}))
            await box.advance("1s")
        assert (await finish(box)).output == [1, 2]


async def test_lookback_finds_its_event_among_thousands_of_one_instant(open_box: OpenBox) -> None:
    """Events of one request have one time: they are looked through by time and id."""
    client = waiting(if_="async.data.n == 1499", lookback="1h")
    async with open_box(client) as box:
        await box.send([assay.Event("reply", {"n": n}) for n in range(1500)])
        assert (await finish(box)).output == {"n": 1499}


async def test_an_event_is_taken_once_by_a_run_and_by_each_run(open_box: OpenBox) -> None:
    """Two waits of a run need two events; two runs both take one."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[object]:
        a = ctx.step.wait_for_event("a", event="reply", timeout="1d")
        b = ctx.step.wait_for_event("b", event="reply", timeout="1d")
        return [one and one.data["n"] for one in await ctx.parallel(a, b)]

    async with open_box(client) as box:
        runs = [await start(box), await start(box)]
        await box.settled()
        await box.send(assay.Event("reply", {"n": 1}))
        await box.settled()
        assert {(await box.run(run)).status for run in runs} == {"waiting"}
        await box.send(assay.Event("reply", {"n": 2}))
        for run in runs:
            assert sorted((await box.finished(run)).output) == [1, 2]  # type: ignore[call-overload]


async def test_a_wait_is_resolved_while_a_long_step_is_in_flight(open_box: OpenBox) -> None:
    """The body gets the event before the step has ended."""
    client, go_on, seen = assay.Client("app"), asyncio.Event(), Recorder()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        async def listen() -> None:
            await ctx.step.wait_for_event("wait", event="reply", timeout="1d")
            await ctx.step.run("heard", seen.note, "heard")

        await ctx.parallel(ctx.step.run("long", go_on.wait), listen())

    async with open_box(client) as box:
        run = await start(box)

        async def is_waiting() -> bool:
            return [one.kind for one in (await box.run(run)).steps] == ["wait"]

        await box.until(is_waiting)
        await box.send(assay.Event("reply", {}))

        async def has_heard() -> bool:
            return [one.id for one in (await box.run(run)).steps] == ["wait", "heard"]

        await box.until(has_heard)
        go_on.set()
        ended = await box.finished(run)
        assert [one.id for one in ended.steps] == ["wait", "heard", "long"]


async def test_sleeps_timeouts_and_retries_fall_due_while_a_long_step_is_in_flight(
    open_box: OpenBox,
) -> None:
    """The run can't park meanwhile, and nothing is late for it."""
    client, go_on, seen = assay.Client("app"), asyncio.Event(), Recorder()

    def flaky() -> None:
        seen.append("try")
        if seen.count("try") == 1:
            raise ValueError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        async def nap() -> None:
            await ctx.step.sleep("nap", "1h")
            seen.append("slept")

        async def wait() -> None:
            assert await ctx.step.wait_for_event("w", event="reply", timeout="2h") is None
            seen.append("waited")

        await ctx.parallel(
            ctx.step.run("long", go_on.wait), nap(), wait(), ctx.step.run("flaky", flaky)
        )

    async with open_box(client) as box:
        run = await start(box)
        await box.until(lambda: seen == ["try"])

        async def has_failed() -> bool:
            return any(one.id == "flaky" and one.attempts for one in (await box.run(run)).steps)

        await box.until(has_failed)
        expected = ["try"]
        for by, what in (("15s", "try"), ("1h", "slept"), ("1h", "waited")):
            expected.append(what)
            box.move(by)
            await box.until(lambda: seen == expected)
        go_on.set()
        assert (await box.finished(run)).status == "completed"


async def test_an_ask_that_is_cancelled_closes_its_wait(open_box: OpenBox) -> None:
    """An event that comes later is left to others."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> object:
        loser = asyncio.ensure_future(ctx.step.wait_for_event("loser", event="reply", timeout="7d"))
        winner = asyncio.ensure_future(ctx.step.sleep("winner", "1h"))
        await asyncio.wait([loser, winner], return_when=asyncio.FIRST_COMPLETED)
        loser.cancel()
        event = await ctx.step.wait_for_event("second", event="reply", timeout="1d")
        return event and event.data

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("2h")
        assert [one.id for one in (await box.run(run)).steps if one.status == "waiting"] == [
            "second"
        ]
        await box.send(assay.Event("reply", {"n": 1}))
        ended = await box.finished(run)
        assert ended.output == {"n": 1}


async def test_a_typed_wait_gives_a_typed_event(open_box: OpenBox) -> None:
    """Data that fails the schema wakes nothing, and the event says so."""
    client = assay.Client("app")
    received = assay.EventType("reply", Feedback)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        event = await ctx.step.wait_for_event("wait", event=received, timeout="1d")
        return 0 if event is None else event.data.stars

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        sent = await box.send(assay.Event("reply", {"stars": "many"}))
        await box.settled()
        assert (await box.run(run)).status == "waiting"
        (warning,) = (await box.event(sent.event_ids[0])).warnings
        assert "data.stars" in warning
        await box.send(received(Feedback(stars=5)))
        assert (await box.finished(run)).output == 5


async def test_a_matched_event_shows_whole_in_the_wait(open_box: OpenBox) -> None:
    """Its name, time and sessions are the body's to read."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> object:
        event = await ctx.step.wait_for_event("wait", event="reply", timeout="1d")
        assert event is not None
        return [event.id, event.name, event.sessions, str(event.ts)]

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        sent = await box.send(assay.Event("reply", {}, sessions={"ticket": "tk"}))
        now = box.clock.now()
        ended = await box.finished(run)
        output = ended.output
        assert isinstance(output, list)
        assert output[:3] == [sent.event_ids[0], "reply", {"ticket": "tk"}]
        assert datetime.fromisoformat(output[3]) == now
        assert step(ended, "wait").status == "completed"
