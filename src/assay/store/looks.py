"""Looks as rows: written once, never changed."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assay.model.experiments import Mode
from assay.model.looks import GuardrailLook, GuardrailWord, Look, Word
from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.store.pages import Reading

_SQL = queries("experiments")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRecord:
    """A look at a variant in a mode."""

    plan_version: int
    mode: Mode
    variant: str
    look: Look
    looked_at: datetime


async def all_of(
    cursor: Reading, *, project: int, experiment: str, version: int
) -> list[LookRecord]:
    """The looks of one version of a plan, the oldest first."""
    parts = ("looks", "of_version", "oldest_first")
    values = {"project": project, "experiment": experiment, "version": version}
    return [_record(row) for row in await fetch(cursor, compose(_SQL[p] for p in parts), values)]


async def page(
    cursor: Reading, *, project: int, experiment: str, limit: int, after: str | None = None
) -> Page[LookRecord]:
    """A page of all looks at an experiment, the oldest first."""
    values: dict[str, object] = {"project": project, "experiment": experiment, "limit": limit + 1}
    parts = ["looks"]
    if after is not None:
        parts.append("looks_after")
        last = decode("looks", after, (datetime, str, str))
        names = ("after_cutoff", "after_mode", "after_variant")
        values |= dict(zip(names, last, strict=True))
    parts += ["oldest_first", "limited"]
    rows = await fetch(cursor, compose(_SQL[part] for part in parts), values)
    return page_of(
        "looks",
        [_record(row) for row in rows],
        limit,
        lambda one: (one.look.cutoff, one.mode, one.variant),
    )


async def words(
    cursor: Reading, planned: Sequence[tuple[str, int, Mode]], *, project: int
) -> list[tuple[str, str, Look]]:
    """What looks said: experiment, variant, look, the oldest first of each experiment.

    *planned* names experiments, each with the version and the mode of its plan. Of looks there is
    only what a verdict needs, and the difference that they saw.
    """
    values = {
        "project": project,
        "experiments": [name for name, _, _ in planned],
        "versions": [version for _, version, _ in planned],
        "modes": [mode.value for _, _, mode in planned],
    }
    return [
        (
            row["experiment"],
            row["variant"],
            Look(
                cutoff=row["cutoff"],
                tested=row["tested"],
                word=None if row["word"] is None else Word(row["word"]),
                reason=row["reason"],
                n_units=row["n_units"],
                estimate=row["estimate"],
                se=row["se"],
                df=_df(row),
                alpha=row["alpha"],
                time=row["spending_time"],
                ci=_ci(row["ci"]),
                log_e_balance=row["log_e_balance"],
            ),
        )
        for row in await fetch(cursor, _SQL["words"], values)
    ]


async def hold(cursor: Reading, *, project: int, experiment: str) -> bool:
    """Keep others from looking until the transaction ends; False where another one looks now."""
    values = {"project": project, "experiment": experiment}
    return bool(await fetch(cursor, _SQL["hold"], values))


async def unlooked(cursor: Reading, *, project: int, cutoff: datetime) -> list[str]:
    """Experiments with a plan that go on and were not looked at as of a cutoff."""
    values = {"project": project, "cutoff": cutoff}
    return [row["name"] for row in await fetch(cursor, _SQL["planned"], values)]


async def add(
    cursor: Reading,
    looks: Sequence[tuple[Mode, str, Look]],
    *,
    project: int,
    experiment: str,
    version: int,
    now: datetime,
) -> None:
    """Keep looks, each once, with their modes and variants."""
    await cursor.execute(
        _SQL["add_looks"],
        {
            "project": project,
            "experiment": experiment,
            "version": version,
            "now": now,
            "looks": json.dumps([_row(*one) for one in looks]),
        },
    )


def _row(mode: Mode, variant: str, look: Look) -> Mapping[str, Any]:
    whole = _finite(asdict(look)) | {"cutoff": look.cutoff.isoformat()}
    return whole | {"mode": mode, "variant": variant, "result": whole}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """What JSON can hold: no bound in place of an infinite one."""
    return {
        name: None
        if isinstance(value, float) and not math.isfinite(value)
        else _finite(value)
        if isinstance(value, dict)
        else [_finite(one) if isinstance(one, dict) else _number(one) for one in value]
        if isinstance(value, list | tuple)
        else value
        for name, value in values.items()
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _record(row: Mapping[str, Any]) -> LookRecord:
    result = row["result"]
    return LookRecord(
        plan_version=row["plan_version"],
        mode=Mode(row["mode"]),
        variant=row["variant"],
        looked_at=row["looked_at"],
        look=Look(
            **{
                **{name: result[name] for name in Look.__slots__ if name in result},
                "cutoff": row["cutoff"],
                "ci": _ci(result["ci"]),
                "df": _df(result),
                "word": None if result["word"] is None else Word(result["word"]),
                "guardrails": tuple(_guardrail(**one) for one in result["guardrails"]),
            }
        ),
    )


def _guardrail(
    *, is_held: bool | None = None, word: str | None = None, **seen: Any
) -> GuardrailLook:
    # Rows of before there was a word say whether it was held.
    known = {True: "held", False: "open", None: None}[is_held] if word is None else word
    return GuardrailLook(**seen, word=None if known is None else GuardrailWord(known))


def _ci(stored: Sequence[float | None] | None) -> tuple[float, float] | None:
    if stored is None:
        return None
    low, high = stored
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _df(stored: Mapping[str, Any]) -> float | None:
    found: float | None = stored["df"]
    return math.inf if found is None and stored["tested"] else found
