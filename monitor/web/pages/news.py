"""What is new: the changes of what is watched, newest release first, most severe first, and what that rests on."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response

from monitor.web import cursor
from monitor.web.doors import Door
from monitor.web.numbers import RowNumber, row_number
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import news, watch_standing, watches
from notifiers.news import Asked, Item, Place
from notifiers.watch_standing import Counts
from snapshots import archive
from snapshots.archive import OpenException, StoredChange, Sweep
from snapshots.kinds import KINDS, SEVERITIES, at_least
from snapshots.sentences import counted, date_words

ON_ONE_PAGE = 25
OF_ONE_TRIAL = 5
"""Changes of a trial at one release that are shown here; its history has them all."""
NAMED = 5
SEVERITY_WORDS = {
    "": "any severity",
    "critical": "critical",
    "major": "major and critical",
    "minor": "minor and above",
}
SEEN_WORDS = {"": "seen or not", "no": "not seen yet", "yes": "seen"}


class Trial(Struct, frozen=True):
    """What changed in one trial (`id` None: in the registry as a whole) at one release; `steps` are its moments.

    `left_out` changes are not shown here, because of the filters or because there are too many.
    """

    id: str | None
    title: str | None
    items: tuple[Item, ...]
    shown: tuple[StoredChange, ...]
    left_out: int

    @property
    def steps(self) -> str:
        """The numbers of its moments, as a form sends them."""
        return " ".join(str(item.step.id) for item in self.items)

    @property
    def seen(self) -> news.Seen | None:
        """Who saw it; None unless all of it was seen."""
        seen = [item.seen for item in self.items]
        return None if None in seen else seen[0]

    @property
    def seen_in_part(self) -> str:
        """How much of it was seen, and by whom, where that is some of it: "1 of 13 seen by alice"; else ""."""
        tallies = [item.tally for item in self.items]
        seen, of = sum(each.seen for each in tallies), sum(each.of for each in tallies)
        names = dict.fromkeys(name for each in tallies for name in each.by)
        return f"{seen:,} of {of:,} seen by {', '.join(names)}" if 0 < seen < of else ""


class Release(Struct, frozen=True):
    """What was seen with one release, in words, trial by trial."""

    words: str
    trials: tuple[Trial, ...]


class Looked(Struct, frozen=True):
    """What the page rests on: the last look over everything, of how many trials it asked for the answer is owed, the
    newest of any kind, what was not answered.
    """

    last: Sweep | None
    owed: int
    newest: Sweep | None
    open: tuple[OpenException, ...]
    counts: Counts

    @property
    def is_failing(self) -> bool:
        return self.newest is not None and self.newest.state == "failed"

    @property
    def is_under_way(self) -> bool:
        return self.newest is not None and self.newest.state == "running"

    @property
    def trials(self) -> str:
        """How many trials were asked for."""
        return counted(self.last.asked, "trial") if self.last else ""

    @property
    def checked(self) -> str:
        """How many trials were asked for and answered, then or since."""
        return counted(self.last.asked - self.owed, "trial") if self.last else ""

    @property
    def named(self) -> tuple[OpenException, ...]:
        return self.open[:NAMED]


def show(here: Visit) -> Response:
    """The page."""
    filters = _filters(here.query)
    asked = _asked(here, filters)
    after = Place(*cursor.decode(here.query["after"], str, RowNumber, RowNumber)) if here.query.get("after") else None
    with here.database.read() as connection:
        page = news.page(connection, asked, after, ON_ONE_PAGE)
        looked = _looked(connection)
        groups = watches.groups(connection)
    here_again = here.link("/", **filters)
    older = here.link("/", **filters, after=cursor.encode(*_values(page.older))) if page.older else None
    return here.page(
        "news.html",
        releases=_releases(page.items),
        looked=looked,
        date_words=date_words,
        filters=filters,
        place={**filters, "after": here.query.get("after", "")},
        choices=_choices(groups),
        is_filtered=any(filters.values()),
        is_first=after is None,
        back_to=date_words(page.looked_back_to[:10]) if page.looked_back_to else None,
        older=older,
        again=here_again,
        shown_steps=" ".join(str(item.step.id) for item in page.items if item.seen is None),
    )


def mark(here: Visit) -> Response:
    """Notes that the visitor has seen steps, or has not after all."""
    steps, unseen = _numbers(here.form.text("steps")), _numbers(here.form.text("unseen"))
    assert here.visitor is not None
    with here.database.write() as connection:
        if unseen:
            news.unmark_seen(connection, here.visitor.name, unseen)
            words = "It counts as not seen again."
        else:
            number = news.mark_seen(connection, here.visitor.name, steps, here.now)
            words = f"{counted(number, 'entry', 'entries')} marked as seen." if number else "That was seen already."
    query = {name: here.form.text(name) for name in ("severity", "family", "group", "seen", "after")}
    return here.redirect(here.link("/", **query).removeprefix(here.site.prefix), flash=words)


def _numbers(text: str) -> list[int]:
    return [each for each in map(row_number, text.split()) if each is not None][:1000]


def _filters(query: Mapping[str, str]) -> dict[str, str]:
    """What the address asks for; what it says that is no filter is no filter."""
    return {
        "severity": query.get("severity", "") if query.get("severity") in SEVERITY_WORDS else "",
        "family": query.get("family", "") if query.get("family") in _families() else "",
        "group": query.get("group", "")[:200],
        "seen": query.get("seen", "") if query.get("seen") in SEEN_WORDS else "",
    }


def _asked(here: Visit, filters: Mapping[str, str]) -> Asked:
    floor, family = filters["severity"], filters["family"]
    assert here.visitor is not None
    return Asked(
        visitor=here.visitor.name,
        severities=[each for each in SEVERITIES if at_least(each, floor)] if floor else None,
        kinds=[kind.name for kind in KINDS.values() if kind.family == family] if family else None,
        group=filters["group"] or None,
        is_seen={"yes": True, "no": False}.get(filters["seen"]),
    )


def _families() -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind.family for kind in KINDS.values()))


def _choices(groups: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    return {
        "severity": list(SEVERITY_WORDS.items()),
        "family": [("", "anything"), *((each, each) for each in _families())],
        "group": [("", "all groups"), *((each, each) for each in groups)],
        "seen": list(SEEN_WORDS.items()),
    }


def _looked(connection: Connection) -> Looked:
    last = archive.last_finished(connection, REGISTRY)
    still = archive.open_exceptions(connection, REGISTRY)
    return Looked(
        last,
        _owed(connection, last, still) if last and still else 0,
        archive.last_sweep(connection, REGISTRY),
        tuple(still),
        watch_standing.counts(connection),
    )


def _owed(connection: Connection, last: Sweep, still: Sequence[OpenException]) -> int:
    """Of how many trials that this look asked for the answer is owed to this day; searches are no trials."""
    owed = {each.registry_id for each in still}.difference(
        f"search {name}" for name in watches.search_names(connection)
    )
    return sum(each.registry_id in owed for each in archive.unanswered(connection, last.id, last.failed))


def _values(place: Place) -> tuple[str, int, int]:
    return place.release, place.rank, place.step


def _releases(items: Sequence[Item]) -> list[Release]:
    return [
        Release(date_words((release or "")[:10]), _trials(list(together)))
        for release, together in groupby(items, key=lambda item: item.step.release)
    ]


def _trials(items: Sequence[Item]) -> tuple[Trial, ...]:
    """The trials in the order of their most severe change."""
    ids = dict.fromkeys(item.step.registry_id for item in items)
    return tuple(_trial([item for item in items if item.step.registry_id == each]) for each in ids)


def _trial(items: Sequence[Item]) -> Trial:
    told = [stored for item in items for stored in item.step.changes]
    left_out = len(told) - OF_ONE_TRIAL if len(told) > OF_ONE_TRIAL else 0
    others = sum(item.others for item in items)
    step = items[0].step
    return Trial(step.registry_id, step.title, tuple(items), tuple(told[:OF_ONE_TRIAL]), left_out + others)


DOORS = (
    Door("/", access="signed-in", get=show),
    # a mark is the visitor's own: nobody else sees it
    Door("/seen", access="signed-in", post=mark, readers_may_post=True),
)
