"""What may name an exposure: the rules of experiment references, each refusal non-retriable."""

from __future__ import annotations

from collections.abc import Mapping

from assay.errors import AssayError
from assay.model.event_rules import is_storable
from assay.model.experiment_rules import MAX_NAME_BYTES
from assay.model.experiments import ExperimentRef

MAX_INDEX = 2**31 - 1
_HINT = "pass what ctx.experiment gave as ref, or {'experiment': ..., 'variant': ..., 'index': 0}"
_FIELDS = {
    "experiment": "experiment",
    "experimentName": "experiment",
    "variant": "variant",
    "index": "index",
}


def check_reference(reference: object) -> ExperimentRef:
    """The reference, also of a mapping that JSON gave back.

    A mapping has `experiment` (or `experimentName`, as other SDKs write it), `variant` and, unless
    it is the first use of the experiment in its run, `index`.

    Raises:
        AssayError: `score_reference`.
    """
    if isinstance(reference, ExperimentRef):
        reference = reference.as_dict()
    if not isinstance(reference, Mapping):
        raise _refusal(None, f"must be a reference, not {type(reference).__name__}")
    fields: dict[str, object] = {}
    for key, value in reference.items():
        field = _FIELDS.get(key)
        if field is None:
            raise _refusal(None, f"has {key!r}, which is no part of a reference")
        if field in fields:
            raise _refusal(field, "is given twice")
        fields[field] = value
    return ExperimentRef(
        experiment=_text(fields, "experiment"),
        variant=_text(fields, "variant"),
        index=_index(fields.get("index", 0)),
    )


def _text(fields: Mapping[str, object], field: str) -> str:
    text = fields.get(field)
    if not isinstance(text, str) or not text.strip():
        raise _refusal(field, "must be a non-empty string")
    if not is_storable(text):
        raise _refusal(field, "must not contain null characters or lone surrogates")
    size = len(text.encode())
    if size > MAX_NAME_BYTES:
        raise _refusal(field, f"must be {MAX_NAME_BYTES} bytes or fewer in UTF-8 (got {size})")
    return text


def _index(index: object) -> int:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= MAX_INDEX:
        raise _refusal("index", "must be a whole number from 0 on")
    return index


def _refusal(field: str | None, wrong: str) -> AssayError:
    name = "experiment" if field is None else f"experiment.{field}"
    return AssayError(f"{name} {wrong}", code="score_reference", field=name, hint=_HINT)
