"""Watching a search: written in a form, tried on the registry, and kept under a name."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from monitor import asking_first
from monitor.asking_first import Found
from monitor.lengths import too_long
from monitor.web.doors import Door
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import names, watches
from notifiers.conditions import InvalidValue
from notifiers.watches import Wish
from snapshots.registries.ctgov.client import SEARCH_PARAMETERS
from snapshots.sentences import capitalised, status_words

FIELDS = (
    ("query.cond", "Condition or disease", "such as: diabetic kidney disease"),
    ("query.intr", "Treatment", "a drug, device or procedure"),
    ("query.locn", "Place", "a country, city or hospital"),
    ("query.spons", "Sponsor or collaborator", "who runs it, or takes part"),
    ("query.term", "Other words", "anywhere in the record"),
)
STATUSES = ("RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING", "COMPLETED",
            "SUSPENDED", "TERMINATED", "WITHDRAWN", "UNKNOWN")  # fmt: skip
MANY = 1000
"""So many records are fetched at the first look without a warning."""


def form(here: Visit) -> Response:
    """An empty form; what the address says is filled in."""
    said = {name: here.query.get(name, "")[:500] for name, _, _ in FIELDS}
    return _form(here, {**said, "name": here.query.get("name", "")[:200]}, ())


def post(here: Visit) -> Response:
    """Counts what the search finds, or keeps it."""
    said = {name: here.form.text(name) for name in (*(name for name, _, _ in FIELDS), "name", "group", "note")}
    statuses = [each for each in here.form.all("status") if each in STATUSES]
    search = _search(said, statuses)
    is_kept = here.form.text("wish") == "save"
    wrong = too_long(said) | _wrong(here, said, search, is_kept=is_kept)
    if is_kept and not wrong:
        return _saved(here, said, search)
    can_be_asked = search and not wrong.keys() & search.keys()
    found = _found(here, search) if can_be_asked else None
    return _form(here, said, statuses, wrong=wrong, status=422 if wrong else 200, found=found)


def _search(said: Mapping[str, str], statuses: list[str]) -> dict[str, str]:
    search = {name: said[name] for name in SEARCH_PARAMETERS if said.get(name)}
    return {**search, "filter.overallStatus": ",".join(statuses)} if statuses else search


def _wrong(here: Visit, said: Mapping[str, str], search: Mapping[str, str], *, is_kept: bool) -> dict[str, str]:
    """What is wrong, by field."""
    if not search:
        return {FIELDS[0][0]: "Fill in one of the fields: a search for everything would be the whole registry."}
    if not is_kept:
        return {}
    if not said["name"]:
        return {"name": "Give it a name: messages and subscriptions call it by that."}
    with here.database.read() as connection:
        taken = any(watch.name == said["name"] for watch in watches.listing(connection))
    if taken:
        return {"name": "Something that is watched has this name already."}
    try:
        names.check_watch(Wish(registry=REGISTRY, search={}, name=said["name"]), ())
    except InvalidValue as error:
        return {"name": f"{capitalised(error.problem)}."}
    return {}


def _found(here: Visit, search: Mapping[str, str]) -> Found:
    registry = asking_first.patient_registry(here.settings, here.database)
    try:
        return asking_first.of_search(registry, search)
    finally:
        registry.close()


def _saved(here: Visit, said: Mapping[str, str], search: dict[str, str]) -> Response:
    wish = Wish(
        registry=REGISTRY, search=search, name=said["name"], group=said["group"] or None, note=said["note"] or None
    )
    with here.database.write() as connection:
        watches.add(connection, wish, here.now)
    words = f"The search “{said['name']}” is watched. What it finds first is the starting point."
    return here.redirect("/watchlist", flash=words)


def _form(here: Visit, said: Mapping[str, str], statuses: Any, *, status: int = 200, **seen: Any) -> Response:
    with here.database.read() as connection:
        groups = watches.groups(connection)
    return here.page(
        "watchlist_search.html",
        status,
        fields=FIELDS,
        said={"name": "", "group": "", "note": "", **said},
        ticked=statuses,
        statuses=[(each, capitalised(status_words(each))) for each in STATUSES],
        groups=groups,
        many=MANY,
        **{"found": None, "wrong": {}, **seen},
    )


DOORS = (Door("/watchlist/search", access="signed-in", get=form, post=post, asks_others=("POST",)),)
