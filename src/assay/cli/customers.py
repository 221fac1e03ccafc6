"""The customers of the second part of `assay demo`: what they would do is known, so is the truth.

400 accounts come over time and write unevenly often (gamma-Poisson). How easily an account is
helped differs, and half-way all become harder to help. Many never say whether they were helped, a
few more of those with a long answer; they were helped as often as those who say.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from assay.cli.helpdesk import CONTROL, PLAN, VARIANT

ACCOUNTS = 400
DAYS = 28
EFFECT = 0.16
"""By how much the variant raises any account's chance to be helped."""
REFUSED = 0.02
"""The share of tickets that get no answer at all, in either style."""
ERAS = (
    ({CONTROL: 80.0, VARIANT: 20.0}, 0.63),
    ({CONTROL: 20.0, VARIANT: 80.0}, 0.22),
)
"""Weights, and the chance of an account in the middle to be helped by the control, in each half."""

TICK = timedelta(hours=6)
FIRST = timedelta(hours=1)
TICKS = DAYS * (timedelta(days=1) // TICK)
"""The clock goes in steps, one of them an hour after each midnight, when looks are due."""

_TICKETS_AN_ACCOUNT = 6.5
_LAST_COME = 24.0
_SPREAD = 0.2
_ANSWERS = {CONTROL: 0.70, VARIANT: 0.67}
_DAYS_TO_ANSWER = 0.8
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket, with what will come of it.

    Attributes:
        tick: at which step of the clock it is opened.
        is_refused: whether it gets no answer.
        helped: by style, whether the customer is helped.
        tells: by style, after how many steps the customer says so; None where never.
    """

    id: str
    account: str
    tick: int
    is_refused: bool
    helped: dict[str, bool]
    tells: dict[str, int | None]


def truth() -> float:
    """The difference in the share of tickets that are helped, exactly.

    A ticket without an answer is not helped, in either style; for the rest the variant adds its
    effect, whichever account and half they are of, so no weighting changes it.
    """
    return (1 - REFUSED) * EFFECT


def era(tick: int) -> int:
    """The half of a step of the clock."""
    return int(instant(tick) >= DAYS / 2 * _DAY)


def instant(tick: int) -> timedelta:
    """Of a step of the clock, since the midnight of the beginning."""
    return FIRST + tick * TICK


def tick_of(since: timedelta) -> int:
    """The step of the clock at so long after the midnight of the beginning."""
    return (since - FIRST) // TICK


def tickets(seed: int) -> list[Ticket]:
    """All tickets in their order; the same seed gives the same customers."""
    opened = sorted(
        (at, f"acct_{number:03}", level)
        for number in range(ACCOUNTS)
        for at, level in _of_account(Chance((seed, number)))
    )
    return [
        _ticket(Chance((seed, account, at)), f"tk_{place:04}", account, at, level)
        for place, (at, account, level) in enumerate(opened)
    ]


class Chance:
    """Numbers that come from what they are for alone, so that they are the same everywhere."""

    def __init__(self, of: tuple[object, ...]) -> None:
        self._of = of
        self._drawn = count()

    def uniform(self) -> float:
        """Between 0 and 1, never either."""
        text = repr((*self._of, next(self._drawn)))
        first = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11
        return (first + 0.5) * 2.0**-53

    def exponential(self) -> float:
        """With the mean 1."""
        return -math.log(self.uniform())

    def gamma(self) -> float:
        """Of the shape 1/2, with the mean 1: uneven, most small and few large."""
        return 2 * self.exponential() * math.cos(2 * math.pi * self.uniform()) ** 2


def _of_account(chance: Chance) -> list[tuple[float, float]]:
    """When an account opens tickets, in days, each with how easily it is helped."""
    a_day = chance.gamma() * _TICKETS_AN_ACCOUNT / (DAYS - _LAST_COME / 2)
    level = (2 * chance.uniform() - 1) * _SPREAD
    at = chance.uniform() * _LAST_COME
    found = []
    while at < instant(TICKS - 1) / _DAY:
        found.append((at, level))
        at += chance.exponential() / a_day
    return found


def _ticket(chance: Chance, id: str, account: str, at: float, level: float) -> Ticket:
    tick = max(0, -((FIRST - at * _DAY) // TICK))
    base = ERAS[era(tick)][1] + level
    helped, told = chance.uniform(), chance.uniform()
    after = max(1, math.ceil(chance.exponential() * _DAYS_TO_ANSWER * _DAY / TICK))
    is_late = after * TICK >= timedelta(seconds=PLAN.checked().maturity_s)
    return Ticket(
        id=id,
        account=account,
        tick=tick,
        is_refused=chance.uniform() < REFUSED,
        helped={CONTROL: helped < base, VARIANT: helped < base + EFFECT},
        tells={
            style: None if is_late or told >= share else after for style, share in _ANSWERS.items()
        },
    )
