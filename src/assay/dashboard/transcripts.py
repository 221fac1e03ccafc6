"""What was said: the messages of model calls in order, each once.

Models are called with the messages so far, or with those that are new; either way what was shown
before is not shown again. Messages are those of OpenTelemetry's `gen_ai.input.messages` and
`gen_ai.output.messages` (a role and parts: text, tool_call, tool_call_response); the usual form of
chat completions (`content`, `tool_calls`) is read too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from assay.store.transcripts import SpokenSpan

MOST_MESSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message.

    Attributes:
        kind: `text`, `call` of a tool, `result` of one, `thought`, or `other`.
        name: of the tool.
        value: text, or what else JSON holds.
    """

    kind: str
    value: object
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message, and the span that it was first seen in.

    Attributes:
        is_last: whether it is the last one of its span, beside which its step's scores stand.
    """

    role: str
    parts: tuple[Part, ...]
    span: SpokenSpan
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in some runs; `is_cut` where there was more than is shown."""

    said: dict[UUID, list[Said]]
    is_cut: bool = False


def transcript(spans: Sequence[SpokenSpan], *, most_spans: int) -> Transcript:
    """The messages of the first `most_spans` spans, which come in the order of time, by run."""
    before: list[object] = []
    said: dict[UUID, list[Said]] = {}
    is_cut, count = len(spans) > most_spans, 0
    for span in spans[:most_spans]:
        if span.attributes is None or count >= MOST_MESSAGES:
            is_cut = True
            continue
        given = _attributes(span.attributes)
        new = [*_new(_messages(given, "gen_ai.input.messages"), before)]
        new += _messages(given, "gen_ai.output.messages")
        before += new
        shown = [_said(message, span) for message in new]
        for index, one in enumerate(shown):
            said.setdefault(span.run_id, []).append(
                Said(role=one.role, parts=one.parts, span=span, is_last=index == len(shown) - 1)
            )
        count += len(shown)
    return Transcript(said, is_cut)


def _new(asked: list[object], before: list[object]) -> list[object]:
    """The messages of a call that were not shown: those after the ones that it has in common."""
    instructions = [one for one in asked if _role(one) == "system" and one not in before]
    rest = [one for one in asked if _role(one) != "system"]
    talked = [one for one in before if _role(one) != "system"]
    if rest and talked[: len(rest)] == rest:
        # The same call once more, or one beside it.
        return instructions
    most = min(len(rest), len(talked))
    known = next((n for n in range(most, 0, -1) if talked[-n:] == rest[:n]), 0)
    return instructions + rest[known:]


def _attributes(text: str) -> dict[str, object]:
    found = _loaded(text)
    return found if isinstance(found, dict) else {}


def _messages(attributes: dict[str, object], name: str) -> list[object]:
    """A list of messages, which instrumentation writes as JSON text or as it is."""
    found = attributes.get(name)
    if isinstance(found, str):
        found = _loaded(found)
    if isinstance(found, list):
        return found
    return [] if found is None else [found]


def _loaded(text: str) -> object:
    try:
        loaded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return loaded


def _said(message: object, span: SpokenSpan) -> Said:
    return Said(role=_role(message), parts=tuple(_parts(message)), span=span)


def _role(message: object) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else "unknown"


def _parts(message: object) -> Iterator[Part]:
    if not isinstance(message, dict):
        yield Part("other", message)
        return
    content = message.get("parts", message.get("content"))
    is_result = "tool_call_id" in message
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str) and is_result:
            yield Part("result", _value(part))
        elif isinstance(part, str):
            yield Part("text", part)
        elif part is not None:
            yield _part(part)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        yield _call(call)


def _part(part: object) -> Part:
    if not isinstance(part, dict):
        return Part("other", part)
    match part.get("type"):
        case "text":
            return Part("text", part.get("content", part.get("text")))
        case "reasoning" | "thinking":
            return Part("thought", part.get("content", part.get("thinking")))
        case "tool_call" | "tool_use":
            given = part.get("arguments", part.get("input"))
            return Part("call", _value(given), _name(part))
        case "tool_call_response" | "tool_result":
            answered = part.get("response", part.get("result", part.get("content")))
            return Part("result", _value(answered), _name(part))
    return Part("other", part)


def _call(call: object) -> Part:
    called = call.get("function") if isinstance(call, dict) else None
    if not isinstance(called, dict):
        return Part("other", call)
    return Part("call", _value(called.get("arguments")), _name(called))


def _name(part: dict[str, object]) -> str | None:
    name = part.get("name")
    return name if isinstance(name, str) else None


def _value(given: object) -> object:
    """Arguments and results are often JSON text: shown as what it holds."""
    return _loaded(given) if isinstance(given, str) else given
