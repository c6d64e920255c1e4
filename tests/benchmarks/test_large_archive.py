"""The archive that pages are measured on: filled on both databases, and good to work on afterwards."""

from notifiers import watches
from snapshots import archive
from snapshots.database import Database
from tests.benchmarks import large_archive


def test_a_large_archive_can_be_filled_and_goes_on_growing(empty_database_url: str) -> None:
    trials = 60
    database: Database = large_archive.fill(empty_database_url, trials)
    with database.write() as connection:
        new = watches.Wish(registry="ctgov", record_id="NCT99999999")
        watches.add(connection, new, large_archive.NOW)
        watched = watches.listing(connection)
        steps = archive.steps(connection, "ctgov", large_archive.trial_id(trials - 1))
    database.dispose()

    assert len(watched) == trials + 2  # a search, and the new one
    assert sum(len(step.changes) for step in steps) == large_archive.STEPS * large_archive.CHANGES
