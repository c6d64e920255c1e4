"""One trial: all that its record says, since when, and what it said before; its sites; trials like it."""

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response

from monitor.as_of import said_on
from monitor.lengths import too_long
from monitor.relatives import Relative, relatives
from monitor.web.doors import Door
from monitor.web.problems import Problem
from monitor.web.trial.found import asked_id, checked_day, find_record, one_of, read
from monitor.web.trial.marks import marks
from monitor.web.trial.parts import grouped_parts, words
from monitor.web.trial.sections import HELP, heading_words, sections
from monitor.web.trial.site_map import site_map
from monitor.web.trial.sites import Asked, sites_shown
from monitor.web.trial.told import latest_told, sites_of
from monitor.web.trial.watched import watched_state
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import watches
from notifiers.watches import Wish
from snapshots import archive, related
from snapshots.archive import Record, Step
from snapshots.archive.latest import StepPlace
from snapshots.archive.order import history_date
from snapshots.registries.ctgov.ids import normalise, record_page
from snapshots.registries.ctgov.similar import similar_page
from snapshots.sentences import capitalised, status_words

RELATED = 8
MORE_RELATED = 40


class Related(Struct, frozen=True, kw_only=True):
    """A trial like this one, in words, and what can be done with it. `source` says who named it."""

    id: str
    title: str
    status: str
    phase: str
    source: str
    is_stored: bool
    is_watched: bool


def show(here: Visit) -> Response:
    """The page; of an id that is not stored, one that offers to watch it."""
    asked = asked_id(here)
    with here.database.read() as connection:
        record = archive.find_record(connection, REGISTRY, asked)
        if record is None or record.head_version is None:
            return _unknown(here, connection, asked)
        if here.query.get("as_of"):  # of a former id too: before a merge it named a record of its own
            return _past(here, connection, record, asked)
        if here.params["id"] != record.registry_id:
            path = here.link(f"/trials/{record.registry_id}", **here.query)
            return here.redirect(path.removeprefix(here.site.prefix))
        if here.query.get("version"):
            return _past(here, connection, record, asked)
        return _page(here, connection, record, record.head_version)


def _past(here: Visit, connection: Connection, record: Record, any_id: str) -> Response:
    """The record as it stood on a day, or as one of its versions has it, with how sure that is."""
    answer = None
    if here.query.get("as_of"):
        asked = checked_day(here.query["as_of"])
        answer = said_on(connection, REGISTRY, any_id, asked, here.now.date())
        version = answer.version if answer else None
    else:
        version = one_of(connection, record, here.query["version"])
    trial = None if version is None else read(connection, version.number)
    return here.page(
        "trial_past.html",
        record=record,
        any_id=any_id,
        answer=answer,
        version=version,
        day=history_date(version) if version else "",
        places=archive.places_of(connection, REGISTRY, record.registry_id),
        trial=trial,
        heading=heading_words(trial) if trial else "",
        sections=sections(trial) if trial else [],
        sites=sites_shown(trial.sites, sites_asked(here)) if trial else None,
        grouped_parts=grouped_parts,
        registry_page=record_page(record.registry_id),
    )


def _page(here: Visit, connection: Connection, record: Record, version: int) -> Response:
    trial = read(connection, version)
    found = sections(trial)
    told, is_damaged = _told(connection, record)
    asked = sites_asked(here)
    sites = sites_shown(trial.sites, asked)
    alike = relatives(connection, REGISTRY, record.registry_id, trial, _most(here))
    return here.page(
        "trial.html",
        record=record,
        trial=trial,
        version=archive.version_info(connection, version),
        place=archive.places_of(connection, REGISTRY, record.registry_id)[version],
        heading=heading_words(trial),
        sections=found,
        marks=marks(told, found, trial, lambda number: sites_of(connection, number)),
        is_damaged=is_damaged,
        sites=sites,
        asked=asked,
        sites_help=HELP["locations"],
        site_map=site_map(sites.points, sites.place.point),
        watched=watched_state(connection, record, here.now),
        registry_page=record_page(record.registry_id),
        registry_search=similar_page(trial),
        grouped_parts=grouped_parts,
        relatives=[_in_words(each) for each in alike.found],
        is_more=_most(here) > RELATED,
        shown_at_first=RELATED,
        answer=alike.answer,
    )


def _told(connection: Connection, record: Record) -> tuple[list[tuple[StepPlace, Step]], bool]:
    """The latest steps, and whether they cannot be read: the record itself is shown all the same."""
    try:
        return latest_told(connection, record), False
    except archive.CorruptChange:
        return [], True


def _most(here: Visit) -> int:
    return MORE_RELATED if here.query.get("related") == "more" else RELATED


def sites_asked(here: Visit) -> Asked:
    """What the query asks of the sites."""
    page = here.query.get("page", "")
    return Asked(
        words=here.query.get("q", "")[:100],
        country=here.query.get("country", "")[:100],
        status=here.query.get("status", "")[:60],
        place=here.query.get("near", "")[:100],
        km=here.query.get("km", "")[:8],
        area=here.query.get("area", "")[:60],
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def _unknown(here: Visit, connection: Connection, asked: str) -> Response:
    watching = watches.of_record(connection, REGISTRY, [asked])
    return here.page(
        "trial_unknown.html",
        404,
        asked=asked,
        watching=watching,
        own=next((each for each in watching if each.record_id == asked), None),
        paused=next(iter(watches.paused_of_record(connection, REGISTRY, [asked])), None),
        owed=archive.open_exception(connection, REGISTRY, asked),
        registry_page=record_page(asked),
    )


# --- trials like it ---------------------------------------------------------------------------------------------------


def _in_words(each: Relative) -> Related:
    return Related(
        id=each.id,
        title=each.title,
        status=capitalised(status_words(each.status)) if each.status else "Status not known",
        phase=words(each.phases) or "Phase not stated",
        source="stored here" if each.is_stored else "named by the registry",
        is_stored=each.is_stored,
        is_watched=each.is_watched,
    )


def ask_registry(here: Visit) -> Response:
    """Have the registry asked for trials like this one: by the daemon, politely, in a moment."""
    asked = asked_id(here)
    with here.database.write() as connection:
        record = find_record(connection, asked)
        related.want(connection, REGISTRY, record.registry_id, here.now)
    words = "The registry is being asked. What it answers is listed here in a moment: open the page again."
    return here.redirect(_related_of(here, record.registry_id), flash=words)


def _related_of(here: Visit, record: str) -> str:
    """Where the trials like one stand, as many as there were when the form was sent."""
    query = "?related=more" if here.form.text("related") == "more" else ""
    return f"/trials/{record}{query}#related"


def watch(here: Visit) -> Response:
    """Watch a trial: this one, or one like it that the form names."""
    back = asked_id(here)
    named = here.form.text("id") or back
    try:
        wanted = normalise(named)
    except ValueError as error:
        raise Problem(400, "That is no id of a trial", str(error)) from None
    group = here.form.text("group") or None
    for line in too_long({"group": group or ""}).values():
        raise Problem(422, f"Group: {line}")
    with here.database.write() as connection:
        is_new = watches.add(connection, Wish(registry=REGISTRY, record_id=wanted, group=group), here.now)
    said = f"{wanted} is watched now; it is looked at within a minute." if is_new else f"{wanted} was watched already."
    return here.redirect(_related_of(here, back) if wanted != back else f"/trials/{back}", flash=said)


DOORS = (
    Door("/trials/{id}", access="signed-in", get=show),
    Door("/trials/{id}/watch", access="signed-in", post=watch),
    Door("/trials/{id}/related", access="signed-in", post=ask_registry),
)
