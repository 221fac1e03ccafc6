"""What a page and an action are: where they stand, what they are called, what makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assay.dashboard.asking import Ask
    from assay.dashboard.forms import Form

Render: TypeAlias = "Callable[[Ask], Awaitable[object]]"
"""Makes the view of a page: a frozen dataclass, which its template gets as `view`."""

Act: TypeAlias = "Callable[[Ask, Form], Awaitable[str]]"
"""Does what a form asks for; gives the path below the project to look at next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page below `/p/{project}`.

    Attributes:
        path: such as `/runs/{run_id}`; a parameter is what one part of the path holds, decoded.
        name: the noun, which names its template (`runs.html`) unless `template` does.
        title: shown in the browser's tab and in the palette.
        nav: its word in the navigation; None keeps it out of there.
        key: the letter after `g` that goes there.
        api: the API's path below `/api/v1/` that `.json` and `.csv` of this page answer with; its
            parameters are those of `path`. None where the page is no list or record of the API.
        own: names of query parameters that are the page's alone and unknown to the API.
        live: what it wants to be told of as it happens: `runs`, `events`, `scores`.
        scripts: modules of `static/` that it needs beside `app.js`.
        is_panel: whether it is a fragment, without navigation, that other pages load.
    """

    path: str
    name: str
    title: str
    render: Render
    nav: str | None = None
    key: str | None = None
    api: str | None = None
    own: frozenset[str] = frozenset()
    live: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    template: str | None = None
    is_panel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a form does: `POST` to a path below `/p/{project}`.

    Attributes:
        shown_by: the page with the form, which shows what is refused and keeps what was filled in:
            its fields are named as that page's parameters. None shows a refusal alone.
    """

    path: str
    act: Act
    shown_by: Page | None = None
