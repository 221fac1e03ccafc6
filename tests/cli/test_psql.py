"""`assay psql`: the database for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from program import Program

COUNT = "SELECT count(*) FROM runs WHERE project_id = 1"
RUN = "INSERT INTO assay.projects (id, name) VALUES (7, 'seven')"


def test_the_views_are_read_by_their_names(embedded: Program) -> None:
    """From the embedded database, which it starts; what it is given goes to psql."""
    done = embedded.run("psql", "--", "-X", "-A", "-t", "-c", COUNT)
    assert done.stdout == "0\n"


def test_nothing_is_written(assay: Program) -> None:
    """By a slip: the session is read-only, and the failure is the command's."""
    done = assay.run("psql", "--", "-X", "-c", RUN, code=1)
    assert "read-only transaction" in done.stderr
