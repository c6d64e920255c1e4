"""The saved searches of one sweep: asked first, so that what they find is fetched; told last."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from monitor.answers import Look
from monitor.walking import Progress, SearchGoneError, Walk
from notifiers import due_watches, search_members, search_pages
from notifiers.search_members import Moves
from notifiers.watches import Watch
from snapshots import archive
from snapshots.changes import Change
from snapshots.id_set import IdSet, in_portions
from snapshots.registry import RegistryError
from snapshots.rules.build import change
from snapshots.sentences import counted, quoted, status_words
from snapshots.trial import Site, Trial

IDS_AT_ONCE = 1000
"""Ids after which a search that goes on for long renews the sweep's lease."""
GIVE_UP_AFTER = 2
"""Searches in a row that got no answer, after which the others are not asked: it is not the searches."""
KEPT_AT_ONCE = 5_000
"""Records of a search's first answer that are kept in one transaction."""
MANY = 10_000
"""Records of a search from which on a sweep fails with it: to ask for each by its id would take too long."""


class Found(Struct, frozen=True):
    """What a search finds now, and what it found before."""

    search: Watch
    ids: IdSet
    present: IdSet


class _Told(Struct, frozen=True):
    """That a search found a record, or lost it."""

    search: Watch
    record_id: str
    is_found: bool


