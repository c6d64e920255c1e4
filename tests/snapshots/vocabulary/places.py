"""Made-up edits of sites and countries."""

from tests.snapshots.vocabulary.cases import Case, Still
from tests.snapshots.whole_record import SITES, contact, site

NORTH, SOUTH, RESEARCH = "North Example Hospital", "South Sample Clinic", "Research Site"
OPEN, INVITED, NOT_YET, CLOSED = "RECRUITING", "ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING"
EAST = ("East Example Hospital", "Odense", "Denmark")
LISTED = [
    site(NORTH, "Aarhus", "Denmark", contacts=[contact("Bo North", 2)]),
    site(SOUTH, "Bologna", "Italy", NOT_YET),
    site(RESEARCH, "Lyon", "France", zip="69000"),
]


def status(kind: str, *values: tuple[str | None, str | None]) -> list[Case]:
    """Cases of the first site's status."""
    return [
        Case(kind, [(f"{SITES}[0].status", now)], was=[(f"{SITES}[0].status", was)], about=NORTH, before=was, after=now)
        for was, now in values
    ]


def newly(kind: str, listed_as: str | None) -> Case:
    """A site that comes with this status."""
    name = EAST[0]
    return Case(
        kind,
        [(f"{SITES}[3]", site(*EAST, listed_as))],
        about=name,
        before=None,
        after=name if kind == "site.added" else listed_as,
    )


def field(kind: str, name: str, was: str | None, now: str | None, about: str = NORTH, number: int = 0) -> Case:
    """A case of one field of a site."""
    place = f"{SITES}[{number}].{name}"
    return Case(kind, [(place, now)], was=[(place, was)], about=about)


def contacts(was: object, now: object) -> Case:
    place = f"{SITES}[0].contacts"
    return Case("site.contact_changed", [(place, now)], was=[(place, was)], about=NORTH)


def country(kind: str, was: list[object], now: list[object], name: str, *also: tuple[str, str | None, str]) -> Case:
    """A case of the set of countries; sites that come and go with them follow from it."""
    value = {"before" if kind == "country.removed" else "after": name}
    return Case(kind, [(SITES, now)], was=[(SITES, was)], about=name, also=also, **value)  # type: ignore[arg-type]


BO = {"name": "Bo North", "role": "CONTACT", "phone": "+45 555-0102", "phoneExt": "7", "email": "bo@example.org"}
OSLO = site("North Sample Hospital", "Oslo", "Norway")
NOWHERE = {"facility": "Sample House", "city": "Sampleton"}

