"""When a delivery that failed is tried again, and when no more."""

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notifiers.retries import JITTER, LONGEST_RETRY_AFTER, OPERATOR_WAIT, SCHEDULE, GiveUp, Retry, after_failure
from tests.notifiers.cast import NOW


def fail(tries: int, seed: int = 0, **said: Any) -> Retry | GiveUp:
    facts = {"permanent": False, "retry_after": None, "whose": "address", **said}
    return after_failure(tries, now=NOW, rng=Random(seed), **facts)


def wait(tries: int, seed: int = 0, **said: Any) -> timedelta:
    following = fail(tries, seed, **said)
    assert isinstance(following, Retry)
    return following.at - NOW


def test_the_schedule_is_the_published_one() -> None:
    seconds = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]

    assert [step.total_seconds() for step in SCHEDULE] == seconds


@given(st.integers(1, 9), st.integers())
def test_each_failure_waits_its_step_and_a_little_longer(tries: int, seed: int) -> None:
    assert SCHEDULE[tries - 1] <= wait(tries, seed) <= SCHEDULE[tries - 1] * (1 + JITTER)


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({wait(3, seed) for seed in range(20)}) == 20


def test_after_the_schedule_it_is_given_up_and_the_address_with_it() -> None:
    assert fail(10) == GiveUp("failed 10 times, to the end of the schedule", switch_off=True)
    assert fail(10, whose="message") == GiveUp("failed 10 times, to the end of the schedule", switch_off=False)


@given(st.integers(1, 12))
def test_a_permanent_failure_is_final_whenever_it_comes(tries: int) -> None:
    assert fail(tries, permanent=True) == GiveUp("refused for good", switch_off=True)
    assert fail(tries, permanent=True, whose="message") == GiveUp("refused for good", switch_off=False)


@given(st.integers(1, 9), st.floats(0, 6 * 86400), st.integers())
def test_a_receiver_is_never_asked_earlier_than_it_said(tries: int, seconds: float, seed: int) -> None:
    assert wait(tries, seed, retry_after=seconds) >= max(SCHEDULE[tries - 1], timedelta(seconds=seconds))


@given(st.sampled_from([-1.0, -1e300, 1e12, 1e300, float("inf")]))
def test_an_absurd_wish_to_wait_is_bounded(seconds: float) -> None:
    assert wait(1, retry_after=seconds) <= LONGEST_RETRY_AFTER * (1 + JITTER)


@given(st.integers(1, 1000), st.booleans())
def test_the_operators_trouble_never_gives_an_address_up(tries: int, permanent: bool) -> None:
    assert OPERATOR_WAIT <= wait(tries, whose="operator", permanent=permanent) <= OPERATOR_WAIT * (1 + JITTER)
