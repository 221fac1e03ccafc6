"""However replay, retry, crash and duplicate event interleave: one journal, one set of scores."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxes import at_each_commit, crash_came
from properties.engine_story import STEPS, Crash, live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.testing import Databases
    from boxes import Arm

CRASHES = st.builds(Crash, st.integers(0, 6), st.booleans())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    failing=st.lists(st.booleans(), min_size=STEPS, max_size=STEPS),
    crashes=st.lists(CRASHES, min_size=4, max_size=4),
    copies=st.integers(0, 2),
)
def test_whatever_happens_on_the_way_the_end_is_the_same(
    assay_databases: Databases, failing: Sequence[bool], crashes: Sequence[Crash], copies: int
) -> None:
    """Each memo, score, child, promise and event is there exactly once."""
    with assay_databases.new() as url:
        chapters = [crash.arm for crash in crashes]
        life = live(url, failing=failing, chapters=chapters, copies=copies)
        asyncio.run(crash_came(life))


@pytest.mark.parametrize("is_before", [False, True])
def test_a_crash_at_any_commit_changes_nothing(
    assay_databases: Databases, *, is_before: bool
) -> None:
    """Right after it, or instead of it, with a step that fails once."""

    async def life(url: str, arm: Arm) -> None:
        await live(url, failing=(False, True, False), chapters=[arm], copies=0)

    asyncio.run(at_each_commit(assay_databases, life, is_before=is_before))
