"""Finding what a project holds by some letters of its name, or by an id or a part of one.

Each look-up ends after a bounded number of steps: it reads a table that is small, goes along an
index, or looks at so many of the newest rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.ids import parse, to_text
from assay.store import score_values
from assay.store.pages import compose, encode, fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from uuid import UUID

    from assay.store.pages import Reading
    from assay.store.turns import Row

_SQL = queries("finding")
MOST = 10
"""So many of a kind are found."""
_NEWEST_EVENTS = 2_000
"""Names of events are looked for among so many of the newest ones."""
_NEWEST_IDS = 10_000
"""The end of an id is looked for among so many of the newest runs, and events."""
_NAMES = 200
_KEYS = 20
_ID_LENGTH = 26
_HEX_BITS, _LETTER_BITS = 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFunction:
    """A function or scorer: its `kind`."""

    app: str
    fn: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSession:
    """A session."""

    key: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundId:
    """A run with the id of its function, or an event with its name."""

    id: UUID
    name: str


async def functions(cursor: Reading, *, project: int, text: str) -> list[FoundFunction]:
    """The functions with a text in their id, those that begin with it first."""
    return [FoundFunction(**row) for row in await _named(cursor, "functions", project, text)]


async def experiments(cursor: Reading, *, project: int, text: str) -> list[str]:
    """The experiments with a text in their name, those that begin with it first."""
    return [row["name"] for row in await _named(cursor, "experiments", project, text)]


async def event_names(cursor: Reading, *, project: int, text: str) -> list[str]:
    """The names of events with a text in them, those that begin with it first.

    Those that functions start on, runs have waited for or one of the newest events has; any other
    by all of its name.
    """
    return [row["name"] for row in await _named(cursor, "event_names", project, text)]


async def score_names(cursor: Reading, *, project: int, text: str) -> list[str]:
    """The names of scores with a text in them, those that begin with it first.

    Where there are many names, others than the first ones are found by how they begin.
    """
    page = await score_values.names(cursor, project=project, limit=_NAMES)
    names = set(page.items)
    if page.next is not None:
        after = encode("score-names", (text,))
        more = await score_values.names(cursor, project=project, limit=MOST, after=after)
        names.update(more.items)
        if await score_values.is_known(cursor, project=project, name=text):
            names.add(text)
    return best(names, text)


async def session_keys(cursor: Reading, *, project: int) -> list[str]:
    """The first session keys in their order."""
    values = {"project": project, "limit": _KEYS}
    return [row["key"] for row in await fetch(cursor, _SQL["session_keys"], values)]


async def sessions(
    cursor: Reading, *, project: int, text: str, keys: list[str]
) -> list[FoundSession]:
    """The sessions of some keys whose id begins with a text, the very id first."""
    values = {"project": project, "text": text, "keys": keys, "limit": MOST}
    return [FoundSession(**row) for row in await fetch(cursor, _SQL["sessions"], values)]


async def ids(cursor: Reading, *, project: int, of: str, text: str) -> list[FoundId]:
    """The newest things whose id begins with a text, or is it.

    Args:
        cursor: of a reader of the project.
        project: whose.
        of: `runs` or `events`.
        text: an id or the beginning of one.
    """
    ends = [parse(text.ljust(_ID_LENGTH, fill)) for fill in "0Z"]
    values = {"project": project, "first": ends[0], "last": ends[1], "limit": MOST}
    query = compose(_SQL[name] for name in (of, "within", "newest"))
    return [FoundId(**row) for row in await fetch(cursor, query, values)]


async def ids_ending(cursor: Reading, *, project: int, of: str, text: str) -> list[FoundId]:
    """Those among the newest things whose id ends with a text, as pages shorten ids."""
    tail = parse(text.rjust(_ID_LENGTH, "0"))
    # A letter of an id is five bits, a digit of the stored one four: the last bits are looked at.
    digits = len(text) * _LETTER_BITS // _HEX_BITS
    values = {
        "project": project,
        "most": _NEWEST_IDS,
        "digits": digits,
        "tail": str(tail)[-digits:],
        "limit": MOST,
    }
    query = compose(_SQL[name] for name in (of, f"ending_{of}", "newest"))
    found = [FoundId(**row) for row in await fetch(cursor, query, values)]
    return [one for one in found if to_text(one.id).endswith(text.upper())]


def best(names: set[str], text: str) -> list[str]:
    """The names that hold a text, whatever the case: those that begin with it first."""
    wanted = text.lower()
    fit = [name for name in names if wanted in name.lower()]
    return sorted(fit, key=lambda name: (not name.lower().startswith(wanted), name))[:MOST]


async def _named(cursor: Reading, query: str, project: int, text: str) -> list[Row]:
    values = {"project": project, "text": text, "limit": MOST, "most": _NEWEST_EVENTS}
    return await fetch(cursor, _SQL[query], values)
