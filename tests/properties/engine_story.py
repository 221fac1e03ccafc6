"""A run with everything in it, lived through crashes and duplicates; and what must come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import assay
from assay.testing import Sandbox
from boxes import states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boxes import Arm

STEPS = 3


class Crash(NamedTuple):
    """The process dies before or after its n-th commit of a chapter; 0: it lives."""

    commit: int
    is_before: bool

    def arm(self, box: Sandbox) -> None:
        """Have it happen from now on."""
        if self.commit and self.is_before:
            box.crash_before(commit=self.commit)
        elif self.commit:
            box.crash_after(commit=self.commit)


class Ending(NamedTuple):
    """What is left at the end: the same in every life of the run."""

    status: str
    output: object
    journal: list[tuple[str, str, int, str]]
    scores: list[tuple[str, object]]
    outcomes: dict[str, str]
    runs: list[tuple[str, str]]


class Attempts(NamedTuple):
    """What each attempt of a step left behind that ended, as (index, attempt).

    How many there are depends on the crashes: an attempt that a process may have died of counts.
    """

    ended: list[tuple[int, int]]
    scored: list[tuple[int | None, int | None]]
    sent: int


def story(failing: Sequence[bool]) -> assay.Client:
    """A client with the function `story`; its n-th step fails at first where *failing* says so."""
    client = assay.Client("app")

    async def work(n: int) -> int:
        step = assay.current_step()
        await client.score("attempt", step.attempt)
        await client.send(assay.Event("worked", {"n": n}))
        if failing[n] and step.attempt == 1:
            raise ValueError
        return n * n

    @client.scorer("scorer", scores="feedback")
    async def scorer(ctx: assay.ScorerContext) -> float:
        await ctx.step.sleep("nap", "1h")
        return len(str(ctx.parent.output)) / 2

    @client.function("child", on="never")
    async def child(ctx: assay.Context) -> int:
        return await ctx.step.run("double", lambda: 2 * int(ctx.event.data["n"]))

    @client.function("worked", on="worked")
    async def worked(_: assay.Context) -> None: ...

    @client.function("story", on="go")
    async def tell(ctx: assay.Context) -> list[object]:
        ctx.defer("promise", scorer, {})
        done = [await ctx.step.run("work", work, n) for n in range(STEPS)]
        await client.score("body", sum(done))

        async def listen() -> object:
            event = await ctx.step.wait_for_event(
                "listen", event="reply", timeout="1d", match={"key": "k"}
            )
            return event and event.data["n"]

        heard, _, doubled = await ctx.parallel(
            listen(), ctx.step.sleep("nap", "1m"), ctx.step.invoke("child", child, {"n": 7})
        )
        return [done, heard, doubled]

    return client


async def live(url: str, *, failing: Sequence[bool], chapters: Sequence[Arm], copies: int) -> None:
    """Live through the story in four chapters, with copies of each event, to its only ending.

    Each of the chapters given begins by asking for a crash.
    """
    async with Sandbox(story(failing), database_url=url) as box:

        def chapter(number: int) -> None:
            for arm in chapters[number : number + 1]:
                arm(box)

        chapter(0)
        sent = await box.send(assay.Event("go", {}))
        for _ in range(copies):
            again = await box.send(assay.Event("go", {}, id=sent.event_ids[0]))
            assert again.run_ids == sent.run_ids
        await box.settled()
        chapter(1)
        await box.advance("2m")
        chapter(2)
        reply = await box.send(assay.Event("reply", {"key": "k", "n": 1}))
        for _ in range(copies):
            await box.send(assay.Event("reply", {"key": "k", "n": 1}, id=reply.event_ids[0]))
        await box.settled()
        chapter(3)
        await box.advance("2h")
        (run,) = await box.runs("story")
        assert run.id == sent.run_ids[0]
        told = await box.run(run.id)
        scores = await box.scores(run.id)
        runs = await box.runs()
        ending = Ending(
            status=told.status,
            output=told.output,
            journal=sorted(
                (step.kind, step.id, step.index, str(step.output) if step.kind == "step" else "")
                for step in told.steps
            ),
            scores=sorted((one.name, one.value) for one in scores if one.name != "attempt"),
            outcomes=states(told),
            runs=sorted(
                (one.function_id, one.status) for one in runs if one.function_id != "worked"
            ),
        )
        attempts = Attempts(
            ended=sorted(
                (step.index, attempt.attempt)
                for step in told.steps
                for attempt in step.attempts
                if step.id == "work"
                and (attempt.error is None or attempt.error.type == "ValueError")
            ),
            scored=sorted((one.index, one.attempt) for one in scores if one.name == "attempt"),
            sent=sum(one.function_id == "worked" for one in runs),
        )
        assert ending == expected()
        assert attempts.scored == attempts.ended
        assert attempts.sent == len(attempts.ended)


def expected() -> Ending:
    """What comes of the story whatever happens on the way."""
    output = [[0, 1, 4], 1, 14]
    return Ending(
        status="completed",
        output=output,
        journal=sorted(
            [
                *(("step", "work", n, str(n * n)) for n in range(STEPS)),
                ("invoke", "child", 0, ""),
                ("score", "assay.score", 0, ""),
                ("sleep", "nap", 0, ""),
                ("wait", "listen", 0, ""),
            ]
        ),
        scores=[("body", 5), ("feedback", len(str(output)) / 2)],
        outcomes={"feedback": "observed"},
        runs=[("child", "completed"), ("scorer", "completed"), ("story", "completed")],
    )
