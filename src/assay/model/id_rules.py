"""What an id that came from outside may be: tables are partitioned by the time in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.ids import minted_at

if TYPE_CHECKING:
    from uuid import UUID

EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(hours=1)


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
