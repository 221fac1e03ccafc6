"""Runs of one ticket, grouped.

Run `assay dev examples/basic.py` in another terminal, then

    python examples/sessions.py
    assay sessions ticket_id
"""

from __future__ import annotations

import asyncio

import assay

client = assay.Client("support-desk")


async def main() -> None:
    """Send two messages about one ticket."""
    for message in ("I can't sign in.", "Still not."):
        sent = await client.send(
            assay.Event(
                "support/ticket.created", {"ticket": message}, sessions={"ticket_id": "tk_123"}
            )
        )
        print("started", *sent.run_ids)
    await client.aclose()


if __name__ == "__main__":
    asyncio.run(main())
