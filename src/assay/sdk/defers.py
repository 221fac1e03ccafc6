"""`ctx.defer`: the promise of a score, kept when the run is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.model import json_text
from assay.model.id_rules import TOLD, is_short
from assay.model.reference_rules import check_reference
from assay.sdk.definitions import Deferrable
from assay.sdk.events import DROP, author_layer, data_text
from assay.sdk.port import Defer

if TYPE_CHECKING:
    from assay.sdk.port import Journal


class Deferred:
    """A promised score.

    Attributes:
        id: of the promise.
    """

    def __init__(self, id: str, journal: Journal) -> None:
        self.id = id
        self._journal = journal

    def abort(self) -> bool:
        """Withdraw the promise while the run lives; whether there was one to withdraw."""
        return self._journal.abort_defer(self.id)


def promise(
    journal: Journal,
    id: str,
    scorer: object,
    data: object,
    *,
    sessions: object,
    experiment: object,
) -> Deferred:
    """Promise a scorer; what is wrong is logged, and kept as the reason of failed outcomes."""
    handle = Deferred(id, journal)
    if not isinstance(scorer, Deferrable):
        journal.warn(
            f"defer {id!r} is left out: {scorer!r} is no scorer (decorate it with @client.scorer)"
        )
        return handle
    if not _is_id(id):
        journal.warn(f"a defer is left out: {str(id)[:TOLD]!r} can't be its id")
        return handle
    definition = scorer.definition
    payload: str | None = None
    refused: str | None = None
    layer: dict[str, str | int | float | None] = {}
    reference: str | None = None
    try:
        if experiment is not None:
            reference = json_text.dump(check_reference(experiment).as_dict())
        payload = data_text(data, definition.codec)
        layer = author_layer(sessions)
    except AssayError as error:
        payload, refused = None, error.message.replace("event data", "the payload", 1)
        journal.logger().error("defer %r is refused: %s", id, refused)
    is_new = journal.defer(
        Defer(
            id=id,
            scorer=definition.id,
            names=definition.scores,
            payload=payload,
            experiment=reference,
            sessions=layer or None,
            drops_sessions=sessions is DROP,
            refused=refused,
        )
    )
    if not is_new:
        journal.logger().warning("defer %r was promised already: this one is left out", id)
    return handle


def _is_id(id: object) -> bool:
    return isinstance(id, str) and bool(id.strip()) and id.isprintable() and is_short(id)
