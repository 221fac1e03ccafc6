"""Code for pages on which nothing is yet: it runs against this very server as it stands there."""

from __future__ import annotations

import json
import shlex

_FUNCTION = """\
import assay

client = assay.Client("my-agent")


@client.function("answer", on="question/asked")
async def answer(ctx: assay.Context) -> str:
    text = await ctx.step.run("think", lambda: f"You asked: {ctx.event.data['question']}")
    await ctx.step.score("score-length", name="is-short", value=len(text) < 200)
    return text
"""


def first_function() -> str:
    """A file `app.py` with one function that scores itself."""
    return _FUNCTION


def sending(server: str, name: str, data: object, *, wants_key: bool) -> str:
    """A command that sends an event to this server."""
    body = json.dumps({"events": [{"name": name, "data": data}]})
    key = '-H "Authorization: Bearer $ASSAY_API_KEY" ' if wants_key else ""
    return f"curl {key}{shlex.quote(server + '/api/v1/events')} -d {shlex.quote(body)}"
