"""Statements of a span of a run: a step with its tries, or what code made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.store.copies.writing import clause, statement

if TYPE_CHECKING:
    from uuid import UUID

_STEP = """seq, step_id, index, kind, status, attempts,
  started_at, duration_s, input, output, error"""
_ATTEMPTS = """attempt, span_id, started_at, duration_s,
  retry_at, error"""
_INNER = """span_id, parent_span_id, attempt, name, kind,
  status, started_at, duration_s, attributes"""
_SCORES = """id, name, value, is_boolean, at, source, author,
  rationale"""


def of_code(project: int, run: UUID, span: str) -> str:
    """A span that code made, by its 16 hexadecimal digits."""
    return statement(
        "*",
        "insights.spans",
        where=(
            clause("project_id = {}", project),
            clause("run_uuid = {}", run),
            clause("span_id = {}", span),
        ),
        order="started_at",
        limit=None,
        about="the span",
    )


def of_step(project: int, run: UUID, step: str, index: int) -> str:
    """A use of a step id in a run; its tries; the spans that its code made; its scores."""
    of_it = (
        clause("project_id = {}", project),
        clause("run_uuid = {}", run),
        clause("step_id = {}", step),
        clause("index = {}", index),
    )
    return "\n\n".join(
        (
            statement(
                _STEP,
                "insights.steps",
                where=of_it,
                order="seq",
                limit=None,
                about="the step, once it has ended",
            ),
            statement(
                _ATTEMPTS,
                "insights.attempts",
                where=of_it,
                order="attempt",
                about="its tries that are kept: what failed, or lasts",
            ),
            statement(
                _INNER,
                "insights.spans",
                where=of_it,
                order="started_at, span_id",
                about="the spans that its code made",
            ),
            statement(
                _SCORES, "insights.scores", where=of_it, order="name", about="its latest scores"
            ),
        )
    )
