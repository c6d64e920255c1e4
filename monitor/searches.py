"""The saved searches of one sweep: asked first, so that what they find is fetched; told last."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from monitor.answers import Look
from notifiers import search_members, watches
from notifiers.search_members import Member, Moves
from notifiers.watches import Watch
from snapshots import archive
from snapshots.changes import Change
from snapshots.registry import RegistryError
from snapshots.rules.build import change
from snapshots.sentences import counted, quoted, status_words
from snapshots.trial import Site, Trial

IDS_AT_ONCE = 1000
"""Ids after which a search that goes on for long renews the sweep's lease."""
GIVE_UP_AFTER = 2
"""Searches in a row that got no answer, after which the others are not asked: it is not the searches."""


class Found(Struct, frozen=True):
    """What a search finds now."""

    search: Watch
    ids: tuple[str, ...]


class _Told(Struct, frozen=True):
    """That a search found a record, or lost it."""

    search: Watch
    record_id: str
    is_found: bool


class Searches:
    """Those of one sweep that are due. Every search is an exception of the sweep by itself, and spoils nothing else."""

    def __init__(self, look: Look, due: Sequence[Watch]) -> None:
        self._look = look
        self._due = due
        self._found: list[Found] = []

    def ask(self) -> list[str]:
        """The ids that any of them finds and that nobody watches yet."""
        unanswered = 0
        for search in self._due:
            if unanswered >= GIVE_UP_AFTER:
                self._look.excepted(search.called, "not fetched", "not asked, because searches before it failed")
                continue
            found = self._ask(search)
            unanswered = 0 if found is not None else unanswered + 1
            if found is not None:
                self._found.append(found)
        with self._look.reading() as connection:
            known = set(watches.watched_ids(connection, self._look.registry.name))
        return sorted({each for found in self._found for each in found.ids} - known)

    def settle(self, asked: Collection[str]) -> None:
        """Tell what came into a search and what left it, and keep what it finds now. `asked`: the ids whose records
        were fetched for it in this sweep.
        """
        told: dict[str, list[_Told]] = defaultdict(list)
        answered = [(found, self._moves(found, asked)) for found in self._found]
        for found, moves in answered:
            for each in (*moves.matched, *moves.unmatched):
                told[each].append(_Told(found.search, each, each in moves.matched))
        for record_id in sorted(told):
            self._tell(record_id, told[record_id])
        for found, moves in answered:
            self._note(found, moves)

    def _ask(self, search: Watch) -> Found | None:
        ids: list[str] = []
        try:
            for number, each in enumerate(self._look.registry.search(search.search or {}), start=1):
                ids.append(each)
                if number % IDS_AT_ONCE == 0:
                    self._look.stay()
        except RegistryError as error:
            self._look.excepted(search.called, "refused" if error.permanent else "not fetched", str(error))
            return None
        except ValueError as error:
            self._look.excepted(search.called, "refused", str(error))
            return None
        return Found(search, tuple(ids))

    def _moves(self, found: Found, asked: Collection[str]) -> Moves:
        """What the answer changes; of a first answer nothing is told."""
        search, release = found.search, self._look.release.timestamp
        if search.baseline_sweep is None:
            return Moves((), (), (), ())
        self._follow_merges(search)
        with self._look.reading() as connection:
            members = {member.record_id: member for member in search_members.of_search(connection, search.id)}
        today = self._today(found.ids)
        tellable = self._tellable({*today.values(), *members}, {today.get(each, each) for each in asked})
        return search_members.moves(set(today.values()), members, tellable, release)

    def _follow_merges(self, search: Watch) -> None:
        with self._look.reading() as connection:
            members: list[Member] = search_members.of_search(connection, search.id)
        today = self._today([member.record_id for member in members])
        moved = {former: kept for former, kept in today.items() if former != kept}
        if moved:
            with self._look.writing() as connection:
                for former, kept in moved.items():
                    search_members.rename(connection, search.id, former, kept)

    def _today(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The id that each of these records has now."""
        heads = self._look.heads(ids)
        return {each: heads[each].registry_id if each in heads else each for each in ids}

    def _tellable(self, ids: Collection[str], asked: Collection[str]) -> set[str]:
        """Those of which the registry owes no answer: stored, listed, and looked at as this release has them."""
        heads = self._look.heads(sorted(ids))
        with self._look.reading() as connection:
            owed = {trouble.registry_id for trouble in archive.open_exceptions(connection, self._look.registry.name)}
        owed = (owed - set(asked)) | self._look.unanswered
        return {
            each
            for each, head in heads.items()
            if head.version is not None and head.absent_since is None and each not in owed
        }

    def _tell(self, record_id: str, told: Sequence[_Told]) -> None:
        """One step for all that searches say of one record, kept with it."""
        trial = self._look.newest(record_id)
        with self._look.writing() as connection:
            valid = [each for each in told if watches.is_same_search(connection, each.search)]
            if valid:
                changes = [_change(each, trial) for each in valid]
                self._look.tell(connection, record_id, changes, trial, cause="search")
            for each in valid:
                search_members.put(connection, each.search.id, record_id, is_found=each.is_found)

    def _note(self, found: Found, moves: Moves) -> None:
        search, release = found.search, self._look.release.timestamp
        if moves.doubted:
            gone, of = len(moves.doubted), len(moves.doubted) + len(found.ids)
            detail = f"{gone} of {of} records left it at once, which is believed when the next release says it again"
            self._look.excepted(search.called, "doubted", detail)
        today = set(self._today(found.ids).values())
        with self._look.writing() as connection:
            if not watches.is_same_search(connection, search):
                return
            if search.baseline_sweep is None:
                search_members.begin(connection, search.id, today)
            search_members.doubt(connection, search.id, moves.doubted, release)
            search_members.doubt(connection, search.id, moves.well, None)
            if not self._is_to_be_asked_again(found, moves):
                watches.mark_searched(connection, search, release, self._look.number)
            if not moves.doubted:
                self._look.settled(connection, [search.called])

    def _is_to_be_asked_again(self, found: Found, moves: Moves) -> bool:
        """Whether a record that it found could not be fetched for a reason that passes: the next try tells it."""
        if found.search.baseline_sweep is None:
            return False
        return bool(self._look.unanswered_for(watches.PASSING).intersection(found.ids).difference(moves.matched))


def _change(told: _Told, trial: Trial) -> Change:
    name = quoted(told.search.name)
    subject = {"type": "search", "name": told.search.name}
    if not told.is_found:
        words = f"The saved search {name} no longer finds {trial.title}; it stays watched"
        return change("record.unmatched", summary=words, subject=subject)
    state = "; ".join(_state(trial))
    words = f"The saved search {name} finds {trial.title}{f' ({state})' if state else ''}"
    after = {"status": trial.overall_status, "sites": [_site(site) for site in trial.sites]}
    return change("record.matched", summary=words, subject=subject, after=after)


def _state(trial: Trial) -> Iterable[str]:
    if trial.overall_status:
        yield status_words(trial.overall_status)
    if trial.sites:
        yield counted(len(trial.sites), "site")


def _site(site: Site) -> dict[str, object]:
    """A site as place filters and readers need it."""
    names = ("facility", "city", "state", "zip", "country", "status", "latitude", "longitude")
    return {name: getattr(site, name) for name in names}
