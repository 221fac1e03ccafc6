"""Time, passed in: the database's time in production, a manual clock in tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SLOW_S = 1.0


class Clock(Protocol):
    """Where every instant comes from."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def time(self) -> float:
        """The present instant in seconds since 1970."""
        ...


class DatabaseClock:
    """This machine's clock moved by the offset to the database's, learnt with each heartbeat."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def learn(self, database_now: datetime, *, sent_at: float, received_at: float) -> None:
        """Take the database's instant, asked between two local readings (seconds since 1970)."""
        if received_at - sent_at > _SLOW_S:
            # The process was stopped while it asked: when in between is anybody's guess.
            return
        self._offset_s = database_now.timestamp() - (sent_at + received_at) / 2

    def local(self) -> float:
        """This machine's own reading, in seconds since 1970."""
        return time.time()

    def time(self) -> float:
        """The database's time, as far as it was learnt."""
        return time.time() + self._offset_s

    def now(self) -> datetime:
        """The database's instant, as far as it was learnt."""
        return datetime.fromtimestamp(self.time(), UTC)


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The instant that it was moved to."""
        return self._now

    def time(self) -> float:
        """The instant that it was moved to, in seconds since 1970."""
        return self._now.timestamp()

    def advance(self, by: timedelta) -> datetime:
        """Move forward and return the new instant."""
        if by < timedelta(0):
            message = "a clock does not go back"
            raise ValueError(message)
        self._now += by
        return self._now
