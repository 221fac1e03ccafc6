"""The embedded server starts on demand, is shared, and is stopped by its last user."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from assay.errors import AssayError
from assay.settings import Settings
from assay.store.embedded import EmbeddedPostgres, database_url
from embedded_user import User, users


def ask(url: str, question: str) -> object:
    """The only value of the answer."""
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def born(url: str) -> object:
    """Tells one server from the next."""
    return ask(url, "SELECT pg_postmaster_start_time()")


def living_servers(data_dir: Path) -> list[int]:
    """Pids of PostgreSQL's processes that work in the directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(data_dir / "postgres"):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_starts_on_demand_and_keeps_what_was_written(data_dir: Path) -> None:
    """Start, write, stop, start again: the rows are there, and nothing else is left behind."""
    with EmbeddedPostgres(data_dir) as server:
        url = server.url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert living_servers(data_dir)

    assert living_servers(data_dir) == []
    assert not (data_dir / "socket").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)

    with EmbeddedPostgres(data_dir) as server:
        assert ask(server.url, "SELECT answer FROM kept") == 42


def test_the_server_is_durable_utf8_and_asks_for_a_password(data_dir: Path) -> None:
    """Nothing that durability rests on is switched off, and nobody enters without a password."""
    with EmbeddedPostgres(data_dir) as server:
        for name, value in {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "listen_addresses": "",
            "max_connections": "200",
        }.items():
            assert ask(server.url, f"SHOW {name}") == value
        assert ask(server.url, "SELECT datlocale FROM pg_database LIMIT 1") == "C.UTF-8"
        assert (data_dir / "password").stat().st_mode & 0o777 == 0o600
        password = (data_dir / "password").read_text().strip()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace(password, "wrong"))


def test_the_last_user_stops_the_server(data_dir: Path) -> None:
    """Two users in one process: the first to go leaves it running for the second."""
    first, second = EmbeddedPostgres(data_dir), EmbeddedPostgres(data_dir)
    assert first.start() == second.start()
    url = second.url

    first.stop()
    assert ask(url, "SELECT 1") == 1

    second.stop()
    assert living_servers(data_dir) == []


def test_start_and_stop_may_be_repeated(data_dir: Path) -> None:
    """A second `start` changes nothing; a second `stop` does nothing."""
    server = EmbeddedPostgres(data_dir)
    with pytest.raises(AssayError, match="not started"):
        _ = server.url
    url = server.start()
    begun = born(url)
    assert url == server.start()
    assert begun == born(url)

    server.stop()
    server.stop()
    assert living_servers(data_dir) == []


def test_ten_processes_that_start_at_once_share_one_server(data_dir: Path) -> None:
    """The cluster is made once, the server started once; the last process stops it."""
    with users(data_dir, 10) as ten:
        urls = {user.answer()["url"] for user in ten}
        assert len(urls) == 1
        assert (data_dir / "postgres.log").read_text().count("starting PostgreSQL") == 1

        for user in ten[:-1]:
            user.stop()
        assert ask(urls.pop(), "SELECT 1") == 1
        ten[-1].stop()
    assert living_servers(data_dir) == []


def test_a_path_of_more_than_100_bytes(data_dir: Path) -> None:
    """The path of a socket is limited to 107 bytes; the data's is not."""
    long = data_dir / ("a" * 60) / ("ä" * 30) / "with space"
    assert len(bytes(long)) > 120
    with EmbeddedPostgres(long) as server:
        assert ask(server.url, "SELECT 1") == 1


def test_a_relative_path_means_the_same_after_chdir(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is `.assay`, and a program may change its directory."""
    data_dir.mkdir()
    monkeypatch.chdir(data_dir.parent)
    server = EmbeddedPostgres(Path(data_dir.name))
    server.start()
    monkeypatch.chdir("/")
    assert ask(server.url, "SELECT 1") == 1
    server.stop()
    assert living_servers(data_dir) == []


def test_a_cluster_half_made_is_made_anew(data_dir: Path) -> None:
    """Whoever was killed while it made the cluster leaves nothing that counts."""
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    (data_dir / "password").write_text("of that attempt")
    with EmbeddedPostgres(data_dir) as server:
        assert ask(server.url, "SELECT 1") == 1


def test_a_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    """The message names both versions; nothing is touched."""
    with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(AssayError, match="PostgreSQL 17, this is 18") as caught:
        EmbeddedPostgres(data_dir).start()
    assert caught.value.code == "embedded_version"


def test_a_server_that_does_not_start_says_why(data_dir: Path) -> None:
    """The error shows what PostgreSQL wrote in its log."""
    with EmbeddedPostgres(data_dir):
        pass
    with (data_dir / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(AssayError, match="no_such_setting") as caught:
        EmbeddedPostgres(data_dir).start()
    assert caught.value.code == "embedded_start_failed"


def test_a_forked_child_does_not_give_up_its_parents_hold(data_dir: Path) -> None:
    """`stop` in the child of a fork leaves the parent's server alone."""
    with EmbeddedPostgres(data_dir) as server:
        child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with User(data_dir) as other:
            other.answer()
            other.stop()
        assert ask(server.url, "SELECT 1") == 1


def test_settings_choose_between_a_given_and_the_embedded_server(data_dir: Path) -> None:
    """`ASSAY_DATABASE_URL` is used as it is; without it the data directory has the server."""
    given = Settings(database_url="postgresql://db.example/assay", data_dir=data_dir)
    with database_url(given) as url:
        assert url == "postgresql://db.example/assay"
    assert not data_dir.exists()

    with database_url(Settings(data_dir=data_dir)) as url:
        assert ask(url, "SELECT current_database()") == "assay"
    assert living_servers(data_dir) == []


def test_a_directory_removed_under_the_server_is_started_anew() -> None:
    """Whoever deletes the data gets an empty database, not the old server's."""
    data_dir = Path(tempfile.mkdtemp(prefix="assay-test-"), ".assay")
    with EmbeddedPostgres(data_dir) as old:
        begun = born(old.url)
        socket_dir = Path((data_dir / "socket").read_text())
        pid = int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
        orphan = psutil.Process(pid)
        shutil.rmtree(data_dir)
        with EmbeddedPostgres(data_dir) as server:
            assert born(server.url) != begun
            old.stop()
            assert ask(server.url, "SELECT 1") == 1
    # It notices by itself, but only within a minute.
    with contextlib.suppress(psutil.NoSuchProcess):
        orphan.send_signal(signal.SIGQUIT)
    orphan.wait()
    shutil.rmtree(socket_dir)
    shutil.rmtree(data_dir.parent)
