"""Which account of the system runs the server: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, NamedTuple

from assay.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path

ROOTS_STAND_INS = ("postgres", "nobody")


class Account(NamedTuple):
    """A user of the system; `switch` says that we are root and become that user for the server."""

    uid: int
    gid: int
    switch: bool


def account_for(data_dir: Path, cluster_dir: Path) -> Account:
    """Choose who runs the server: ourselves, or as root whoever owns the directory."""
    me = os.geteuid()
    owner = _owner(cluster_dir)
    if me != 0:
        if owner is not None and owner.uid != me:
            raise _not_ours(data_dir, owner.uid)
        return Account(me, os.getegid(), switch=False)
    if owner is not None:
        return owner
    # What root makes in somebody's directory is to stay usable by that somebody.
    owner = _owner(data_dir)
    if owner is not None and owner.uid != 0 and _is_known(owner.uid):
        return owner
    for name in ROOTS_STAND_INS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise AssayError(
        "PostgreSQL does not run as root, and there is no unprivileged account to run it",
        code="embedded_no_account",
        hint="run Assay as a normal user, add an account named postgres, or set ASSAY_DATABASE_URL",
    )


def make_data_dir(data_dir: Path) -> None:
    """Create the directory; what root creates belongs to the owner of the directory around it."""
    if data_dir.is_dir():
        return
    make_data_dir(data_dir.parent)
    try:
        data_dir.mkdir(mode=0o755)
    except PermissionError as error:
        raise _not_ours(data_dir, data_dir.parent.stat().st_uid) from error
    except OSError as error:
        if data_dir.is_dir():
            return
        raise AssayError(
            f"the data directory {data_dir} can't be made: {error.strerror}",
            code="setting_invalid",
            field="ASSAY_DATA_DIR",
            hint="name a directory, or a place where one can be made",
        ) from error
    if os.geteuid() == 0:
        around = data_dir.parent.stat()
        os.chown(data_dir, around.st_uid, around.st_gid, follow_symlinks=False)


def refuse(data_dir: Path) -> AssayError:
    """Say that this directory can't be used by the present user."""
    try:
        uid = data_dir.stat().st_uid
    except OSError:
        uid = -1
    return _not_ours(data_dir, uid)


def _owner(path: Path) -> Account | None:
    try:
        stat = path.lstat()
    except (FileNotFoundError, PermissionError):
        return None
    return Account(stat.st_uid, stat.st_gid, switch=True)


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _not_ours(data_dir: Path, uid: int) -> AssayError:
    name = pwd.getpwuid(uid).pw_name if uid >= 0 and _is_known(uid) else f"uid {uid}"
    return AssayError(
        f"the data directory {data_dir} belongs to {name} and can't be used by uid {os.geteuid()}",
        code="embedded_not_permitted",
        field="ASSAY_DATA_DIR",
        hint=f"run Assay as {name}, choose another ASSAY_DATA_DIR, or set ASSAY_DATABASE_URL",
    )
