"""`assay experiments`: what experiments there are, and what their looks have come to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from assay.cli.asking import ask
from assay.cli.options import All, Json, settings_of
from assay.cli.printing import at, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from assay.cli.printing import Item


def experiments(limit: All = None, *, as_json: Json = False) -> None:
    """List experiments by name, with the verdicts on their variants."""
    most = sys.maxsize if limit is None else limit
    found = ask(lambda api: api.items("/experiments", most), settings_of())
    if as_json:
        print_json(found)
    else:
        columns = ("experiment", "variants", "strategy", "primary", "verdict", "first seen")
        print_table(columns, map(_row, found), empty="no experiments")


def _row(one: Item) -> Sequence[Text | str]:
    plan = one["plan"]
    said = [
        f"{verdict['variant']}: {verdict['word']}{_kept(verdict)}" for verdict in one["verdicts"]
    ]
    stopped = one["stopped"]
    verdict = "no plan" if plan is None else ", ".join(said) or "not looked at yet"
    return (
        one["id"],
        ", ".join(one["variants"]),
        one["strategy"] or "",
        "" if plan is None else plan["primary"],
        verdict if stopped is None else f"{verdict} (stopped: {stopped['decision']})",
        at(one["first_seen"]),
    )


def _kept(verdict: Item) -> str:
    """Which guardrail keeps a variant from being better, which the word alone hides."""
    reason = verdict["reason"] or ""
    return f" ({reason})" if reason.startswith("guardrail") else ""
