"""Values: what is recorded, and how it comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydantic
import pytest

import assay
from boxes import finish, start

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


class Answer(pydantic.BaseModel):
    """A model of user code."""

    text: str


@dataclass
class Draft:
    """A dataclass of user code."""

    text: str


async def test_a_step_gives_the_decoded_stored_form_the_first_time_too(open_box: OpenBox) -> None:
    """What the body gets is equal to what was returned, and never the same object."""
    client, made = assay.Client("app"), [Answer(text="a")]

    def answer() -> Answer:
        return made[0]

    def draft() -> Draft:
        return Draft("d")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> tuple[bool, bool, Draft]:
        got = await ctx.step.run("s", answer)
        return got == made[0], got is made[0], await ctx.step.run("d", draft)

    async with open_box(client) as box:
        assert (await finish(box)).output == [True, False, {"text": "d"}]


async def test_a_value_that_json_does_not_give_back_is_refused(open_box: OpenBox) -> None:
    """Without an annotation a tuple is `step_output_not_json`; the message names the remedy."""
    client = assay.Client("app")

    def untold():  # type: ignore[no-untyped-def]
        return (1, 2)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.run("s", untold)
        except assay.StepError as error:
            return f"{error.code} {error.message}"
        return ""

    async with open_box(client) as box:
        output = (await finish(box)).output
        assert isinstance(output, str)
        assert output.startswith("step_output_not_json")
        assert "tuple" in output
        assert "annotate" in output


async def test_memos_and_outputs_are_exact_json_text(open_box: OpenBox) -> None:
    """Null characters, lone surrogates and the order of keys survive replay."""
    client = assay.Client("app")
    odd = {"z": "\0", "a": "\ud800", "n": 1.0}

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[object]:
        first = await ctx.step.run("s", dict, odd)
        await ctx.step.sleep("nap", "1s")
        return [first == odd, list(first), type(first["n"]).__name__]

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1s")
        assert (await box.finished(run)).output == [True, ["z", "a", "n"], "float"]


async def test_event_data_that_jsonb_cannot_hold_is_replaced_and_told(open_box: OpenBox) -> None:
    """A null character becomes U+FFFD, and the event says so."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        await ctx.step.send_event("send", assay.Event("other", {"text": "b\0"}))
        return str(ctx.event.data["text"])

    @client.function("g", on="other")
    async def g(ctx: assay.Context) -> str:
        return str(ctx.event.data["text"])

    async with open_box(client) as box:
        run = await finish(box, data={"text": "a\0"})
        assert run.output == "a\ufffd"
        assert ["U+FFFD" in one for one in (await box.event(run.event_ids[0])).warnings] == [True]
        (other,) = await box.runs("g")
        assert other.output == "b\ufffd"
        assert ["U+FFFD" in one for one in (await box.event(other.event_ids[0])).warnings] == [True]


async def test_data_that_does_not_fit_its_type_fails_the_run_non_retriably(
    open_box: OpenBox,
) -> None:
    """An invoked function gets what was sent: it is refused by the caller already."""
    client = assay.Client("app")

    @client.function("g", on="other")
    async def g(ctx: assay.Context[Answer]) -> str:
        return ctx.event.data.text

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            return await ctx.step.invoke("i", g, {"text": 1})
        except assay.AssayError as error:
            return error.code

    async with open_box(client) as box:
        assert (await finish(box)).output == "event_data"
