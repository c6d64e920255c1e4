"""What a record says site by site; since when each part of it says so, and what it said before; who watches it."""

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Connection

from monitor.shown.deliveries import at, change_json
from monitor.shown.watches import watches_json
from monitor.web import cursor
from monitor.web.api import shapes
from monitor.web.api.asking import RECORD, RowNumber, after, list_of, newest, stored
from monitor.web.api.operations import Call, Number, Operation, Param, cursor_params
from monitor.web.problems import Problem
from monitor.web.trial.found import one_of
from monitor.web.trial.marks import Mark, Marks, marks
from monitor.web.trial.parts import Section
from monitor.web.trial.sections import sections
from monitor.web.trial.sites import NO_STATUS, Asked, Listed, Place, place_of, sites_found
from monitor.web.trial.told import latest_told, sites_of
from monitor.web.trial.watched import watched_state
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.archive import Record
from snapshots.canonical import enum_key
from snapshots.registries.ctgov.parse import parse
from snapshots.registry import RegistryError
from snapshots.trial import Site, Trial

Json = Any
Kilometres = Annotated[float, Meta(gt=0, lt=21_000)]
SITES = ("locations", "Locations")
"""The section in which the sites stand, and what it is called."""


# --- its sites --------------------------------------------------------------------------------------------------------


def _sites(call: Call) -> Json:
    asked = call.asked
    if asked["km"] is not None and not asked["near"]:
        raise Problem(400, "km needs near", "Say what the distance is measured from.")
    with call.here.database.read() as connection:
        record = stored(connection, asked["id"])
        # a page goes on in the version of the one before
        begin = after(call, RowNumber, RowNumber)
        version = _numbered(connection, record, begin[0] if begin else asked["version"])
        trial = _read(connection, version)
    place = _place(asked["near"] or "", trial)
    found = sites_found(trial.sites, _asked(asked), place)
    start = begin[1] if begin else 0
    end = start + asked["limit"]
    return {
        "items": [_site_json(each) for each in found[start:end]],
        "next": cursor.encode(version, end) if found[end:] else None,
        "version": version,
        "found": len(found),
        "total": len(trial.sites),
        "near": _place_json(place),
    }


def _asked(asked: dict[str, Json]) -> Asked:
    status = asked["status"] or ""
    return Asked(
        words=asked["words"] or "",
        country=asked["country"] or "",
        status=status if status == NO_STATUS else enum_key(status) or "",
        place=asked["near"] or "",
        km="" if asked["km"] is None else str(asked["km"]),
    )


def _place(text: str, trial: Trial) -> Place:
    """Where distances are counted from. Raises Problem (400) for a place that is not known, or may be several."""
    place = place_of(text, trial.sites)
    if place.trouble is not None:
        raise Problem(400, place.trouble, "; ".join(place.offered) or None)
    return place


def _place_json(place: Place) -> Json:
    if place.point is None:
        return None
    return {"name": place.name, "latitude": place.point[0], "longitude": place.point[1]}


def _site_json(each: Listed) -> dict[str, Json]:
    site = each.site
    point = each.point or (None, None)
    return {
        **{name: getattr(site, name) for name in ("facility", "city", "state", "zip", "country", "status")},
        "is_open": each.is_open,
        "latitude": point[0],
        "longitude": point[1],
        "km": None if each.km is None else round(each.km, 1),
        "contacts": [
            {name: getattr(one, name) for name in ("name", "role", "phone", "phone_ext", "email")}
            for one in each.contacts
        ],
    }


# --- its parts --------------------------------------------------------------------------------------------------------


def _changed_parts(call: Call) -> Json:
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        trial = _read(connection, _numbered(connection, record, None))
        try:
            told = latest_told(connection, record)
        except archive.CorruptChange as error:
            raise Problem(409, f"The history of {record.registry_id} cannot be read whole", str(error)) from None
        shown = sections(trial)
        found = marks(told, shown, trial, lambda number: sites_of(connection, number))
    changes = {one.id: change_json(step, one) for _, step in told for one in step.changes}
    placed = _placed(found, shown, trial)
    return {
        "items": [
            {
                "section": section,
                "title": title,
                "part": part,
                "since": mark.since,
                "dated_by": mark.dated_by,
                "change": changes[mark.change],
            }
            for section, title, part, mark in placed
        ]
    }


