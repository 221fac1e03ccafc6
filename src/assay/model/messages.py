"""Messages exchanged with a model, in the forms that instrumentations and providers write them.

Entry points: `of_attributes` for a span of user code, `of_values` for what a step took and gave;
`asked_and_answered` tells what a span's model was shown from what it said.

Read are the `gen_ai.*` attributes of OpenTelemetry
(https://github.com/open-telemetry/semantic-conventions-genai), those of OpenInference
(`llm.input_messages.0.message.role`) and of OpenLLMetry (`gen_ai.prompt.0.role`), and messages as
the APIs of OpenAI and Anthropic take them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assay.model.events import Json

_PARTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "reasoning": "reasoning",
    "thinking": "reasoning",
    "tool_call": "tool_call",
    "tool_use": "tool_call",
    "tool_call_response": "tool_result",
    "tool_result": "tool_result",
}
_ASKED = ("llm.input_messages", "gen_ai.prompt")
_ANSWERED = ("llm.output_messages", "gen_ai.completion")
_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a message.

    Attributes:
        kind: text, reasoning, tool_call, tool_result, or other.
        text: of text and reasoning.
        id, name: of a tool call.
        value: a call's arguments, a tool's result, or whatever else it is.
    """

    kind: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    value: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody said: a role (system, user, assistant, tool, ...) and its parts."""

    role: str
    parts: tuple[Part, ...]


def of_attributes(attributes: Mapping[str, Json]) -> list[Message]:
    """The messages in a span's attributes: instructions, what was sent, what came back."""
    asked, answered = asked_and_answered(attributes)
    return asked + answered


def asked_and_answered(attributes: Mapping[str, Json]) -> tuple[list[Message], list[Message]]:
    """The same in two: what the model was shown, and what it said."""
    asked: list[Message] = []
    instructions = _decoded(attributes.get("gen_ai.system_instructions"))
    if instructions:
        asked.append(Message(role="system", parts=tuple(_parts(instructions))))
    asked += _messages(_decoded(attributes.get("gen_ai.input.messages")))
    answered = _messages(_decoded(attributes.get("gen_ai.output.messages")))
    if asked or answered:
        return asked, answered
    return _flat(attributes, _ASKED), _flat(attributes, _ANSWERED)


def of_values(*values: Json) -> list[Message]:
    """The messages in what a step was given and what it returned, in that order."""
    return [message for value in values for message in _within(value, _DEPTH)]


def _within(value: Json, depth: int) -> list[Message]:
    """The first messages in a value, or at most so deep below it."""
    found = _messages(value)
    if found or depth == 0:
        return found
    inner: list[Json] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    return next((below for one in inner if (below := _within(one, depth - 1))), [])


def _messages(value: Json) -> list[Message]:
    """A message, or a list of them; nothing where it is anything else."""
    items = value if isinstance(value, list) else [value]
    found = [_message(item) for item in items]
    return [one for one in found if one is not None] if all(found) else []


def _message(value: Json) -> Message | None:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        return None
    role = str(value["role"])
    parts: list[Part] = []
    content = value.get("parts", value.get("content"))
    if role == "tool" and "tool_call_id" in value:
        parts.append(Part(kind="tool_result", id=_text(value["tool_call_id"]), value=content))
    elif content is not None:
        parts += _parts(content)
    calls = value.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            parts.append(_call(call))
    return Message(role=role, parts=tuple(parts)) if parts else None


def _parts(content: Json) -> Iterator[Part]:
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, str):
            yield Part(kind="text", text=item)
        elif isinstance(item, dict):
            yield _part(item)
        else:
            yield Part(kind="other", value=item)


def _part(item: dict[str, Json]) -> Part:
    kind = _PARTS.get(str(item.get("type")), "other")
    if kind == "tool_call":
        return _call(item)
    if kind == "tool_result":
        id_ = item.get("id", item.get("tool_use_id"))
        value = item.get("response", item.get("result", item.get("content")))
        return Part(kind=kind, id=_text(id_), value=value)
    text = item.get("content", item.get("text", item.get("thinking")))
    if kind == "other" or not isinstance(text, str):
        return Part(kind="other", value=item)
    return Part(kind=kind, text=text)


def _call(call: dict[str, Json]) -> Part:
    function = call.get("function")
    told = function if isinstance(function, dict) else call
    arguments = told.get("arguments", told.get("input"))
    return Part(
        kind="tool_call",
        id=_text(call.get("id")),
        name=_text(told.get("name")),
        value=_decoded(arguments),
    )


def _flat(attributes: Mapping[str, Json], prefixes: Iterable[str]) -> list[Message]:
    return [one for prefix in prefixes for one in _indexed(attributes, f"{prefix}.")]


def _indexed(attributes: Mapping[str, Json], prefix: str) -> Iterator[Message]:
    """Messages whose fields are attributes of their own, such as `gen_ai.prompt.0.role`."""
    fields: dict[int, dict[str, Json]] = {}
    for name, value in attributes.items():
        if name.startswith(prefix):
            number, _, field = name.removeprefix(prefix).partition(".")
            if number.isdecimal():
                fields.setdefault(int(number), {})[field.removeprefix("message.")] = value
    for _, told in sorted(fields.items()):
        message = _message(told)
        if message is not None:
            yield message


def _decoded(value: Json) -> Json:
    """The value that a text of JSON stands for, or the value itself."""
    if isinstance(value, str):
        try:
            decoded: Json = json.loads(value, parse_constant=str)
        except (ValueError, RecursionError):
            return value
        return decoded
    return value


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
