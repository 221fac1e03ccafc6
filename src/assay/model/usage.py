"""What a call of a model used, as its span says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_USAGE = (
    ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
)
"""OpenTelemetry's names, each with its former one."""
_SUMMARIES = frozenset({"invoke_agent", "invoke_workflow"})
_MOST = 1 << 40


def tokens(attributes: Mapping[str, object]) -> int | None:
    """Input and output tokens that a span used; None where it says nothing of them.

    Spans of whole agents and workflows repeat what the calls within them used: they say nothing.
    """
    if attributes.get("gen_ai.operation.name") in _SUMMARIES:
        return None
    found = [
        next((count for name in names if (count := _count(attributes.get(name))) is not None), None)
        for names in _USAGE
    ]
    known = [count for count in found if count is not None]
    return sum(known) if known else None


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    return value if is_count and isinstance(value, int) else None
