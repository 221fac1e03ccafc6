"""Random async programs replay equal, whatever is committed first and wherever they die."""

from __future__ import annotations

import uuid
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings

from properties.replay.harness import RUN, Life, World, start
from properties.replay.programs import Node, play, programs, schedules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.engine.replay import Replay
    from assay.model.journal import Entry


@given(program=programs, schedule=schedules)
@settings(max_examples=2_500)
def test_every_life_of_a_run_is_the_same(program: Node, schedule: list[int]) -> None:
    """Outcome, log and asks are equal on replay, after crashes and after parkings."""
    World(lambda entries: start(lambda: play(program, "p"), entries), schedule).run()


def test_without_the_hash_rule_lives_differ() -> None:
    """Tasks that hash otherwise in each life, as they would by identity, are found out."""
    salts = count()

    @given(program=programs, schedule=schedules)
    @settings(max_examples=2_000, derandomize=True, database=None, phases=[Phase.generate])
    def lives_are_the_same(program: Node, schedule: list[int]) -> None:
        def begin_life(entries: Sequence[Entry]) -> tuple[Replay, Life]:
            run_id = uuid.UUID(int=RUN.int + next(salts) * 0x9E37_79B9)
            return start(lambda: play(program, "p"), entries, run_id=run_id)

        World(begin_life, schedule).run()

    with pytest.raises((AssertionError, ExceptionGroup)):
        lives_are_the_same()
