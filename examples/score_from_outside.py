"""A score for a run from any process: `python examples/score_from_outside.py RUN_ID`."""

from __future__ import annotations

import asyncio
import sys

import assay

client = assay.Client("support-desk")


async def main(run_id: str) -> None:
    """Say that a customer found the run's answer helpful."""
    await client.score("user-feedback", 1, run_id=run_id, author="customer")
    await client.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
