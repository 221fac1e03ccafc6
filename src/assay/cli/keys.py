"""`assay keys`: makes, lists and revokes API keys, on the database itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from assay import app
from assay.access import keys as access
from assay.cli.options import DataDir, Json, settings_of
from assay.cli.printing import at, note, print_json, print_table, say
from assay.clock import DatabaseClock
from assay.ids import Ids, to_text
from assay.store.pool import connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from assay.cli.printing import Item
    from assay.store.keys import KeyRecord
    from assay.store.pool import AsyncConn

T = TypeVar("T")

keys = typer.Typer(no_args_is_help=True)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, in words.")],
    data_dir: DataDir = None,
    *,
    as_json: Json = False,
) -> None:
    """Make a key of the project; its text is shown this once and kept nowhere."""
    clock = DatabaseClock()
    made, secret = _on_database(
        data_dir,
        lambda connection, project: access.create(
            connection, project=project, name=name, clock=clock, ids=Ids(clock)
        ),
    )
    if as_json:
        print_json([_shape(made) | {"key": secret}])
    else:
        note(
            "send it as `Authorization: Bearer <key>`, or set ASSAY_API_KEY; it is not shown again"
        )
        say(secret)


@keys.command("list")
def list_(data_dir: DataDir = None, *, as_json: Json = False) -> None:
    """List the keys of the project, the oldest first."""
    found = _on_database(
        data_dir, lambda connection, project: access.list_keys(connection, project=project)
    )
    if as_json:
        print_json(map(_shape, found))
        return
    rows = (
        (key.prefix, key.name, at(_instant(key.created_at)), at(_instant(key.revoked_at)))
        for key in found
    )
    print_table(("prefix", "name", "created", "revoked"), rows, empty="no keys")


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its prefix or id.")],
    data_dir: DataDir = None,
    *,
    as_json: Json = False,
) -> None:
    """Revoke a key: from now on nobody gets in with it."""
    revoked = _on_database(
        data_dir,
        lambda connection, project: access.revoke(
            connection, project=project, key=key, clock=DatabaseClock()
        ),
    )
    if as_json:
        print_json([_shape(revoked)])
    else:
        say(f"revoked {revoked.prefix} ({revoked.name})")


def _on_database(data_dir: Path | None, act: Callable[[AsyncConn, int], Awaitable[T]]) -> T:
    settings = settings_of(data_dir)

    async def acted(url: str) -> T:
        project = await app.project_named(url, settings.project)
        async with await connect(url) as connection:
            return await act(connection, project)

    with app.database(settings, on_progress=note) as url:
        return asyncio.run(acted(url))


def _shape(key: KeyRecord) -> Item:
    return {
        "id": to_text(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "created_at": _instant(key.created_at),
        "revoked_at": _instant(key.revoked_at),
    }


def _instant(at_: datetime | None) -> str | None:
    return None if at_ is None else at_.isoformat().replace("+00:00", "Z")
