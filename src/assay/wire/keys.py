"""API keys."""

from __future__ import annotations

from datetime import datetime

from assay.wire.base import Message, Request


class KeyIn(Request):
    """A key to make: what it is for, in words."""

    name: str


class Key(Message):
    """A key as it is listed; its text is kept nowhere.

    Attributes:
        prefix: its first characters, to tell keys apart.
    """

    id: str
    name: str
    project: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class NewKey(Key):
    """A key that was just made, with the text that is shown this once."""

    key: str
