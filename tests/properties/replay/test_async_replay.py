"""Random async programs replay equal, whatever is committed first and wherever they die."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import Phase, given, settings

from assay.engine.replay.loop import RunLoop
from properties.replay.harness import World, start
from properties.replay.programs import EXAMPLES, Node, play, programs, schedules


@given(program=programs, schedule=schedules)
@settings(max_examples=25 * EXAMPLES)
def test_every_life_of_a_run_is_the_same(program: Node, schedule: list[int]) -> None:
    """Outcome, log and asks are equal on replay, after crashes and after parkings."""
    World(lambda entries: start(lambda: play(program, "p"), entries), schedule).run()


def test_without_the_hash_rule_lives_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that hash by something like their addresses are found out."""
    addresses = (n * 0x9E37_79B9_7F4A_7C15 >> 20 & 0xFFFF_FFFF for n in count(1))
    monkeypatch.setattr(RunLoop, "next_number", lambda _loop: next(addresses))

    @given(program=programs, schedule=schedules)
    @settings(max_examples=2_000, derandomize=True, database=None, phases=[Phase.generate])
    def lives_are_the_same(program: Node, schedule: list[int]) -> None:
        World(lambda entries: start(lambda: play(program, "p"), entries), schedule).run()

    with pytest.raises((AssertionError, ExceptionGroup)):
        lives_are_the_same()
