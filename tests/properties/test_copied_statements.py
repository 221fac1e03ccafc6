"""Whatever a list is filtered by, the statement for psql gives the rows of the API."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay.errors import AssayError
from assay.ids import floor_at, parse, to_text
from assay.store import outcomes, runs
from assay.store.copies import runs as copies_of_runs
from assay.store.copies import scores as copies_of_scores
from assay.store.copies.writing import clause, literal
from assay.store.outcomes import OutcomeFilter
from assay.store.runs import ENDED, LIVE, RunFilter
from copied_statements import rows
from dashboard_server import DashboardServer
from project_story import tell
from project_words import Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.store.pages import Reading
    from assay.testing import Databases
    from project_story import Story

many = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
INSTANTS = st.timedeltas(timedelta(), timedelta(days=43_000)).map(
    lambda since: datetime(1980, 1, 1, tzinfo=UTC) + since
)
NEEDED = {
    "session_id": "session_key",
    "score_min": "score",
    "score_max": "score",
    "score_is": "score",
    "variant": "experiment",
    "unit": "experiment",
    "forced": "experiment",
    "without_unit": "experiment",
    "exposed_after": "experiment",
    "exposed_before": "experiment",
}


class World(NamedTuple):
    """Two projects of which one has a story, and a reader of each."""

    server: DashboardServer
    story: Story

    async def _rows(self, reading: Reading, statement: str) -> list[dict[str, object]]:
        await reading.execute(statement.encode())
        return await reading.fetchall()

    def rows(self, statement: str, project: int = 1) -> list[dict[str, object]]:
        """What a reader of a project sees, to whom row security applies."""
        services = self.server.app.state.services
        found = services.read(project, lambda reading: self._rows(reading, statement))
        return cast("list[dict[str, object]]", self.server.run(found))


@pytest.fixture(scope="module", params=[Words(), hostile()], ids=["usual", "hostile"])
def world(request: pytest.FixtureRequest, assay_databases: Databases) -> Iterator[World]:
    """A project in usual words, and the same in the worst."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        story = tell(server, request.param)
        server.new_project()
        yield World(server, story)


def run_filters(world: World, data: st.DataObject) -> RunFilter:
    """Filters that fit some runs, or none."""
    words, now = world.story.words, world.server.clock.now()
    known = st.sampled_from([getattr(words, field.name) for field in fields(Words)])
    texts = known.filter(lambda text: "\0" not in text) | STORABLE
    likely = {
        "function": words.function,
        "app": words.app,
        "session_key": words.session_key,
        "session_id": words.session_id,
        "score": words.score,
        "experiment": words.experiment,
        "variant": words.variant,
        "unit": f"{words.unit}1",
    }
    near = st.integers(-12, 12).map(lambda seconds: now + timedelta(seconds=seconds))
    values: dict[str, object] = {}
    for name in data.draw(st.sets(st.sampled_from([field.name for field in fields(RunFilter)]))):
        if name == "status":
            values[name] = data.draw(st.sampled_from([*ENDED, *LIVE]))
        elif name in likely:
            values[name] = data.draw(st.just(likely[name]) | texts)
        elif name in {"score_min", "score_max"}:
            values[name] = data.draw(st.floats(0, 3) | FINITE)
        elif name in {"score_is", "forced", "without_unit"}:
            values[name] = data.draw(st.booleans())
        else:
            values[name] = data.draw(near | INSTANTS)
    for name, other in NEEDED.items():
        if other not in values:
            values.pop(name, None)
    return RunFilter(**values)  # type: ignore[arg-type]  # each was drawn for its field


@many
@given(data=st.data())
def test_runs(world: World, data: st.DataObject) -> None:
    """In the list's order; a reader of another project sees none of them."""
    filter_ = run_filters(world, data)
    services = world.server.app.state.services
    longest = filter_.queued_after is not None and data.draw(st.booleans())
    read = runs.longest if longest else runs.page
    page = world.server.run(
        services.read(1, lambda reading: read(reading, project=1, filter_=filter_, limit=500))
    )
    statement = copies_of_runs.of_filter(1, filter_, longest=longest)
    assert [row["id"] for row in world.rows(statement)] == [to_text(one.id) for one in page.items]
    assert world.rows(statement, project=2) == []


@many
@given(data=st.data())
def test_outcomes(world: World, data: st.DataObject) -> None:
    """In the list's order."""
    words, now = world.story.words, world.server.clock.now()
    near = st.integers(-12, 12).map(lambda seconds: now + timedelta(seconds=seconds))
    instants = near | INSTANTS
    states = st.sampled_from(["pending", "observed", "timed_out", "skipped"])
    kinds: dict[str, st.SearchStrategy[object]] = {
        "run": st.sampled_from([parse(run) for run in world.story.runs.values()]) | st.uuids(),
        "name": st.just(words.rating) | STORABLE,
        "state": states,
        "scorer": st.just("judge") | STORABLE,
        "app": st.just(words.app) | STORABLE,
        "function": st.just(words.function) | STORABLE,
        "session": st.just((words.session_key, words.session_id)) | st.tuples(STORABLE, STORABLE),
        **dict.fromkeys(
            ("since", "until", "promised_since", "promised_until", "overdue"), instants
        ),
    }
    chosen = data.draw(st.sets(st.sampled_from([field.name for field in fields(OutcomeFilter)])))
    drawn = {name: data.draw(kinds[name]) for name in chosen}
    filter_ = OutcomeFilter(**drawn)  # type: ignore[arg-type]  # each was drawn for its field
    services = world.server.app.state.services
    page = world.server.run(
        services.read(
            1, lambda reading: outcomes.page(reading, project=1, filter_=filter_, limit=500)
        )
    )
    found = world.rows(copies_of_scores.outcomes(1, filter_))
    assert [(row["run_id"], row["name"], row["state"]) for row in found] == [
        (to_text(one.run_id), one.name, one.state) for one in page.items
    ]


@pytest.fixture(scope="module")
def server(assay_databases: Databases) -> Iterator[DashboardServer]:
    """A server on an empty database."""
    with assay_databases.new() as database, DashboardServer(database) as made:
        yield made


@many
@given(text=STORABLE)
@example("'; DROP SCHEMA assay; --")
@example("\\'\n\t\u202e\u200d:name %s {} $$")
def test_a_text_is_what_it_was(server: DashboardServer, text: str) -> None:
    """And is written in characters that show."""
    written = clause("SELECT {} AS text", text).as_string(None)
    assert written.isprintable()
    assert rows(server, written) == [{"text": text}]


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
def test_what_no_column_holds_is_refused(text: str) -> None:
    """A statement with something in its place would ask another question."""
    with pytest.raises(AssayError) as refused:
        literal(text)
    assert refused.value.code == "bad_filter"


@many
@given(uuid=st.uuids(), at=INSTANTS)
@example(UUID(int=0), datetime(2026, 11, 27, 9, 30, 0, 123_000, tzinfo=UTC))
@example(UUID(int=2**128 - 1), datetime(2026, 11, 27, 9, 30, 0, 999_999, tzinfo=UTC))
def test_ids_are_those_of_pages(server: DashboardServer, uuid: UUID, at: datetime) -> None:
    """Both ways; and the first one of an instant."""
    asked = """SELECT insights.ulid({}) AS id, insights.uuid_of({}) AS uuid,
        insights.first_uuid({}) AS first"""
    id_ = to_text(uuid)
    (found,) = rows(server, clause(asked, uuid, id_.lower(), at).as_string(None))
    assert found == {"id": id_, "uuid": uuid, "first": floor_at(at)}
