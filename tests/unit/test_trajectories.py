"""The demo's data: whole, and giving the published figures."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources

import pytest

from assay.cli import trajectories
from assay.cli.trajectories import ModelTurn, ToolCall
from assay.stats import repeats

ALL = trajectories.load()


def test_fifty_tasks_were_tried_four_times() -> None:
    """In the order of task and trial."""
    assert [(one.task_id, one.trial) for one in ALL] == [
        (task, trial) for task in range(50) for trial in range(4)
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_rewards_give_the_published_figures(k: int) -> None:
    """To the three digits that the benchmark publishes."""
    passes = Counter(dict.fromkeys(range(50), 0))
    for one in ALL:
        passes[one.task_id] += one.reward

    found = repeats.pass_hat_k([(4, count) for count in passes.values()], k)

    assert found.estimate.estimate is not None
    assert round(found.estimate.estimate, 3) == trajectories.PUBLISHED[k]


def test_nothing_was_lost() -> None:
    """As many messages of each kind as the benchmark's file has."""
    turns = [turn for one in ALL for turn in one.turns]
    models = [turn for turn in turns if isinstance(turn, ModelTurn)]

    assert len(models) == 2454
    assert sum(isinstance(turn, ToolCall) for turn in turns) == 1164
    said = [message["role"] for turn in models for message in turn.input]
    assert Counter(said) == {"user": 1341, "tool": 1113}
    assert sum(len(one.closing) for one in ALL) == 149
    assert {len(one.system) for one in ALL} == {6155}


def test_each_tool_call_follows_the_turn_that_asked_for_it() -> None:
    """With the arguments of the message, as text, and its answer in the next input."""
    for one in ALL:
        for asking, call in zip(one.turns, one.turns[1:], strict=False):
            if isinstance(call, ToolCall):
                assert isinstance(asking, ModelTurn)
                assert asking.output["finish_reason"] == "tool_call"
                assert isinstance(asking.output["parts"], list)
                assert asking.output["parts"][-1] == {
                    "type": "tool_call",
                    "id": call.id,
                    "name": call.name,
                    "arguments": json.loads(call.arguments),
                }


def test_messages_have_the_form_of_gen_ai() -> None:
    """A role and typed parts; the model's messages say why they ended."""
    for one in ALL:
        for turn in one.turns:
            if isinstance(turn, ModelTurn):
                assert [*turn.output] == ["role", "parts", "finish_reason"]
                for message in turn.input:
                    assert [*message] == ["role", "parts"]
                    assert isinstance(message["parts"], list)
                    kind = {"user": "text", "tool": "tool_call_response"}[str(message["role"])]
                    assert [
                        part["type"] for part in message["parts"] if isinstance(part, dict)
                    ] == [kind]


def test_the_first_trajectory() -> None:
    """As one reads it."""
    first = ALL[0]

    assert isinstance(first.turns[0], ModelTurn)
    assert len(first.turns[0].input) == 1
    assert first.turns[0].input[0]["role"] == "user"
    assert first.turns[0].output["role"] == "assistant"


def test_its_notice_is_carried_along() -> None:
    """The licence asks for it."""
    notice = resources.files("assay.cli").joinpath("data/NOTICE.md").read_text("utf-8")

    assert "Copyright (c) 2024 Sierra" in notice
    assert "Permission is hereby granted" in notice
