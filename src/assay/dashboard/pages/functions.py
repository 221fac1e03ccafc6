"""Functions: what apps have registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.page import Page
from assay.wire.functions import Function

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsView:
    """A page of functions."""

    functions: list[Function]
    next: str | None


async def functions(ask: Ask) -> FunctionsView:
    """The functions and scorers of all apps, by app and id."""
    found = await ask.items(Function)
    return FunctionsView(functions=found.items, next=found.next)


PAGES = (
    Page(
        path="/functions",
        name="functions",
        title="Functions",
        nav="Functions",
        key="f",
        render=functions,
        api="functions",
    ),
)
