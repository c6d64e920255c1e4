"""When a delivery that failed is tried again, and when no more: pure."""

from datetime import datetime, timedelta
from random import Random
from typing import Literal

from msgspec import Struct

Whose = Literal["address", "operator", "message"]

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits after the first, second, … try: ten tries over a little more than three days."""

JITTER = 0.1
"""A wait is up to this share longer, so that what failed together does not come back together."""

OPERATOR_WAIT = timedelta(minutes=5)
"""Trouble that is the operator's (no connection to the mail server, a refused sign-in) is no failure of the address:
it is tried again for as long as it lasts, and uses up nothing of the schedule."""

LONGEST_RETRY_AFTER = timedelta(days=7)
"""What a receiver asks for beyond this is an error of the receiver."""


class Retry(Struct, frozen=True):
    """Try again `at` that moment (aware UTC)."""

    at: datetime


class GiveUp(Struct, frozen=True):
    """Try no more. `switch_off`: the address is to be told nothing until a person switches it on again."""

    reason: str
    switch_off: bool


def after_only_try(*, permanent: bool, whose: Whose) -> GiveUp:
    """What follows the failure of a test message: nothing. Who sent it looks at the answer; one that arrived hours
    later would tell nobody anything.
    """
    return GiveUp("a test is tried once, and this one is over", switch_off=permanent and whose == "address")


def after_failure(
    tries: int, *, permanent: bool, retry_after: float | None, whose: Whose, now: datetime, rng: Random
) -> Retry | GiveUp:
    """What follows the failure of the `tries`-th try (from 1) at `now`.

    `retry_after` in seconds is what the receiver asked for: never earlier than that. `permanent` is final; it speaks
    of the address (it is gone, refused) or of the message alone (`whose`).
    """
    if whose == "operator":
        return Retry(_later(now, OPERATOR_WAIT, retry_after, rng))
    if permanent:
        return GiveUp("refused for good", switch_off=whose == "address")
    if tries > len(SCHEDULE):
        return GiveUp(f"failed {tries} times, to the end of the schedule", switch_off=whose == "address")
    return Retry(_later(now, SCHEDULE[tries - 1], retry_after, rng))


def _later(now: datetime, wait: timedelta, retry_after: float | None, rng: Random) -> datetime:
    asked = timedelta(seconds=min(max(retry_after or 0.0, 0.0), LONGEST_RETRY_AFTER.total_seconds()))
    return now + max(wait, asked) * (1 + JITTER * rng.random())
