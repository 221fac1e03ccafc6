"""A journal replays in another process as in the one that wrote it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from hypothesis import Phase, given, settings

from properties.replay import elsewhere
from properties.replay.harness import World, start
from properties.replay.programs import EXAMPLES, Node, play, programs, schedules, to_json


def test_journals_replay_equal_in_another_process() -> None:
    """Neither addresses nor the hash seed of a process decide anything."""
    journals: list[str] = []
    expected: list[str] = []

    @given(program=programs, schedule=schedules)
    @settings(max_examples=2 * EXAMPLES, database=None, phases=[Phase.generate])
    def live(program: Node, schedule: list[int]) -> None:
        world = World(lambda entries: start(lambda: play(program, "p"), entries), schedule)
        life = world.run()
        journals.append(json.dumps([to_json(program), elsewhere.to_json(world.entries)]))
        expected.append(json.dumps([world.outcome, life.log, life.asked]))

    live()

    tests = str(Path(__file__).parents[2])
    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-m", "properties.replay.elsewhere"],
            input="\n".join(journals),
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": tests},
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected == there.stdout.splitlines()
        assert not there.stderr
