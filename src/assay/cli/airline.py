"""The functions of `assay demo`: an agent that speaks as it once spoke, and the scorer of its work.

A run plays one published trajectory: what the model and the tools answered is taken from the
record, everything around it (steps, spans, scores, waiting for the reward) is what it would be
with a live model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from opentelemetry import trace as otel
from pydantic import BaseModel

import assay
from assay.cli import trajectories
from assay.cli.trajectories import MODEL, ModelTurn, ToolCall

if TYPE_CHECKING:
    from assay.cli.trajectories import Message, Trajectory

APP = "assay-demo"
AGENT = "airline-agent"
STARTED = "airline/conversation.started"
REWARDED = "airline/reward.received"
REWARD = "task-reward"
PROVIDER = "openai"

client = assay.Client(APP)


class Conversation(BaseModel):
    """What starts a run.

    Attributes:
        trajectory: names the run among all of its demo; the reward comes under this name.
        reward_timeout: how long the scorer waits for the reward.
    """

    trajectory: str
    task: int
    trial: int
    reward_timeout: str


class Promise(BaseModel):
    """What the scorer needs to know."""

    trajectory: str
    reward_timeout: str


@client.scorer("airline-reward", schema=Promise, scores=REWARD)
async def airline_reward(ctx: assay.ScorerContext[Promise]) -> bool | None:
    """Whether the booking database ended as the customer wished; None where nobody says."""
    reward = await ctx.step.wait_for_event(
        "wait-for-reward",
        event=REWARDED,
        timeout=ctx.data.reward_timeout,
        match={"trajectory": ctx.data.trajectory},
    )
    return None if reward is None else reward.data["reward"] > 0


@client.function(AGENT, on=assay.EventType(STARTED, Conversation))
async def airline_agent(ctx: assay.Context[Conversation]) -> dict[str, Any]:
    """One conversation with a customer: a step for each call of the model and of a tool."""
    conversation = ctx.event.data
    record = recorded(conversation.task, conversation.trial)
    play = Play(conversation.trajectory, record)
    models = tools = valid = 0
    for place, turn in enumerate(record.turns):
        if isinstance(turn, ModelTurn):
            models += 1
            await ctx.step.run(f"chat-{models}", play.chat, place, list(turn.input))
        else:
            tools += 1
            valid += is_json(turn.arguments)
            await ctx.step.run(
                f"tool-{tools}-{turn.name}", play.execute_tool, place, turn.name, turn.arguments
            )
    await ctx.step.score(
        "score-tool-calls",
        name="tool-call-json-valid",
        value=valid == tools,
        rationale=f"{valid} of {tools} tool calls have arguments that are JSON",
    )
    ctx.defer(
        "score-reward",
        airline_reward,
        Promise(trajectory=conversation.trajectory, reward_timeout=conversation.reward_timeout),
    )
    return {"model_calls": models, "tool_calls": tools}


@dataclass(frozen=True, slots=True, kw_only=False)
class Play:
    """Answers as the model and the tools did; each call makes the span that a live one would."""

    conversation: str
    record: Trajectory

    async def chat(self, place: int, messages: list[Message]) -> Message:
        """Call the model with the messages that came since its last answer."""
        turn = self.record.turns[place]
        assert isinstance(turn, ModelTurn)
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": MODEL,
            "gen_ai.conversation.id": self.conversation,
            "gen_ai.input.messages": json.dumps(messages),
            "gen_ai.output.messages": json.dumps([turn.output]),
        }
        if place == 0:
            instructions = [{"type": "text", "content": self.record.system}]
            attributes["gen_ai.system_instructions"] = json.dumps(instructions)
        with _tracer().start_as_current_span(
            f"chat {MODEL}", kind=otel.SpanKind.CLIENT, attributes=attributes
        ):
            return turn.output

    async def execute_tool(self, place: int, name: str, arguments: str) -> str:
        """Call a tool with what the model wrote."""
        turn = self.record.turns[place]
        assert isinstance(turn, ToolCall)
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": turn.id,
            "gen_ai.tool.call.arguments": arguments,
            "gen_ai.tool.call.result": turn.response,
            "gen_ai.conversation.id": self.conversation,
        }
        with _tracer().start_as_current_span(f"execute_tool {name}", attributes=attributes):
            return turn.response


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def recorded(task: int, trial: int) -> Trajectory:
    """The published trajectory of a trial of a task."""
    return _by_trial()[task, trial]


@cache
def _by_trial() -> dict[tuple[int, int], Trajectory]:
    return {(one.task_id, one.trial): one for one in trajectories.load()}


def _tracer() -> otel.Tracer:
    return otel.get_tracer("assay.demo")
