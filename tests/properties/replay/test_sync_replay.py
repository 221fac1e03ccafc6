"""Random sync programs replay equal, whatever is committed first and wherever they die."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import StepError
from properties.replay.harness import World, call, note, parallel, start_sync
from properties.replay.programs import EXAMPLES, Node, schedules, steps


def play(node: Node, site: str) -> str:
    """Run a node; `site` is its place in the program."""
    note(f"{site} {node.kind}")
    try:
        return _play(node, site)
    except Exception as error:
        note(f"{site} raised {type(error).__name__}")
        raise
    finally:
        note(f"{site} ended")


def _play(node: Node, site: str) -> str:
    def part(place: int) -> str:
        return play(node.parts[place], f"{site}.{place}")

    places = range(len(node.parts))
    match node.kind:
        case "step":
            return call(node.name, site)
        case "sequence":
            return ",".join([part(place) for place in places])
        case "parallel":
            return ",".join(map(str, parallel(*[lambda n=n: part(n) for n in places])))
        case "finally":
            try:
                return part(0)
            finally:
                call("c", f"{site}.finally")
        case _:
            try:
                return ",".join([part(place) for place in places])
            except StepError:
                return call("a", f"{site}.except")


programs = st.recursive(
    steps,
    lambda parts: st.builds(
        Node,
        st.sampled_from(["sequence", "parallel", "parallel", "finally", "except"]),
        st.lists(parts, min_size=1, max_size=4).map(tuple),
    ),
    max_leaves=12,
)


@given(program=programs, schedule=schedules)
@settings(max_examples=6 * EXAMPLES)
def test_every_life_of_a_run_is_the_same(program: Node, schedule: list[int]) -> None:
    """Outcome, log and asks of sync bodies are equal on replay, after crashes and parkings."""
    World(lambda entries: start_sync(lambda: play(program, "p"), entries), schedule).run()
