"""`assay keys`: makes, lists and revokes API keys, on the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from assay.access import keys as access
from assay.cli.databases import on_database
from assay.cli.options import DataDir, Json
from assay.cli.printing import at, note, print_json, print_table, say
from assay.clock import DatabaseClock
from assay.ids import Ids, to_text

if TYPE_CHECKING:
    from datetime import datetime

    from assay.cli.printing import Item
    from assay.store.keys import KeyRecord

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
    made, secret = on_database(
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
    found = on_database(
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
    revoked = on_database(
        data_dir,
        lambda connection, project: access.revoke(
            connection, project=project, key=key, clock=DatabaseClock()
        ),
    )
    if as_json:
        print_json([_shape(revoked)])
    else:
        say(f"revoked {revoked.prefix} ({revoked.name})")


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
