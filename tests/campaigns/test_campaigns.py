"""The campaigns of `make proof`, short."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.campaigns import chaos, failover, kills, replay, upkeep
from tests.databases import PostgresqlServer
from tests.registries import REAL_RELEASES

needs_releases = pytest.mark.skipif(not REAL_RELEASES.exists(), reason="the recorded releases are not here")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Hundreds of sweeps would say hundreds of lines."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.kill
@pytest.mark.parametrize("what", ["sweep", "append", "delivery"])
def test_a_process_killed_at_any_moment_loses_and_doubles_nothing(database_url: str, what: str) -> None:
    result = kills.run(database_url, what, rounds=5)

    assert result.failures == []
    assert result.counts["kills"] == 5


@pytest.mark.kill
@pytest.mark.parametrize("what", list(upkeep.CAMPAIGNS))
def test_upkeep_killed_at_any_point_leaves_the_database_whole(database_url: str, what: str) -> None:
    if what in upkeep.ONLY_SQLITE and not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL is backed up by its own program")
    result = upkeep.run(database_url, what, rounds=5)

    assert result.failures == []
    assert result.counts["kills"] == 5


@pytest.mark.kill
def test_a_sweep_that_was_stopped_past_its_lease_writes_nothing_more(database_url: str) -> None:
    assert kills.run(database_url, "stopped sweep", rounds=2).failures == []


@pytest.mark.real_records
@needs_releases
def test_recorded_releases_are_told_where_they_changed_and_nowhere_else(database_url: str) -> None:
    result = replay.run(database_url, trials=100)

    assert result.failures == []
    assert result.counts["messages"] == result.counts["steps with changes"] == 46


@pytest.mark.real_records
@needs_releases
def test_a_registry_that_fails_at_every_release_loses_doubles_and_invents_nothing(database_url: str) -> None:
    # half of the ways to fail on each database: `make proof` takes them all on both
    offset = 0 if database_url.startswith("sqlite") else len(replay.FAULTS) // 2
    result = replay.run(database_url, offset=offset, trials=50)

    assert result.failures == []
    assert result.counts["messages"] == 46


@pytest.mark.kill
def test_daemons_that_are_killed_at_random_tell_every_living_address_everything_wanted(database_url: str) -> None:
    result = chaos.run(database_url, kills=2, trials=8, releases=2)

    assert result.failures == []
    assert result.counts["kills"] == 2


@pytest.mark.kill
def test_a_daemon_that_sweeps_is_replaced_when_it_is_killed_and_when_it_is_stopped(
    postgresql: PostgresqlServer,
) -> None:
    # one of each: `make chaos` does five, `make proof` thirty
    with postgresql.url(tables=True) as url:
        result = failover.run(url, rounds=2)

    assert result.failures == []
    assert (result.counts["killed"], result.counts["stopped past the lease"]) == (1, 1)