CASES = [
    *status("site.recruiting", (NOT_YET, OPEN), (None, OPEN), (INVITED, OPEN), ("WITHDRAWN", OPEN), (CLOSED, OPEN)),
    newly("site.recruiting", OPEN),
    *status("site.invitation_only", (NOT_YET, INVITED), (OPEN, INVITED), (None, INVITED)),
    newly("site.invitation_only", INVITED),
    *status("site.closed", (OPEN, CLOSED), (OPEN, "COMPLETED"), (INVITED, CLOSED), (INVITED, "COMPLETED")),
    *status("site.suspended", (OPEN, "SUSPENDED"), (NOT_YET, "SUSPENDED"), (None, "SUSPENDED")),
    newly("site.suspended", "SUSPENDED"),
    *status("site.terminated", (OPEN, "TERMINATED"), (CLOSED, "TERMINATED"), (None, "TERMINATED")),
    newly("site.terminated", "TERMINATED"),
    *status("site.withdrawn", (OPEN, "WITHDRAWN"), (NOT_YET, "WITHDRAWN"), (None, "WITHDRAWN")),
    newly("site.withdrawn", "WITHDRAWN"),
    *status(
        "site.status_changed",
        (NOT_YET, CLOSED),
        ("COMPLETED", CLOSED),
        (OPEN, NOT_YET),
        (OPEN, None),
        (None, "COMPLETED"),
        (OPEN, "A_STATUS_OF_TOMORROW"),
    ),
    newly("site.added", None),
    newly("site.added", NOT_YET),
    newly("site.added", "COMPLETED"),
    Case(
        "site.added",
        [(f"{SITES}[3]", site(RESEARCH, "Lyon", "France", NOT_YET, zip="69000"))],
        about=RESEARCH,
        edge="one row Research Site that becomes two",
    ),
    *(
        Case("site.removed", [(SITES, [*LISTED[:2], site(*EAST)])], was=[(SITES, was)], about=name, before=name)
        for was, name in (
            ([*LISTED[:2], site(*EAST), site("West Example Hospital", "Vejle", "Denmark")], "West Example Hospital"),
            ([site("West Example Clinic", "Vejle", "Denmark", None), *LISTED[:2], site(*EAST)], "West Example Clinic"),
            ([*LISTED[:2], site(*EAST), site(RESEARCH, "Vejle", "Denmark", NOT_YET)], RESEARCH),
        )
    ),
    Case(
        "site.removed",
        [(SITES, LISTED)],
        was=[(SITES, [*LISTED, LISTED[2]])],
        about=RESEARCH,
        edge="two rows that read alike become one",
    ),
    field("site.renamed", "facility", NORTH, "North Example Medical Center", "North Example Medical Center"),
    field("site.renamed", "facility", RESEARCH, "Sample University Hospital", "Sample University Hospital", 2),
    field("site.renamed", "facility", "Alpha Clinic (Site 007)", "Omega Clinic (Site 7)", "Omega Clinic (Site 7)"),
    field("site.renamed", "facility", None, NORTH),
    Case(
        "site.renamed",
        [(f"{SITES}[2].facility", "Omega House")],
        was=[(f"{SITES}[2].facility", "Alpha House")],
        about="Omega House",
        edge="the only row of its zip and city",
    ),
    field("site.moved", "zip", "8000", "8200"),
    field("site.moved", "state", "East", "West"),
    field("site.moved", "city", "Aarhus", "Odense"),
    field("site.moved", "zip", "8000", None),
    Case(
        "site.moved",
        [(f"{SITES}[2].city", "Villeurbanne")],
        about=RESEARCH,
        edge="a placeholder of the same zip in another city",
    ),
    contacts([BO], [{**BO, "phone": "+45 555-0199"}]),
    contacts([BO], [{**BO, "email": "north@example.org"}]),
    contacts([BO], [{**BO, "phoneExt": "8"}]),
    contacts([BO], [BO, contact("Kim Roe", 9)]),
    contacts([BO], []),
    contacts([BO], [contact("Kim Roe", 9)]),
    country("country.added", LISTED, [*LISTED, OSLO], "Norway", ("site.recruiting", OSLO["facility"], "country.added")),
    country(
        "country.added",
        LISTED[:1],
        [LISTED[0], site("Oslo Clinic", "Oslo", "Norway", None)],
        "Norway",
        ("site.added", "Oslo Clinic", "country.added"),
    ),
    country("country.added", [LISTED[0], NOWHERE], [LISTED[0], {**NOWHERE, "country": "Peru"}], "Peru"),
    country(
        "country.removed", [*LISTED, OSLO], LISTED, "Norway", ("site.removed", OSLO["facility"], "country.removed")
    ),
    country("country.removed", LISTED, LISTED[:2], "France", ("site.removed", RESEARCH, "country.removed")),
    country("country.removed", LISTED, LISTED[1:], "Denmark", ("site.removed", NORTH, "country.removed")),
]

STILL = [
    *(
        Still(
            f"a site's status {was} and {now} say the same",
            [(f"{SITES}[0].status", now)],
            [(f"{SITES}[0].status", was)],
        )
        for was, now in ((None, NOT_YET), (NOT_YET, None), (OPEN, "Recruiting"))
    ),
    *(
        Still(f"a site's {name} {was!r} and {now!r}", [(f"{SITES}[0].{name}", now)], [(f"{SITES}[0].{name}", was)])
        for name, was, now in (
            ("state", None, "Midtjylland"),
            ("zip", None, "8000"),
            ("city", "", "Aarhus"),
            ("facility", NORTH, "NORTH EXAMPLE, HOSPITAL"),
            ("facility", 'Hă"pital d’Exemple', "Hăpital d'Exemple"),
            ("country", "Turkey", "Turkey (Türkiye)"),
            ("country", "Czech Republic", "Czechia"),
            ("geoPoint", {"lat": 1.0, "lon": 2.0}, {"lat": 1.1, "lon": 2.0}),
            ("contacts", [BO], [{**BO, "phone": "+45 5550102"}]),
            ("contacts", [BO], [{**BO, "name": "BO NORTH", "email": "Bo@example.org"}]),
        )
    ),
]
