"""What ids may be: those from outside, by whose time tables are partitioned, and authors' own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.ids import minted_at

if TYPE_CHECKING:
    from uuid import UUID

MAX_OWN_BYTES = 512
"""Of the ids that authors give to steps and promises: they stand in indexes."""
TOLD = 40
"""Characters by which a message names an id that is too long."""
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(hours=1)


def is_short(own: str) -> bool:
    """Whether an id that an author gave has `MAX_OWN_BYTES` in UTF-8 at most."""
    size = len(own) if own.isascii() else len(own.encode("utf-8", "surrogatepass"))
    return size <= MAX_OWN_BYTES


def check_minted(id_: UUID, *, now: datetime, field: str = "id") -> UUID:
    """The id itself; `id_time` where it claims to come from the future or from before 2024."""
    try:
        at = minted_at(id_)
    except (OverflowError, ValueError, OSError):
        at = None
    if at is None or not EARLIEST <= at <= now + MOST_AHEAD:
        raise AssayError(
            f"{field} holds the time {at.isoformat() if at else 'of no year'}, which cannot be",
            code="id_time",
            field=field,
            hint="mint a ULID when the thing is made, on a machine whose clock is right",
        )
    return id_
