"""Sessions: the keys in use, the sessions of a key, and one session as it went."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.dashboard import sorting
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Page
from assay.dashboard.strips import strip
from assay.dashboard.transcripts import transcript
from assay.errors import AssayError
from assay.ids import parse, step_key
from assay.stats.intervals import proportion
from assay.store import outcomes, scores, transcripts
from assay.store.copies import runs as copies_of_runs
from assay.store.copies import sessions as copies
from assay.wire.rollups import SessionScore
from assay.wire.runs import Run
from assay.wire.sessions import SessionKey, SessionSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from assay.dashboard.asking import Ask
    from assay.dashboard.sorting import Key, Sorting
    from assay.dashboard.strips import Mark
    from assay.dashboard.transcripts import Said, Transcript
    from assay.stats.intervals import Estimate
    from assay.store.outcomes import OutcomeRecord
    from assay.store.pages import Reading
    from assay.store.scores import ScoreRecord

RUNS = 50
MOST_SPANS = 500
MOST_SCORES = 1_000
_DAY = timedelta(days=1)
COLUMNS: Mapping[str, Callable[[SessionKey], Key]] = {
    "key": lambda one: one.key,
    "sessions": lambda one: one.session_count,
    "runs": lambda one: one.run_count,
    "each": lambda one: one.run_count / one.session_count,
    "last": lambda one: one.last_active_at,
}
"""What the table of keys can be sorted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysView:
    """The keys in use."""

    sorting: Sorting
    keys: list[SessionKey]
    next: str | None
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsView:
    """A page of the sessions of a key."""

    key: str
    sessions: list[SessionSummary]
    next: str | None
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsGiven:
    """What belongs to some runs.

    Attributes:
        about_runs: the latest scores about a run. `about_steps`: those about a step of it, by the
            step's key.
        outcomes: what each has promised.
    """

    about_runs: dict[UUID, list[ScoreRecord]]
    about_steps: dict[tuple[UUID, UUID], list[ScoreRecord]]
    outcomes: dict[UUID, list[OutcomeRecord]]
    transcript: Transcript

    def said_in(self, run: Run) -> list[Said]:
        """What was said in a run."""
        return self.transcript.said.get(parse(run.id), [])

    def scores_of(self, run: Run) -> list[ScoreRecord]:
        """The scores about a run."""
        return self.about_runs.get(parse(run.id), [])

    def promised_by(self, run: Run) -> list[OutcomeRecord]:
        """The outcomes that a run has promised."""
        return self.outcomes.get(parse(run.id), [])

    def beside(self, said: Said) -> list[ScoreRecord]:
        """The scores of the step that a message is the last of."""
        if not said.is_last or said.span.step is None:
            return []
        return self.about_steps.get((said.span.run_id, said.span.step), [])


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session.

    Attributes:
        runs: a page of them, in the order of time.
    """

    session: SessionSummary
    rollups: list[SessionScore]
    runs: list[Run]
    next: str | None
    given: RunsGiven
    copied: Copied

    def failed(self) -> Estimate:
        """The share of failed runs among those that have ended, with its interval."""
        return proportion(self.session.failed_run_count, self.session.failure_rate_n, unit="run")

    @property
    def scored(self) -> list[Run]:
        """The runs that are shown and may have scores: what gives them has none."""
        return [run for run in self.runs if run.kind != "scorer"]

    def strip(self, score: SessionScore) -> list[Mark]:
        """How the score went over them."""
        given = self.given
        of_runs = [(given.scores_of(run), given.promised_by(run)) for run in self.scored]
        return strip(score.name, of_runs)

    def true(self, score: SessionScore) -> Estimate:
        """The share of true, with its interval."""
        return proportion((score.true_share or 0) * score.n_bool, score.n_bool, unit="run")


async def keys(ask: Ask) -> KeysView:
    """The session keys, in their order."""
    if "key" in ask.query:
        raise AssayError(
            "the sessions of a key have a page of their own",
            code="bad_filter",
            field="key",
            hint="open its page from the list of keys",
        )
    order = sorting.asked(ask)
    found = await sorting.items(ask, SessionKey, order)
    return KeysView(
        sorting=order,
        keys=order.of(found.items, COLUMNS),
        next=found.next,
        copied=copied(ask, copies.keys(ask.project)),
    )


async def sessions(ask: Ask) -> SessionsView:
    """The sessions of a key, those with the newest run first."""
    found = await ask.items(SessionSummary)
    key = ask.params["key"]
    return SessionsView(
        key=key,
        sessions=found.items,
        next=found.next,
        copied=copied(ask, copies.of_key(ask.project, key)),
    )


async def session(ask: Ask) -> SessionView:
    """A session with a page of its runs, what was said in them and their scores."""
    path = ask.api_path()
    of_session = await ask.api.get(SessionSummary, path)
    rollups = await ask.api.items(SessionScore, f"{path}/scores")
    query = [("limit", RUNS), ("cursor", ask.query.get("cursor"))]
    found = await ask.api.items(Run, f"{path}/runs", query)
    runs = found.items[::-1]
    given = await ask.read(lambda reading: _given(reading, ask.project, runs))
    return SessionView(
        session=of_session,
        rollups=rollups.items,
        runs=runs,
        next=found.next,
        given=given,
        copied=copied(ask, _statements(ask.project, of_session)),
    )


def _statements(project: int, session: SessionSummary) -> str:
    """The session; its runs in the order of time."""
    key, id_ = session.key, session.id
    return copies.one(project, key, id_) + "\n\n" + copies_of_runs.of_session(project, key, id_)


async def _given(reading: Reading, project: int, runs: list[Run]) -> RunsGiven:
    ids = [parse(run.id) for run in runs]
    about_runs: dict[UUID, list[ScoreRecord]] = defaultdict(list)
    about_steps: dict[tuple[UUID, UUID], list[ScoreRecord]] = defaultdict(list)
    for score in await scores.of_runs(reading, project=project, runs=ids, limit=MOST_SCORES):
        if score.is_latest and score.subject == "run":
            about_runs[score.run_id].append(score)
        elif score.is_latest:
            about_steps[score.run_id, step_key(score.step, score.idx)].append(score)
    promised: dict[UUID, list[OutcomeRecord]] = defaultdict(list)
    for one in await outcomes.of_runs(reading, project=project, runs=ids, limit=MOST_SCORES):
        promised[one.run_id].append(one)
    since = min((run.queued_at for run in runs), default=None)
    spoken = []
    if since is not None:
        # A judge's calls are no part of the conversation.
        talking = [parse(run.id) for run in runs if run.kind != "scorer"]
        spoken = await transcripts.spoken(
            reading,
            project=project,
            runs=talking,
            since=(since - _DAY).date(),
            limit=MOST_SPANS + 1,
        )
    return RunsGiven(
        about_runs=about_runs,
        about_steps=about_steps,
        outcomes=promised,
        transcript=transcript(spoken, most=MOST_SPANS),
    )


PAGES = (
    Page(
        path="/sessions",
        name="sessions",
        title="Sessions",
        nav="Sessions",
        key="s",
        render=keys,
        api="sessions",
        own=frozenset({sorting.SORT}),
        live=("runs",),
    ),
    Page(
        path="/sessions/{key}",
        name="sessions",
        title="Sessions",
        template="sessions_of_key.html",
        render=sessions,
        api="sessions/{key}",
        live=("runs", "scores"),
    ),
    Page(
        path="/sessions/{key}/{session_id}",
        name="sessions",
        title="Session",
        template="session.html",
        render=session,
        api="sessions/{key}/{session_id}",
        own=frozenset({"cursor"}),
        live=("runs", "scores"),
    ),
)
