"""Why nothing came of an id that is asked for: the registry lists no such record, or did not answer; in a sentence."""

from sqlalchemy import Connection

from monitor import wiring
from notifiers import watches
from snapshots import archive
from snapshots.archive import OpenException
from snapshots.sentences import moment_words


def owed_words(owed: OpenException) -> str:
    """As a sentence goes on: "the registry lists no record NCT99000404 (asked 22 November 2026, 22:06 UTC)"."""
    asked = f"(asked {moment_words(owed.noted_at)})"
    if owed.reason == "absent":
        return f"the registry lists no record {owed.registry_id} {asked}"
    return f"the registry did not answer for {owed.registry_id} {asked}: {owed.detail}"


def nothing_stored(connection: Connection, record: str, *, stop: str, watch: str, look: str) -> tuple[str, str]:
    """Why nothing is stored of an id, and what to do about it: to `stop` watching it, to `watch` it, or to `look`."""
    watched = watches.of_record(connection, wiring.REGISTRY, [record])
    owed = archive.open_exception(connection, wiring.REGISTRY, record)
    if owed is not None:
        return owed_words(owed), stop if watched else watch
    if watched:
        return f"{record} is watched and was not fetched yet", look
    return f"nothing is stored of {record}", watch
