"""Traces and their spans as the messages of `wire`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.api import shapes
from assay.api.answers import Raw, raw
from assay.engine.skeleton import KINDS, STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.api.answers import Answer
    from assay.engine.skeleton import Skeleton
    from assay.engine.span_details import SpanDetail
    from assay.model.messages import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def skeleton(one: Skeleton, *, now: datetime) -> dict[str, Answer]:
    """A trace in columns. They are written as a whole: item by item would take a second."""
    names = list(dict.fromkeys(one.name))
    place = {name: at for at, name in enumerate(names)}
    runs = one.runs
    return {
        "trace_id": one.trace.hex,
        "origin": _EPOCH + timedelta(microseconds=one.origin),
        "read_at": now,
        "is_complete": one.is_complete,
        "kinds": [*KINDS],
        "statuses": [*STATUSES],
        "names": _column(names),
        "runs": [
            {"id": id_, "function_id": fn, "kind": kind, "status": status}
            for id_, fn, kind, status in zip(runs.id, runs.fn, runs.kind, runs.status, strict=True)
        ],
        "spans": {
            "id": _column(map(shapes.span_id, one.id)),
            "parent": _column(one.parent),
            "name": _column(place[name] for name in one.name),
            "kind": _column(one.kind),
            "status": _column(one.status),
            "run": _column(one.run),
            "start": _column(one.start),
            "duration": _column(one.duration),
        },
        "scores": {
            "span": _column(mark.span for mark in one.scores),
            "name": _column(mark.name for mark in one.scores),
            "value": _column(shapes.score_value(mark.value, mark.is_bool) for mark in one.scores),
            "at": _column(mark.at for mark in one.scores),
        },
    }


def span_detail(one: SpanDetail) -> dict[str, Answer]:
    """A span with its values."""
    steps = [] if one.step is None else shapes.steps(one.step)
    return {
        **shapes.span(one.span),
        "input": raw(one.input),
        "output": raw(one.output),
        "error": shapes.error(one.error),
        "messages": messages(one.messages),
        "attempts": steps[0]["attempts"] if steps else [],
        "scores": [shapes.score(score) for score in one.scores],
    }


def messages(said: Iterable[Message]) -> Raw:
    """What was said."""
    return Raw(json.dumps([asdict(message) for message in said]))


def _column(items: Iterable[object]) -> Raw:
    return Raw(json.dumps([*items], separators=(",", ":")))
