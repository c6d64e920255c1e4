"""Upkeep killed at random moments: is the database whole each time, and the end that of a run that nobody killed?"""

from random import Random

from snapshots.database import Database
from tests.campaigns import kills
from tests.campaigns.results import Result
from tests.campaigns.upkeep_of_contents import BackFills, Repackings, Summaries
from tests.campaigns.upkeep_of_databases import Backups, Copies, Migrations
from tests.campaigns.upkeep_work import Upkeep


def run(url: str, what: str, rounds: int, seed: int = 1) -> Result:
    """Kill (`what`: one of `CAMPAIGNS`) so many times, at points by `seed`."""
    return kills.carry_out(CAMPAIGNS[what](Database(url), Random(seed)), rounds)


CAMPAIGNS: dict[str, type[Upkeep]] = {
    "migration": Migrations,
    "backup": Backups,
    "back-fill": BackFills,
    "repacking": Repackings,
    "copy": Copies,
    "summaries": Summaries,
}
ONLY_SQLITE = frozenset({"backup"})
"""PostgreSQL is backed up by its own program."""
