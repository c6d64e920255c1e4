"""All that a record ever said, parsed; kept for a few records, because versions never change once they are stored."""

from collections import OrderedDict
from threading import Lock

from msgspec.structs import replace
from sqlalchemy import Connection

from monitor.past import past_for
from monitor.questions import Recorded, recorded
from monitor.questions.recorded import confirmed_on
from monitor.web.trial.found import unreadable
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.registry import RegistryError

KEPT = 8
"""Records whose versions are kept parsed: a reader looks at several pages of one record, one after the other."""
MOST_SITES = 40_000
"""Sites over all versions, some dozens of megabytes: what has more is read anew each time."""

State = tuple[object, ...]


class Known:
    """Parsed histories, the ones asked for last; of a record only as it was read last. Its length: how many."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._held: OrderedDict[str, tuple[State, Recorded]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def of(self, connection: Connection, registry_id: str) -> Recorded | None:
        """The record with its versions; None where nothing is stored. Raises Problem where one cannot be read."""
        state = _state(connection, registry_id)
        with self._lock:
            before, held = self._held.get(registry_id, (None, None))
            if held is not None:
                self._held.move_to_end(registry_id)
        if held is not None and before == state:
            # what is missing may have been asked for since, and the registry may have said the same anew
            record = archive.find_record(connection, REGISTRY, held.id)
            stands = confirmed_on(connection, record) if record else None
            return replace(held, past=past_for(connection, REGISTRY, held.id), confirmed_on=stands)
        found = _read(connection, registry_id)
        self._hold(registry_id, state, found)
        return found

    def _hold(self, registry_id: str, state: State, found: Recorded | None) -> None:
        """Keep it in the place of what was held of the record before, which is of no use any more."""
        with self._lock:
            self._held.pop(registry_id, None)
            if found is not None and sum(len(each.trial.sites) for each in found.versions) <= MOST_SITES:
                self._held[registry_id] = (state, found)
                while len(self._held) > self._kept:
                    self._held.popitem(last=False)


def _state(connection: Connection, registry_id: str) -> State:
    """What a parsed history rests on: which versions there are, which of them were pruned, which are missing."""
    found = archive.versions(connection, REGISTRY, registry_id, merged=False)
    gaps = archive.gaps(connection, REGISTRY, registry_id)
    said = tuple((each.number, each.chain_hash, each.pruned_at) for each in found)
    return (said, tuple(gap.registry_version for gap in gaps))


def _read(connection: Connection, registry_id: str) -> Recorded | None:
    try:
        return recorded(connection, REGISTRY, registry_id)
    except (archive.Unreadable, RegistryError) as error:
        raise unreadable(error) from None
