"""Scores as user code gives them, and the run or step that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import override

from assay import ids
from assay.errors import AssayError
from assay.model import json_text
from assay.model.reference_rules import check_reference
from assay.model.score_rules import CheckedScore, check_not_ahead, check_score
from assay.model.scores import NewScore, Source, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.model.experiments import ExperimentRef
    from assay.sdk.port import CurrentStep, Journal, RunInfo


class Score:
    """A score that a scorer returns.

    Args:
        name: one of the names that the scorer declares.
        value: a boolean or a finite number; numpy scalars count, Decimals do not.
        step_id: the parent's step that it is about; without it, it is about the run.
        index: which use of that step id, from 0.
        run_id: the run that it is about, the parent unless given.
        rationale: why, in words.
        author: who judged.
        at: an aware instant when it holds; when it is received unless given.
        experiment: the exposure that it counts for; what the promise says unless given.

    Raises:
        AssayError: `score_name`, `score_value`, `score_target`, `score_detail`, `score_reference`.
    """

    __slots__ = ("checked",)

    def __init__(
        self,
        name: str,
        value: float,
        *,
        step_id: str | None = None,
        index: int = 0,
        run_id: str | None = None,
        rationale: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
        experiment: Reference | None = None,
    ) -> None:
        self.checked = checked(
            name,
            value,
            run_id=run_id,
            step_id=step_id,
            index=index or None,
            rationale=rationale,
            author=author,
            at=at,
            experiment=experiment,
        )

    @override
    def __repr__(self) -> str:
        return f"Score({self.checked.name!r}, {self.checked.value!r})"


ScorerResult: TypeAlias = "float | Score | Sequence[Score] | None"
"""What a scorer may return: a bare value (with one declared name), scores, or None for no answer.
A bool is a float to type checkers, and stays a bool here."""


Reference: TypeAlias = "ExperimentRef | Mapping[str, object]"
"""The exposure that a score counts for: what `ctx.experiment` gave, or what JSON made of it."""


def checked(name: str, value: float, **others: object) -> CheckedScore:
    """Check a score given as arguments, of which None means not given."""
    given = {field: value for field, value in others.items() if value is not None}
    return check_score({"name": name, "value": value, **given})


def checked_for(reference: object, name: str, value: float, **others: object) -> CheckedScore:
    """The same for a score that must name an exposure; `score_reference` where it does not."""
    return checked(name, value, **others, experiment=check_reference(reference))


def in_run(
    score: CheckedScore,
    journal: Journal,
    step: CurrentStep | None,
    id: UUID | None = None,
) -> NewScore:
    """A score with its target resolved inside a run.

    A step that is named comes first, then a run that is named, then the step that is running. A
    score that names an exposure is about a run: a scorer that names that of its parent means that.

    Args:
        score: as written.
        journal: of the run that gives it.
        step: the step attempt that gives it, if it is to be about that.
        id: where the giver has one.
    """
    _check_at(score, journal)
    subject, name, index, attempt = Subject.RUN, score.step_id, score.index or 0, None
    if name is not None:
        subject = Subject.STEP
    elif score.run_id is None and score.reference is None and step is not None:
        subject, name, index, attempt = Subject.STEP, step.id, step.index, step.attempt
    return NewScore(
        id=id or journal.new_id(),
        name=score.name,
        value=score.value,
        subject=subject,
        run=_run(score, journal.info),
        source=Source.STEP,
        step=name,
        index=index,
        attempt=attempt,
        at=score.at,
        author=score.author,
        rationale=score.rationale,
        reference=score.reference,
    )


def _run(score: CheckedScore, info: RunInfo) -> UUID:
    if score.run_id is not None:
        return ids.parse(score.run_id, field="run_id")
    parent = info.parent
    if parent is not None and score.reference is not None and score.reference == parent.experiment:
        return ids.parse(parent.run_id)
    return info.run_id


def _check_at(score: CheckedScore, journal: Journal) -> None:
    if score.at is not None:
        # The clock of the run is the one that its ids are minted by.
        check_not_ahead(score.at, ids.minted_at(journal.new_id()))


def scorer_output(result: object, names: tuple[str, ...], journal: Journal, *, scorer: str) -> str:
    """JSON text of the list of scores that a scorer's result stands for.

    Each is an object of `name, value, run_id, step_id, index, rationale, author, at` (an ISO
    instant), `experiment`, null where it was not given; None makes the empty list.

    Raises:
        AssayError: `score_undeclared`, `score_detail`, and those of `Score`.
    """
    if result is None:
        return "[]"
    scores = [result] if isinstance(result, Score) else result
    if not isinstance(scores, list | tuple):
        scores = [_bare(result, names, scorer)]
    elif not all(isinstance(score, Score) for score in scores):
        raise AssayError(
            f"scorer {scorer!r} returned a list that holds other things than scores",
            code="score_options",
            hint="return [assay.Score(name, value), ...]",
        )
    for score in scores:
        _check_at(score.checked, journal)
    return json_text.dump([_described(score.checked, names, scorer) for score in scores])


def _bare(value: object, names: tuple[str, ...], scorer: str) -> Score:
    if len(names) != 1:
        raise AssayError(
            f"scorer {scorer!r} declares {len(names)} names and returned a bare value",
            code="score_undeclared",
            field="scores",
            hint="return assay.Score(name, value), or a list of them",
        )
    if isinstance(value, dict):
        raise AssayError(
            f"scorer {scorer!r} returned a dict",
            code="score_options",
            hint="return assay.Score(name, value)",
        )
    return Score(names[0], value)  # type: ignore[arg-type]  # checked there, whatever it is


def _described(score: CheckedScore, names: tuple[str, ...], scorer: str) -> dict[str, object]:
    if score.name not in names:
        raise AssayError(
            f"scorer {scorer!r} returned the score {score.name!r}, which it does not declare",
            code="score_undeclared",
            field="scores",
            hint=f"it declares {', '.join(names)}; add the name to scores=",
        )
    return {
        "name": score.name,
        "value": score.value,
        "run_id": score.run_id,
        "step_id": score.step_id,
        "index": score.index or 0,
        "rationale": score.rationale,
        "author": score.author,
        "at": None if score.at is None else score.at.isoformat(),
        "experiment": None if score.reference is None else score.reference.as_dict(),
    }
