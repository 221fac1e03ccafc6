"""Traces: whole, as a skeleton to draw, and span by span."""

from __future__ import annotations

import struct
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from assay.api import shapes, traces
from assay.api.answers import answer
from assay.api.asking import Who, services_of
from assay.api.routers.runs import run_not_found
from assay.engine import skeleton, span_details, spans
from assay.errors import AssayError
from assay.ids import parse
from assay.wire import span_details as wire_details
from assay.wire import spans as wire
from assay.wire.packing import packed

router = APIRouter(tags=["traces"])


@router.get("/runs/{run_id}/trace", response_model=wire.Trace)
async def get_trace(request: Request, who: Who, run_id: str) -> Response:
    """The whole trace that a run is part of: parents, children and scorers."""
    id_ = parse(run_id, field="run_id")
    found = await services_of(request).read(
        who.project, lambda reading: spans.trace_of(reading, project=who.project, run=id_)
    )
    if not found:
        raise run_not_found(run_id)
    return answer({"trace_id": found[0].trace.hex, "spans": [shapes.span(one) for one in found]})


@router.get("/runs/{run_id}/trace/skeleton", response_model=wire.Skeleton)
async def get_skeleton(
    request: Request,
    who: Who,
    run_id: str,
    limit: Annotated[int, Query(ge=1, le=skeleton.MOST_SPANS)] = skeleton.MOST_SPANS,
) -> Response:
    """The same trace as it takes to draw it: columns, some 60 bytes a span.

    `limit` steps, attempts, waits and spans of user code each are read; `is_complete` tells.
    """
    id_ = parse(run_id, field="run_id")
    services = services_of(request)
    found = await services.read(
        who.project,
        lambda reading: skeleton.skeleton_of(reading, project=who.project, run=id_, most=limit),
    )
    if found is None:
        raise run_not_found(run_id)
    return packed(answer(traces.skeleton(found, now=services.now())), request)


@router.get("/runs/{run_id}/spans/{span_id}", response_model=wire_details.SpanDetail)
async def get_span(request: Request, who: Who, run_id: str, span_id: str) -> Response:
    """A span of a run with its attributes, values, messages, errors, attempts and scores."""
    id_ = parse(run_id, field="run_id")
    number = _span_number(span_id)
    found = await services_of(request).read(
        who.project,
        lambda reading: span_details.detail_of(reading, project=who.project, run=id_, span=number),
    )
    if found is None:
        raise AssayError(
            f"run {run_id} has no span {span_id}",
            code="span_not_found",
            field="span_id",
            hint="GET /api/v1/runs/<run_id>/trace/skeleton lists spans with the run of each",
        )
    return answer(traces.span_detail(found))


def _span_number(text: str) -> int:
    """The number of 16 hexadecimal digits, signed as it is stored."""
    try:
        (number,) = struct.unpack(">q", bytes.fromhex(text))
    except (ValueError, struct.error):
        raise AssayError(
            "span_id must be 16 hexadecimal digits",
            code="bad_id",
            field="span_id",
            hint="take it from a trace, unchanged",
        ) from None
    return int(number)
