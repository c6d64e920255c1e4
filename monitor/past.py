"""Is all that a record ever said stored here, and if not, what is missing and how it is brought in?"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor.skipped import skipped_ids
from snapshots import archive
from snapshots.archive import Filling, Gap, VersionInfo
from snapshots.archive.order import history_date, is_back_filled
from snapshots.sentences import counted, date_words, moment_words

State = Literal["whole", "not fetched", "waiting", "skipped", "gaps"]


class Past(Struct, frozen=True, kw_only=True):
    """How whole the stored past of a record is. "not fetched": the registry's own history was never asked for;
    "waiting": it was, and did not come whole; "skipped": it came whole, then the record changed after a time in which
    nobody looked; "gaps": it was asked for, and the registry does not give some of it.

    `claim` says so in a clause and `reason` why in another, both "" where it is whole; `todo` is the command that
    brings it in, None where nothing can be done; `is_wished`: somebody asked for it on the page, it was not tried yet.
    """

    state: State = "whole"
    claim: str = ""
    reason: str = ""
    todo: str | None = None
    is_wished: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.state == "whole"

    @property
    def sentence(self) -> str:
        """All of it in a sentence; "" where it is whole."""
        return f"{self.claim}: {self.reason}." if self.claim else ""

    @property
    def words(self) -> str:
        """The sentence with what to do about it, as a person at a terminal reads it; "" where it is whole."""
        return f"{self.sentence} Bring it in with: {self.todo}" if self.todo else self.sentence


WHOLE = Past()


def past_of(
    connection: Connection, registry: str, record_id: str, found: Sequence[VersionInfo], gaps: Sequence[Gap]
) -> Past:
    """How whole the past of a record (by its id of today) is that has these versions, in history order, and gaps."""
    known = archive.filling(connection, registry, [record_id]).get(record_id)
    state, reason = _found(connection, registry, record_id, known, found)
    if reason:
        claim = f"The past of {record_id} {'may not be' if state == 'skipped' else 'is not'} whole yet"
        return Past(state=state, claim=claim, reason=reason, todo=f"trialdelta backfill {record_id}")
    return _with_gaps(record_id, gaps) if gaps else WHOLE


def past_for(connection: Connection, registry: str, record_id: str) -> Past:
    """The same, for a record (by its id of today) whose versions nobody has read; and whether somebody asked for it."""
    found = archive.versions(connection, registry, record_id, merged=False)
    past = past_of(connection, registry, record_id, found, archive.gaps(connection, registry, record_id))
    return replace(past, is_wished=bool(archive.wished_fillings(connection, registry, record_id)))


def _found(
    connection: Connection, registry: str, record_id: str, known: Filling | None, found: Sequence[VersionInfo]
) -> tuple[State, str]:
    if known is None:
        # where versions were imported with the registry's own counts, nobody needs to ask for them
        begins = bool(found) and found[0].registry_version == 0
        return ("whole", "") if begins else ("not fetched", _not_fetched(found))
    if known.state == "waiting":
        return "waiting", _waiting(known)
    if _changed_since(known, found) and skipped_ids(connection, registry, record_id):
        return "skipped", "it changed after a time in which nobody looked"
    return "whole", ""


def _changed_since(known: Filling, found: Sequence[VersionInfo]) -> bool:
    return any(each.observed_at > known.tried_at for each in found if not is_back_filled(each.source))


def _not_fetched(found: Sequence[VersionInfo]) -> str:
    since = history_date(found[0]) if found else ""
    before = f" before {date_words(since)}" if since else ""
    return f"what it said{before} was not fetched from the registry"


def _waiting(known: Filling) -> str:
    listed = (
        f"of {counted(known.listed, 'version')} that the registry lists some did not come: " if known.listed else ""
    )
    again = f"; it is asked for again on {moment_words(known.next_at)}" if known.next_at else ""
    return f"{listed}{(known.reason or 'it was interrupted').rstrip('.')}{again}"


def _with_gaps(record_id: str, gaps: Sequence[Gap]) -> Past:
    missing = f"{counted(len(gaps), 'version')} that the registry lists could not be had"
    return Past(
        state="gaps",
        claim=f"The past of {record_id} has gaps",
        reason=f"{missing}, and what changed there may have changed a little earlier",
        todo=None if all(gap.is_final for gap in gaps) else f"trialdelta backfill {record_id}",
    )
