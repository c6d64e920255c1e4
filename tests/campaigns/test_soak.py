"""The soak notices what leaks and nothing else, and its pieces run."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.campaigns import sampling, soak
from tests.campaigns.sampling import Sample
from tests.databases import make_tables

EVERY, LONG = 2, 1200
LEVEL = {"memory": 120_000, "open files": 22, "sockets": 8, "threads": 16, "database connections": 9}


def samples(leak: Callable[[float], dict[str, float]] = lambda _: {}) -> list[Sample]:
    """Twenty minutes of a daemon that fills its pools in the first, comes and goes with its work, and leaks so much."""
    chance = Random(3)
    return [
        Sample(at, {name: round(_held(name, at, chance) + leak(at).get(name, 0)) for name in LEVEL})
        for at in range(0, LONG, EVERY)
    ]


def _held(name: str, at: float, chance: Random) -> float:
    filled = min(1.0, 0.6 + at / 300)
    return LEVEL[name] * filled + chance.uniform(0, LEVEL[name] * 0.08)


def test_a_daemon_whose_work_comes_and_goes_is_flat() -> None:
    assert sampling.growing(samples()) == []


@pytest.mark.parametrize(
    ("name", "per_minute"),
    [("memory", 1000), ("open files", 0.5), ("sockets", 0.5), ("threads", 0.5), ("database connections", 0.5)],
)
def test_a_slow_leak_is_noticed(name: str, per_minute: float) -> None:
    found = sampling.growing(samples(lambda at: {name: at / 60 * per_minute}))

    assert [each.partition(":")[0] for each in found] == [name]


def test_what_was_held_while_warming_up_is_no_evidence() -> None:
    assert sampling.growing(samples(lambda at: {"memory": min(at, 390) * 200})) == []


def test_a_process_that_opens_files_is_seen_to_hold_them(tmp_path: Path) -> None:
    import os

    before = sampling.held_by(os.getpid())
    opened = [(tmp_path / str(number)).open("w") for number in range(5)]
    during = sampling.held_by(os.getpid())
    for each in opened:
        each.close()

    assert during["open files"] - before["open files"] == 5
    assert before["memory"] > 10_000
    assert before["threads"] >= 1


@pytest.mark.kill
@pytest.mark.chaos
def test_a_whole_daemon_at_work_misses_nothing_and_is_sampled(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/soak.sqlite3"
    make_tables(url)

    result = soak.run(url, seconds=6, pause=1.5, picture=tmp_path / "curve.svg")

    assert result.failures == []
    assert result.counts["posts"] == result.counts["mails"] == (result.counts["releases"] - 1) * soak.CHANGING > 0
    assert result.counts["samples"] > 2
    assert result.counts["answers of page, API and feeds"] > 10
    assert "<polyline" in (tmp_path / "curve.svg").read_text()