def _placed(found: Marks, shown: list[Section], trial: Trial) -> Iterator[tuple[str, str, str | None, Mark]]:
    """The marks in the order of the page: a section's id and title, the part (None: none that is there now), it."""
    for section in shown:
        for number, part in enumerate(section.parts):
            if (section.id, number) in found.of_part:
                yield section.id, section.title, part.name or None, found.of_part[section.id, number]
        yield from ((section.id, section.title, None, mark) for mark in found.beside.get(section.id, ()))
    for site in trial.sites:
        mark = found.of_site.get(site.position)
        if mark is not None:
            yield *SITES, _called(site), mark
    beside = (*found.gone_sites, *found.beside.get(SITES[0], ()))
    yield from ((*SITES, None, mark) for mark in beside)


def _called(site: Site) -> str | None:
    return ", ".join(each for each in (site.facility, site.city, site.country) if each) or None


# --- who watches it ---------------------------------------------------------------------------------------------------


def _watched(call: Call) -> Json:
    with call.here.database.read() as connection:
        found = watched_state(connection, stored(connection, call.asked["id"]), call.here.now)
        items = watches_json(connection, REGISTRY, [*found.watches, *found.paused], call.here.now)
    return {
        "items": items,
        "groups": found.groups,
        "is_paused": bool(found.paused),
        "resting": found.resting,
        "release": found.confirmed.release if found.confirmed else None,
        "confirmed_at": at(found.confirmed.at) if found.confirmed else None,
    }


# --- all of them ------------------------------------------------------------------------------------------------------


def _numbered(connection: Connection, record: Record, number: int | None) -> int:
    """The number of that version, of the newest without one. Raises Problem (404)."""
    if number is not None:
        return one_of(connection, record, str(number)).number
    return newest(connection, record).number


def _read(connection: Connection, version: int) -> Trial:
    try:
        return parse(archive.read_version(connection, version))
    except archive.Unreadable as error:
        raise Problem(409, str(error)) from None
    except RegistryError as error:
        raise Problem(409, f"Version {version} cannot be understood", str(error)) from None


class SitesPage(Struct):
    """Sites of one version, open ones first. `found` of `total` fit what is asked; `near` is where distances are
    counted from; `next` the cursor of the following page, null on the last.
    """

    items: list[shapes.Site]
    next: str | None
    version: int
    found: int
    total: int
    near: shapes.Point | None


def _of_record(path: str, name: str, words: str, handler: Any, **more: Any) -> Operation:
    return Operation(
        method="GET", path=f"/records/{{id}}{path}", name=name, group="Records", words=words, handler=handler,
        in_path=(RECORD,), problems=(404, 409), **more,
    )  # fmt: skip


OPERATIONS = (
    _of_record(
        "/sites", "listSites", "Its sites: open ones first, then the nearest.", _sites,
        more="Without `near` they come by country, city and name. What no place is known of is near nothing.",
        params=(
            Param(name="words", type=shapes.Name | None, words="Words of the facility, its place or its contacts."),
            Param(name="country", type=shapes.Name | None, words="Only there."),
            Param(name="status", type=shapes.Name | None, words="Only so, such as RECRUITING; “none” is not shown."),
            Param(name="near", type=shapes.Name | None, words="A place by name, or latitude,longitude."),
            Param(name="km", type=Kilometres | None, words="Only so far from it."),
            Param(name="version", type=Number | None, words="As that stored version has them, not the newest."),
            *cursor_params(),
        ),
        answer=SitesPage,
    ),
    _of_record(
        "/watches", "listWatchesOf", "By which watches it is watched, itself or found by a search.", _watched,
        more="Its own also while it is paused. With when it was last known to stand as it is stored.",
        answer=shapes.WatchedBy,
    ),
    _of_record(
        "/changed-parts", "listChangedParts", "Since when each part says what it says, and what it said before.",
        _changed_parts, answer=list_of(shapes.ChangedPart),
        more="The latest change of each part of the record, as its page marks it; the history has all of them.",
    ),
)  # fmt: skip
