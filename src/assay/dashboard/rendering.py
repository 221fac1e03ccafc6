"""Templates: everything that is put into one is escaped, and what hides in text is made visible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, Undefined
from markupsafe import Markup

from assay.dashboard import statics, teaching, texts
from assay.dashboard.asking import part
from assay.ids import to_text
from assay.model.moments import RUN_METRICS

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.dashboard.page import Page


@dataclass(frozen=True, slots=True)
class Link:
    """A page in the navigation or the palette."""

    word: str
    path: str
    key: str | None
    is_here: bool


@cache
def environment() -> Environment:
    """The templates of the dashboard with their filters."""
    made = Environment(
        loader=PackageLoader("assay.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": texts.ago,
        "compact": texts.compact,
        "duration": texts.duration,
        "evidence": texts.evidence,
        "instant": texts.instant,
        "iso": texts.iso,
        "number": texts.number,
        "part": part,
        "percent": texts.percent,
        "pretty": texts.pretty,
        "short_id": texts.short_id,
        "signed": texts.signed,
        "size": texts.size,
        "span_id": texts.span_id,
        "ulid": to_text,
    }
    made.globals |= {
        "modules": statics.imported,
        "static": statics.path_of,
        "NOTHING": texts.NOTHING,
        "first_function": teaching.first_function,
        "first_experiment": teaching.first_experiment,
        "first_scorer": teaching.first_scorer,
        "RUN_METRICS": RUN_METRICS,
    }
    return made


def whole(ask: Ask, page: Page, view: object, pages: tuple[Page, ...], *, pulse: str = "") -> str:
    """A page as HTML; *pulse* is the project's when it was made, for live updates."""
    template = environment().get_template(page.template or f"{page.name}.html")
    return template.render(view=view, **_surroundings(ask, page, pages), pulse=pulse)


def refusal(
    ask: Ask | None, page: Page | None, error: object, status: int, pages: tuple[Page, ...]
) -> str:
    """A page that says what was wrong: within the project, where that is known."""
    if ask is None:
        return outside("refused_outside.html", error=error, status=status)
    around = _surroundings(ask, page, pages)
    return outside("refused.html", error=error, status=status, pulse="", **around)


def outside(template: str, **values: object) -> str:
    """A page that belongs to no project, such as the one to sign in."""
    return environment().get_template(template).render(**values)


def _surroundings(ask: Ask, page: Page | None, pages: tuple[Page, ...]) -> dict[str, object]:
    return {
        "ask": ask,
        "here": ask.here,
        "links": [_link(ask, page, each) for each in pages if each.nav],
        "now": ask.now,
        "page": page,
        "query": ask.query,
        "url": ask.url,
    }


def _link(ask: Ask, page: Page | None, each: Page) -> Link:
    is_here = page is not None and page.name == each.name
    return Link(each.nav or each.title, ask.url(each.path), each.key, is_here)


def _shown(value: object) -> object:
    """What an expression of a template puts out."""
    if value is None:
        return ""
    # An Undefined stays what it is, so that it is refused with its name.
    if isinstance(value, Markup | Undefined):
        return value
    return texts.visible(str(value))
