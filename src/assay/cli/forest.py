"""A forest plot in the terminal: differences with their intervals, around a line at none."""

from __future__ import annotations

import locale
import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from assay.experiments.amounts import difference, ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.cli.printing import Item

_UNICODE = {"line": "─", "point": "●", "zero": "│", "low": "├", "high": "┤", "cut": "…"}
_PLAIN = {"line": "-", "point": "o", "zero": "|", "low": "[", "high": "]", "cut": "~"}
_LEAST = 20
_TEXT = 34
_MOST_OF_WIDTH = 4
"""A name has a fourth of it at most, so that there is room for bars."""


def forest(
    variants: Sequence[Item], *, width: int, plain: bool = False, is_share: bool = False
) -> Iterator[str]:
    """Lines of the plot, one a variant, with numbers behind it; none without an interval.

    Args:
        variants: of a metric's results.
        width: of the terminal, in characters.
        plain: whether to draw with ASCII alone, as where the output can hold nothing else.
        is_share: whether differences are of shares, in percentage points.
    """
    drawn = [one for one in variants if one["difference"]["ci"] is not None]
    if drawn:
        yield ""
    marks = _PLAIN if plain or not _holds_unicode() else _UNICODE
    longest = max((cell_len(one["variant"]) for one in variants), default=0)
    names = min(longest, width // _MOST_OF_WIDTH)
    across = max(_LEAST, width - names - _TEXT)
    bounds = [bound for one in drawn for bound in one["difference"]["ci"]]
    low, high = min([0.0, *bounds]), max([0.0, *bounds])
    for one in variants:
        figure = one["difference"]
        name = _fit(one["variant"], names, marks["cut"])
        if figure["ci"] is None:
            yield f"  {name}  {figure['reason']}"
            continue
        bar = _bar(figure, low, high, across, marks)
        seen = difference(figure["estimate"], is_share=is_share)
        yield f"  {name} {bar} {seen} ({ends(figure['ci'], is_share=is_share)})"
    if drawn:
        first = drawn[0]["difference"]
        level = f"{100 * (1 - first['alpha']):.4g} %"
        yield f"  {'':<{names}} beside {drawn[0]['control_variant']}, {level}, {first['mode']}"


def _fit(name: str, cells: int, cut: str) -> str:
    """A name in so many cells of the terminal; a longer one is cut, and stands whole above."""
    if cell_len(name) <= cells:
        return set_cell_size(name, cells)
    return set_cell_size(name, cells - 1) + cut


def _bar(figure: Item, low: float, high: float, across: int, marks: dict[str, str]) -> str:
    def place(value: float) -> int:
        return round((value - low) / (high - low) * (across - 1)) if high > low else 0

    cells = [" "] * across
    first, last = map(place, figure["ci"])
    cells[first : last + 1] = [marks["line"]] * (last + 1 - first)
    cells[place(0.0)] = marks["zero"]
    cells[first], cells[last] = marks["low"], marks["high"]
    cells[place(figure["estimate"])] = marks["point"]
    return "".join(cells)


def _holds_unicode() -> bool:
    encoding = sys.stdout.encoding or locale.getpreferredencoding(do_setlocale=False)
    try:
        "".join(_UNICODE.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