class Searches:
    """Those of one sweep that are due. Every search is an exception of the sweep by itself, and spoils nothing else."""

    def __init__(self, look: Look, due: Sequence[Watch], progress: Progress, stop: Callable[[], bool]) -> None:
        self._look = look
        self._due = due
        self._progress = progress
        self._stop = stop
        self._found: list[Found] = []

    def ask(self) -> IdSet:
        """The ids that any of them finds and of which the record was not taken with the answer."""
        unanswered, ids = 0, IdSet()
        for search in self._due:
            if unanswered >= GIVE_UP_AFTER:
                self._look.excepted(search.called, "not fetched", "not asked, because searches before it failed")
                ids.update(self._look.not_taken(self._left_to_ask(search, None)))
                continue
            found = self._ask(search)
            unanswered = 0 if found is not None else unanswered + 1
            if found is not None:
                self._found.append(found)
                ids.update(self._look.not_taken(found.ids - found.present))
            ids.update(self._look.not_taken(self._left_to_ask(search, found)))
        return ids

    def _left_to_ask(self, search: Watch, found: Found | None) -> IdSet:
        """What a search found before and its answer, which is of records, did not bring: all of it where there is
        none. What a search lists by id only is asked for by those ids, with all that is watched.
        """
        if not self._look.registry.gives_records(search.search or {}):
            return IdSet()
        with self._look.reading() as connection:
            if found is None:
                return search_members.ever(connection, search.id)
            left = search_members.former(connection, search.id)
        left.update(found.present - found.ids)
        return left

    def settle(self, asked: IdSet) -> None:
        """Tell what came into a search and what left it, and keep what it finds now. `asked`: the ids whose records
        were fetched in this sweep beside those that came with the answers.
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
        try:
            if self._look.registry.gives_records(search.search or {}):
                return self._take(search)
            return self._list(search)
        except RegistryError as error:
            if not error.permanent and self._is_large(search):
                raise
            self._look.excepted(search.called, "refused" if error.permanent else "not fetched", str(error))
        except ValueError as error:
            self._look.excepted(search.called, "refused", str(error))
        except SearchGoneError:
            pass  # whoever removed or changed it will not miss this answer
        return None

    def _take(self, search: Watch) -> Found:
        """The records with the ids, page by page."""
        walk = Walk(self._look, search, self._progress, self._stop)
        taken = walk.run()
        self._look.saw(taken.ids - taken.untaken)
        return Found(search, taken.ids, walk.present)

    def _list(self, search: Watch) -> Found:
        ids = IdSet()
        for number, each in enumerate(self._look.registry.search(search.search or {}), start=1):
            ids.add(each)
            if number % IDS_AT_ONCE == 0:
                self._look.stay()
        with self._look.reading() as connection:
            is_first = search.baseline_sweep is None
            return Found(search, ids, IdSet() if is_first else search_members.present(connection, search.id))

    def _is_large(self, search: Watch) -> bool:
        with self._look.reading() as connection:
            return search.is_everything or search_members.counts(connection, search.id)[1] > MANY

    def _moves(self, found: Found, asked: IdSet) -> Moves:
        """What the answer changes; of a first answer nothing is told."""
        search, release = found.search, self._look.release.timestamp
        if search.baseline_sweep is None:
            return Moves((), (), (), ())
        new, lost = found.ids - found.present, found.present - found.ids
        today = self._today([*new, *lost])
        moved = {former: today[former] for former in lost if today[former] != former}
        self._follow(search, moved)
        with self._look.reading() as connection:
            members = search_members.among(connection, search.id, {*today.values(), *lost})
            members |= search_members.doubted(connection, search.id)
        finds = {*(today[each] for each in new), *(each for each in members if each in found.ids)}
        tellable = self._tellable({*finds, *members}, asked)
        of = len(found.ids), len(found.present)
        return search_members.moves(finds, members, tellable, release, of)

    def _follow(self, search: Watch, moved: Mapping[str, str]) -> None:
        """What was merged into another record is known by that one's id from now on."""
        if moved:
            with self._look.writing() as connection:
                for former, kept in moved.items():
                    search_members.rename(connection, search.id, former, kept)

    def _today(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The id that each of these records has now."""
        heads = self._look.heads(ids)
        return {each: heads[each].registry_id if each in heads else each for each in ids}

    def _tellable(self, ids: Collection[str], asked: IdSet) -> set[str]:
        """Those of which the registry owes no answer: stored, listed, and looked at as this release has them."""
        heads = self._look.heads(sorted(ids))
        with self._look.reading() as connection:
            owed = {trouble.registry_id for trouble in archive.open_exceptions(connection, self._look.registry.name)}
        owed = {each for each in owed if each not in asked and not self._look.has_taken(each)} | self._look.unanswered
        return {
            each
            for each, head in heads.items()
            if head.version is not None and head.absent_since is None and each not in owed
        }

    def _tell(self, record_id: str, told: Sequence[_Told]) -> None:
        """One step for all that searches say of one record, kept with it."""
        trial = self._look.newest(record_id)
        with self._look.writing() as connection:
            valid = [each for each in told if due_watches.is_same_search(connection, each.search)]
            if valid:
                changes = [_change(each, trial) for each in valid]
                self._look.tell(connection, record_id, changes, trial, cause="search")
            for each in valid:
                search_members.put(connection, each.search.id, record_id, is_found=each.is_found)

    def _note(self, found: Found, moves: Moves) -> None:
        search, release = found.search, self._look.release.timestamp
        if moves.doubted:
            gone, of = len(moves.doubted), len(moves.doubted) + len(found.ids)
            detail = f"{gone:,} of {of:,} records left it at once, which is believed if the next release says it again"
            self._look.excepted(search.called, "doubted", detail)
        if search.baseline_sweep is None:
            self._keep_first(found)
        with self._look.writing() as connection:
            if not due_watches.is_same_search(connection, search):
                return
            search_members.doubt(connection, search.id, moves.doubted, release)
            search_members.doubt(connection, search.id, moves.well, None)
            if not self._is_to_be_asked_again(found, moves):
                due_watches.mark_searched(connection, search, release, self._look.number)
                search_pages.forget(connection, search.id)
            if not moves.doubted:
                self._look.settled(connection, [search.called])

    def _is_to_be_asked_again(self, found: Found, moves: Moves) -> bool:
        """Whether a record that it found could not be fetched for a reason that passes: the next try tells it."""
        if found.search.baseline_sweep is None:
            return False
        passing = self._look.unanswered_for(due_watches.PASSING).difference(moves.matched)
        return any(each in found.ids for each in passing)

    def _keep_first(self, found: Found) -> None:
        """The search's baseline, in several transactions where it is large: until it is marked as searched, none of
        it counts, and it is kept anew.
        """
        search = found.search
        with self._look.writing() as connection:
            if due_watches.is_same_search(connection, search):
                search_members.begin(connection, search.id)
        for some in in_portions(found.ids, KEPT_AT_ONCE):
            today = set(self._today(some).values())
            with self._look.writing() as connection:
                if due_watches.is_same_search(connection, search):
                    search_members.admit(connection, search.id, today)


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
