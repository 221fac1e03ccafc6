"""However scores and exposures come, once or twice, what counts for what is the same."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from experiment_rows import EXPOSURE, PROJECT, TAKE_OVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = dict[str, Any]

START = datetime(2026, 11, 2, tzinfo=UTC)
RECORD = "SELECT assay.record_scores(%s, %s, %s, NULL)"
COUNTED = (
    "SELECT experiment, idx, metric, score_id, variant, epoch, unit, value, exposed_at, recorded_at"
    " FROM assay.experiment_scores WHERE project_id = %s AND run_id = %s"
)
UNSERVED = (
    "SELECT experiment, idx, metric, score_id, variant, is_bool FROM assay.score_references"
    " WHERE project_id = %s AND run_id = %s"
)


class Use(NamedTuple):
    """A use of an experiment in the run."""

    experiment: str
    idx: int


class Named(NamedTuple):
    """The exposure that a score names."""

    use: Use
    variant: str


class Given(NamedTuple):
    """A score; its place among the scores makes its id."""

    metric: str
    names: Named | None
    of_step: bool = False


class Story(NamedTuple):
    """What happens to one run, and what of it is written together, in which order."""

    exposures: dict[Use, str]
    scores: list[Given]
    order: list[list[int]]


USES = st.builds(Use, st.sampled_from("AB"), st.integers(0, 1))
VARIANTS = st.sampled_from("xy")
NAMED = st.none() | st.builds(Named, USES, VARIANTS)
SCORES = st.builds(Given, st.sampled_from("mn"), NAMED, of_step=st.booleans())


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Each thing is written at least once, some again, alone or together with others."""
    exposures = draw(st.dictionaries(USES, VARIANTS, max_size=4))
    scores = draw(st.lists(SCORES, max_size=4))
    things = range(len(exposures) + len(scores))
    again = draw(st.lists(st.sampled_from(things), max_size=3)) if things else []
    order = draw(st.permutations([*things, *again]))
    cuts = draw(st.sets(st.integers(1, len(order) - 1))) if len(order) > 1 else set()
    places = [0, *sorted(cuts), len(order)]
    return Story(exposures, scores, [order[a:b] for a, b in pairwise(places)])


class Run:
    """A run of the story in the database."""

    def __init__(self, connection: psycopg.Connection[Any], story: Story) -> None:
        self.connection = connection
        self.story = story
        self.id = uuid.uuid4()
        self.uses = list(story.exposures)

    def live(self) -> None:
        """Write all of it."""
        for group in self.story.order:
            with self.connection.transaction():
                # Neighbours of one kind go together, as a flush or a request has them.
                for is_score, together in groupby(group, self.is_score):
                    write = self.write_scores if is_score else self.write_exposures
                    write(list(together))

    def is_score(self, thing: int) -> bool:
        """Whether it is a score rather than an exposure."""
        return thing >= len(self.uses)

    def write_scores(self, things: Sequence[int]) -> None:
        """Write scores."""
        rows = [self.score(thing - len(self.uses)) for thing in things]
        self.connection.execute(RECORD, (PROJECT, START.timestamp(), json.dumps(rows)))

    def write_exposures(self, things: Sequence[int]) -> None:
        """Write exposures."""
        uses = [self.uses[thing] for thing in things]
        for use in uses:
            self.connection.execute(f"{EXPOSURE} ON CONFLICT DO NOTHING", self.exposure(use))
        keys = [use.experiment for use in uses], [self.id] * len(uses), [use.idx for use in uses]
        self.connection.execute(TAKE_OVER, (PROJECT, *keys))

    def exposure(self, use: Use) -> tuple[object, ...]:
        """The columns of an exposure: the second use of an experiment is forced."""
        variant = self.story.exposures[use]
        at = START + timedelta(hours=use.idx)
        forced = use.idx == 1
        key = PROJECT, use.experiment, self.id, use.idx
        return (*key, variant, "account", 0.5, use.idx + 1, forced, at, None)

    def score(self, place: int) -> Row:
        """The row of a score."""
        given = self.story.scores[place]
        row = {
            "id": str(self.score_id(place)),
            "subject": "step" if given.of_step else "run",
            "run": str(self.id),
            "step": "s" if given.of_step else "",
            "idx": 0,
            "name": given.metric,
            "value": float(place),
            "is_bool": False,
            "at": START.timestamp() + place,
            "source": "api",
        }
        if given.names is not None:
            (experiment, idx), variant = given.names
            row |= {"ref_experiment": experiment, "ref_variant": variant, "ref_idx": idx}
        return row

    def score_id(self, place: int) -> uuid.UUID:
        """The id of a score: another for each run."""
        return uuid.UUID(int=self.id.int ^ place)

    def found(self, query: str) -> set[tuple[Any, ...]]:
        """What is stored of the run."""
        rows = self.connection.execute(query, (PROJECT, self.id)).fetchall()
        assert len(rows) == len(set(rows))
        return set(rows)

    def counted(self) -> set[tuple[Any, ...]]:
        """What has to count."""
        return {
            (
                use.experiment,
                use.idx,
                score.metric,
                self.score_id(place),
                variant,
                use.idx + 1,
                None if use.idx == 1 else "account",
                float(place),
                START + timedelta(hours=use.idx),
                START,
            )
            for place, score in enumerate(self.story.scores)
            for use, variant in self.story.exposures.items()
            if not score.of_step and self.counts(score, use, variant)
        }

    def counts(self, score: Given, use: Use, variant: str) -> bool:
        """Whether a score about the run counts for an exposure."""
        if score.names is not None:
            return score.names == (use, variant)
        served = {v for u, v in self.story.exposures.items() if u.experiment == use.experiment}
        return len(served) == 1

    def unserved(self) -> set[tuple[Any, ...]]:
        """The references that have to be left out."""
        return {
            (*score.names.use, score.metric, self.score_id(place), score.names.variant, False)
            for place, score in enumerate(self.story.scores)
            if score.names is not None
            and not score.of_step
            and self.story.exposures.get(score.names.use) != score.names.variant
        }


PLAIN = Given("m", None)
A0, A1 = Use("A", 0), Use("A", 1)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories())
@example(story=Story({A0: "x", A1: "y"}, [PLAIN], [[0], [2], [1]]))
@example(story=Story({A0: "x", A1: "y"}, [PLAIN, Given("m", Named(A0, "x"))], [[0, 2, 3], [1]]))
@example(story=Story({A0: "x"}, [Given("m", Named(A0, "x"))], [[1], [1, 0], [0, 1]]))
def test_what_counts_follows_from_what_there_is(assay_database: str, story: Story) -> None:
    """Not from the order of arrival, nor from how often or with what it came."""
    with psycopg.connect(assay_database, autocommit=True) as connection:
        run = Run(connection, story)
        run.live()
        assert run.found(COUNTED) == run.counted()
        assert run.found(UNSERVED) == run.unserved()
