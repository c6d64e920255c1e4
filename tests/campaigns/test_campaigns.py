"""The campaigns of `make proof`, short; the kills and failovers of whole daemons are those of `tests/chaos.py`."""

import logging
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.campaigns import former_program, kills, partition, replay, upgrade, upkeep
from tests.campaigns.former_program import NoFormerProgram
from tests.databases import PostgresqlServer
from tests.registries import REAL_RELEASES

needs_releases = pytest.mark.skipif(not REAL_RELEASES.exists(), reason="the recorded releases are not here")

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Hundreds of sweeps would say hundreds of lines."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.kill
@pytest.mark.chaos
@pytest.mark.parametrize("what", ["sweep", "append", "delivery"])
def test_a_process_killed_at_any_moment_loses_and_doubles_nothing(database_url: str, what: str) -> None:
    result = kills.run(database_url, what, rounds=5)

    assert result.failures == []
    assert result.counts["kills"] == 5


@pytest.mark.kill
@pytest.mark.chaos
@pytest.mark.parametrize("what", list(upkeep.CAMPAIGNS))
def test_upkeep_killed_at_any_point_leaves_the_database_whole(database_url: str, what: str) -> None:
    if what in upkeep.ONLY_SQLITE and not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL is backed up by its own program")
    result = upkeep.run(database_url, what, rounds=5)

    assert result.failures == []
    assert result.counts["kills"] == 5


@pytest.mark.kill
@pytest.mark.chaos
def test_a_sweep_that_was_stopped_past_its_lease_writes_nothing_more(database_url: str) -> None:
    assert kills.run(database_url, "stopped sweep", rounds=2).failures == []


@pytest.mark.real_records
@needs_releases
def test_recorded_releases_are_told_where_they_changed_and_nowhere_else(database_url: str) -> None:
    result = replay.run(database_url, trials=100)

    assert result.failures == []
    assert result.counts["messages"] == result.counts["steps with changes"] == 46


@pytest.mark.real_records
@pytest.mark.chaos
@needs_releases
def test_a_registry_that_fails_at_every_release_loses_doubles_and_invents_nothing(database_url: str) -> None:
    # half of the ways to fail on each database: `make proof` takes them all on both
    offset = 0 if database_url.startswith("sqlite") else len(replay.FAULTS) // 2
    result = replay.run(database_url, offset=offset, trials=50)

    assert result.failures == []
    assert result.counts["messages"] == 46


@pytest.mark.kill
@pytest.mark.chaos
def test_a_daemon_that_sweeps_is_replaced_when_it_is_cut_off_from_the_database(postgresql: PostgresqlServer) -> None:
    # `make proof` cuts off thirty times, also from the registry and from both
    with postgresql.url(tables=True) as url:
        result = partition.run(url, rounds=1, trials=4)

    assert result.failures == []
    assert result.counts["cut off from database"] == 1


@pytest.mark.kill
@pytest.mark.chaos
def test_the_last_release_and_this_program_work_side_by_side_through_an_upgrade(postgresql: PostgresqlServer) -> None:
    # one short round: `make proof` does six, also with kills, and on SQLite one after the other
    try:
        with postgresql.url(tables=False) as url:
            result = upgrade.run(url, rounds=1, trials=3, releases=2)
    except NoFormerProgram as error:
        pytest.skip(f"the rolling upgrade from the last release is NOT shown here: {error}")

    assert result.failures == []
    assert result.counts["messages under way while the tables were changed"] > 0
    assert result.counts["of these on the new program's tables"] > 0


def a_clone(folder: Path, *options: str) -> Path:
    """A clone of a small repository with three commits: 0.1.0, its release, and what came after."""
    origin, clone = folder / "origin", folder / "clone"
    origin.mkdir()
    who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org", "-c", "commit.gpgsign=false"]
    git = lambda *given: subprocess.run(["git", "-C", origin, *who, *given], check=True, capture_output=True)  # noqa: E731
    git("init", "--quiet")
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        (origin / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
        git("add", ".")
        git("commit", "--quiet", "--message", version)
    subprocess.run(["git", "clone", "--quiet", *options, f"file://{origin}", clone], check=True, capture_output=True)
    return clone


@needs_git
def test_the_last_release_is_found_without_tags_and_its_absence_is_said(tmp_path: Path) -> None:
    (tmp_path / "shallow").mkdir()
    whole, shallow = a_clone(tmp_path), a_clone(tmp_path / "shallow", "--depth", "1")
    said = subprocess.run(
        ["git", "-C", whole, "log", "--format=%s", "-1", former_program.commit_of("0.2.0", whole)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == "0.2.0"
    with pytest.raises(NoFormerProgram, match="not in the history that is here: this clone is shallow"):
        former_program.commit_of("0.2.0", shallow)
    with pytest.raises(NoFormerProgram, match="no commit wrote that version"):
        former_program.commit_of("0.9.0", whole)
    with pytest.raises(NoFormerProgram, match="no clone of the repository"):
        former_program.commit_of("0.2.0", tmp_path)
