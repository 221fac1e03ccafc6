"""The table that the benchmarks print."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure with what is asked of it.

    Attributes:
        figure: as measured, in words.
        value: what the gate is about.
        gate: the least (or, where `is_limit`, the most) that it may be; None where none is set.
        rate: per second, where it is a ratio of rates.
    """

    name: str
    figure: str
    value: float
    gate: float | None = None
    unit: str = "x"
    is_limit: bool = False
    rate: float = 0.0

    @property
    def held(self) -> str:
        """Whether the gate held."""
        if self.gate is None:
            return ""
        is_held = self.value <= self.gate if self.is_limit else self.value >= self.gate
        return "held" if is_held else "MISSED"


def ratio_line(name: str, pairs: Sequence[tuple[float, float]], *, gate: float, note: str) -> Line:
    """A line of interleaved pairs (figure, floor), each a second."""
    rate, floor = (median(column) for column in zip(*pairs, strict=True))
    return Line(
        name=name,
        figure=f"{rate:,.0f}/s, floor {floor:,.0f}/s\n{note}",
        value=median(figure / base for figure, base in pairs),
        gate=gate,
        rate=rate,
    )


def limit_line(name: str, value: float, *, gate: float, unit: str, figure: str = "") -> Line:
    """A line of what may be no more than its gate."""
    return Line(name=name, figure=figure, value=value, gate=gate, unit=unit, is_limit=True)


def show(lines: Sequence[Line], title: str) -> None:
    """Print them."""
    table = Table(title=title, title_justify="left")
    for heading in ("what", "measured", "value", "gate", ""):
        table.add_column(heading, no_wrap=heading != "what")
    for line in lines:
        sign = "<" if line.is_limit else ">="
        table.add_row(
            line.name,
            line.figure,
            f"{line.value:.3g} {line.unit}",
            "" if line.gate is None else f"{sign} {line.gate:g} {line.unit}",
            line.held,
        )
    Console(width=132).print(table)
