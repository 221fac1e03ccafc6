"""One span with all that is known of it (`GET /api/v1/runs/{id}/spans/{span_id}`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assay.wire.base import Message
from assay.wire.runs import Attempt, RunError
from assay.wire.scores import Score
from assay.wire.spans import Span


class Part(Message):
    """A piece of what was said.

    Attributes:
        text: of `text` and `reasoning`.
        id, name: of a tool call; the id of a result is that of its call.
        value: a call's arguments, a tool's result, or whatever `other` is.
    """

    kind: Literal["text", "reasoning", "tool_call", "tool_result", "other"]
    text: str | None = None
    id: str | None = None
    name: str | None = None
    value: object = None


class ChatMessage(Message):
    """What somebody said to or by a model.

    Attributes:
        role: system, user, assistant, tool, or what the instrumentation says.
    """

    role: str
    parts: list[Part]


class SpanDetail(Span):
    """A span with its values.

    Attributes:
        input: of a run the data of its event, of a step its arguments, of a span of user code what
            its attributes say that it took.
        messages: exchanged with a model, read from attributes (OpenTelemetry, OpenInference,
            OpenLLMetry) or from values in the form of OpenAI and Anthropic.
        attempts: of its step.
        scores: the latest ones about it.
    """

    input: object = None
    output: object = None
    error: RunError | None = None
    messages: list[ChatMessage] = Field(default_factory=list)
    attempts: list[Attempt] = Field(default_factory=list)
    scores: list[Score] = Field(default_factory=list)
