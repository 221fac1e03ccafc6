"""The agent runs that `assay demo` replays: tau-bench's airline tasks, 50 of them tried 4 times.

What they are and whose is told in `data/NOTICE.md`. Messages have the form of OpenTelemetry's
`gen_ai.input.messages` and `gen_ai.output.messages`.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.model.events import Json

MODEL = "gpt-4o"
"""The model that spoke as the agent."""

PUBLISHED = {1: 0.420, 2: 0.273, 3: 0.220, 4: 0.200}
"""pass^k by k, as the benchmark's README gives it for this agent and these tasks."""

Message: TypeAlias = "dict[str, Json]"
"""A role, parts, and for the model's messages a finish reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTurn:
    """One call of the model.

    Attributes:
        input: the messages that came since the last call of the model.
        output: what it answered.
    """

    input: tuple[Message, ...]
    output: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool that the model asked for.

    Attributes:
        id: as the model gave it; not always unique in a trajectory.
        name: of the tool.
        arguments: the text that the model wrote, meant to be JSON.
        response: the text that the tool gave back.
    """

    id: str
    name: str
    arguments: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One try of a task, from the customer's first words to the end.

    Attributes:
        task_id: 0 to 49.
        trial: 0 to 3.
        reward: 1 if the booking database ended as the customer wished, else 0.
        system: the agent's instructions, the same in all.
        turns: calls of the model and of tools, in their order.
        closing: the customer's last message, where the model didn't see it.
    """

    task_id: int
    trial: int
    reward: int
    system: str
    turns: tuple[ModelTurn | ToolCall, ...]
    closing: tuple[Message, ...]


def load() -> tuple[Trajectory, ...]:
    """All 200, ordered by task and trial."""
    packed = resources.files("assay.cli").joinpath("data/tau_bench_airline.json.xz").read_bytes()
    content = json.loads(lzma.decompress(packed))
    return tuple(_trajectory(record, content["system"]) for record in content["records"])


def _trajectory(record: dict[str, Any], system: str) -> Trajectory:
    turns: list[ModelTurn | ToolCall] = []
    unseen: list[Message] = []
    asked: Iterator[dict[str, Any]] = iter(())
    for raw in record["messages"]:
        message = _message(raw)
        if raw["role"] == "assistant":
            turns.append(ModelTurn(input=tuple(unseen), output=message))
            unseen = []
            asked = iter(raw.get("tool_calls", ()))
            continue
        unseen.append(message)
        if raw["role"] == "tool":
            call = next(asked)
            turns.append(
                ToolCall(
                    id=call["id"],
                    name=call["function"]["name"],
                    arguments=call["function"]["arguments"],
                    response=raw["content"],
                )
            )
    return Trajectory(
        task_id=record["task_id"],
        trial=record["trial"],
        reward=record["reward"],
        system=system,
        turns=tuple(turns),
        closing=tuple(message for message in unseen if message["role"] == "user"),
    )


def _message(raw: dict[str, Any]) -> Message:
    if raw["role"] == "tool":
        response = {"type": "tool_call_response", "id": raw["tool_call_id"]}
        return {"role": "tool", "parts": [response | {"response": raw["content"]}]}
    parts: list[Json] = []
    if raw["content"] is not None:
        parts.append({"type": "text", "content": raw["content"]})
    calls = raw.get("tool_calls", ())
    parts.extend(_call(call) for call in calls)
    message: Message = {"role": raw["role"], "parts": parts}
    if raw["role"] == "assistant":
        message["finish_reason"] = "tool_call" if calls else "stop"
    return message


def _call(call: dict[str, Any]) -> Json:
    written = call["function"]["arguments"]
    try:
        arguments = json.loads(written)
    except ValueError:
        arguments = written
    return {
        "type": "tool_call",
        "id": call["id"],
        "name": call["function"]["name"],
        "arguments": arguments,
    }
