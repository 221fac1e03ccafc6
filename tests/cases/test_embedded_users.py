"""The embedded server as root, as a normal user, and between two users of the system."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from assay.errors import AssayError
from assay.store.embedded import EmbeddedPostgres
from assay.store.embedded.account import Account
from assay.store.embedded.binaries import COPIES, binaries_for
from embedded_user import User

AS_ROOT = os.geteuid() == 0


def answers(url: str) -> bool:
    """Whether the server is there."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def another_user() -> int:
    """A uid that is neither root nor the one that root would choose."""
    return pwd.getpwnam("daemon").pw_uid


def test_modes_outside_the_data_directory_stay_as_they_are(data_dir: Path) -> None:
    """A parent that only its owner may enter stays so, and the server runs below it."""
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    before = [(path, path.stat().st_mode) for path in (closed, *closed.parents)]
    with EmbeddedPostgres(closed / "inner" / ".assay") as server:
        assert answers(server.url)
    assert before == [(path, path.stat().st_mode) for path in (closed, *closed.parents)]


def test_the_server_never_runs_as_root(data_dir: Path) -> None:
    """Its files belong to who runs it; as root that is somebody else."""
    with EmbeddedPostgres(data_dir) as server:
        assert answers(server.url)
    owner = (data_dir / "postgres").stat().st_uid
    assert owner != 0
    assert AS_ROOT or owner == os.geteuid()
    assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_is_closed_to_the_user_is_refused(data_dir: Path) -> None:
    """A clear word with the owner and the remedy, not PostgreSQL's."""
    if AS_ROOT:
        with EmbeddedPostgres(data_dir), User(data_dir, uid=another_user()) as other:
            answer = other.answer()
            code, message = answer["code"], answer["message"]
    else:
        data_dir.mkdir(mode=0o500)
        with pytest.raises(AssayError) as caught:
            EmbeddedPostgres(data_dir).start()
        code, message = caught.value.code, str(caught.value)
    assert code == "embedded_not_permitted"
    assert str(data_dir) in message
    assert "ASSAY_DATA_DIR" in message


def test_a_directory_that_can_not_be_made_is_refused(data_dir: Path) -> None:
    """The same word when it is the parent that is closed."""
    data_dir.parent.chmod(0o555)
    uid = another_user() if AS_ROOT else None
    with User(data_dir, uid=uid) as other:
        assert other.answer()["code"] == "embedded_not_permitted"
    data_dir.parent.chmod(0o700)


def test_root_and_a_user_share_the_users_directory(data_dir: Path) -> None:
    """In turn and at the same time; what root makes there stays usable by the user."""
    uid = another_user() if AS_ROOT else os.geteuid()
    if AS_ROOT:
        os.chown(data_dir.parent, uid, -1)
    with EmbeddedPostgres(data_dir) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with User(data_dir, uid=uid if AS_ROOT else None) as user:
            assert server.url == user.answer()["url"]
            user.stop()
        assert answers(server.url)

    with User(data_dir, uid=uid if AS_ROOT else None) as user:
        url = user.answer()["url"]
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        user.stop()

    with EmbeddedPostgres(data_dir) as server:
        assert answers(server.url)
    owners = {path.stat().st_uid for path in (data_dir, *data_dir.iterdir())}
    assert {uid} == owners


def test_binaries_that_the_account_can_not_reach_are_copied(data_dir: Path) -> None:
    """An environment below a private directory is the usual place of root's projects.

    Who is not root runs the binaries itself, and needs no copy.
    """
    account = Account(os.geteuid(), os.getegid(), switch=False)
    theirs = binaries_for(account)
    if not AS_ROOT:
        assert (theirs / "postgres").is_file()
        return
    closed = data_dir.parent / "site"
    package = theirs.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    for directory in (package, libraries):
        shutil.copytree(directory, closed / directory.name, symlinks=True)
    uid = another_user()
    copies_before = set(COPIES.glob("*"))
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from assay.store.embedded.account import Account;"
        "from assay.store.embedded.binaries import binaries_for;"
        "print(binaries_for(Account(int(sys.argv[2]), int(sys.argv[2]), switch=True)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(closed), str(uid)],
        capture_output=True,
        text=True,
        check=True,
    )
    copy = Path(done.stdout.strip())
    try:
        assert COPIES in copy.parents
        version = subprocess.run(
            [copy / "initdb", "--version"], user=uid, capture_output=True, text=True, check=True
        )
        assert "18" in version.stdout
    finally:
        for path in set(COPIES.glob("*")) - copies_before:
            shutil.rmtree(path)


def test_a_data_directory_that_cannot_be_one(tmp_path: Path) -> None:
    """A file in its place is told as such."""
    file = tmp_path / "file"
    file.touch()
    for data_dir in (file, file / "below"):
        with pytest.raises(AssayError, match="can't be made") as refused:
            EmbeddedPostgres(data_dir).start()
        assert refused.value.code == "setting_invalid"
