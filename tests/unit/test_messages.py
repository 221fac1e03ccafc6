"""Messages in the forms that instrumentations and providers write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assay.model.messages import Message, Part, of_attributes, of_values

if TYPE_CHECKING:
    from assay.model.events import Json

HELLO = Message(role="user", parts=(Part(kind="text", text="hello"),))
CALL = Part(kind="tool_call", id="c1", name="search", value={"q": "x"})


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.input.messages": json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]
            )
        },
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "hello",
        },
        {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hello", "gen_ai.prompt.x": 1},
    ],
)
def test_attributes_of_each_convention_give_the_same_message(attributes: dict[str, Json]) -> None:
    """OpenTelemetry's, OpenInference's and OpenLLMetry's."""
    assert of_attributes(attributes) == [HELLO]


def test_instructions_come_first_and_answers_last() -> None:
    """In the order in which a model reads and writes them."""
    attributes: dict[str, Json] = {
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "a"}]}
        ],
        "gen_ai.input.messages": [{"role": "user", "content": "hello"}],
        "gen_ai.system_instructions": [{"type": "text", "content": "be kind"}],
    }
    assert [one.role for one in of_attributes(attributes)] == ["system", "user", "assistant"]


@pytest.mark.parametrize(
    "value",
    [
        {"tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": '{"q": "x"}'}}]},
        {"content": [{"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}]},
        {"parts": [{"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "x"}}]},
    ],
)
def test_tool_calls_of_each_provider_are_the_same_call(value: dict[str, Json]) -> None:
    """OpenAI writes arguments as text, others as values."""
    assert of_values({"role": "assistant", **value}) == [Message(role="assistant", parts=(CALL,))]


@pytest.mark.parametrize(
    "value",
    [
        {"tool_call_id": "c1", "content": "found"},
        {"content": [{"type": "tool_result", "tool_use_id": "c1", "content": "found"}]},
        {"parts": [{"type": "tool_call_response", "id": "c1", "response": "found"}]},
    ],
)
def test_results_of_tools_name_their_call(value: dict[str, Json]) -> None:
    """Whatever the provider calls it."""
    result = Part(kind="tool_result", id="c1", value="found")
    assert of_values({"role": "tool", **value}) == [Message(role="tool", parts=(result,))]


def test_messages_are_found_within_arguments_and_results() -> None:
    """As a step has them: positional or named, and in an answer with choices."""
    taken: Json = {"args": ["gpt", [{"role": "user", "content": "hello"}]], "kwargs": {}}
    gave: Json = {"choices": [{"message": {"role": "assistant", "content": "hi"}}]}
    assert [one.role for one in of_values(taken, gave)] == ["user", "assistant"]


@pytest.mark.parametrize(
    "value",
    [None, 7, "text", [], {}, [{"role": "user"}, 3], {"role": 4, "content": "x"}, [[[[[]]]]]],
)
def test_values_without_messages_give_none(value: Json) -> None:
    """Nor is a list taken for one of which some is not."""
    assert of_values(value) == []


def test_what_is_no_known_part_is_kept_as_it_is() -> None:
    """An image, or content that says nothing of what it is."""
    image: Json = {"type": "image_url", "image_url": {"url": "data:"}}
    said = of_values({"role": "user", "content": [image, 3]})
    assert [part.value for part in said[0].parts] == [image, 3]
