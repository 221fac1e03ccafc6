"""What all messages have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Message(BaseModel):
    """A message that the API writes: clients pass over fields that are newer than they are."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Request(BaseModel):
    """A message that a client writes: a field that is not known is a mistake, and refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(Message, Generic[T]):
    """One page of a list.

    Attributes:
        next: the `cursor` of the page that follows; null on the last one.
    """

    data: list[T]
    next: str | None = None
