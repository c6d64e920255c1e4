"""How the installation stands, for people: what is behind, failing or switched off, what to do, and its settings."""

from starlette.responses import Response

from monitor import doctor
from monitor.doctor import Finding
from monitor.health import health
from monitor.settings import in_force
from monitor.web import cursor
from monitor.web.doors import Door, navigation
from monitor.web.numbers import RowNumber, row_number
from monitor.web.problems import Problem
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from snapshots import archive

SWEEPS = 15
EXCEPTIONS = 50
ELSEWHERE = ("record", "address", "settings")
"""Findings that stand in a section of their own here, and notes on the environment of this process alone."""
ORDER = {"failure": 0, "note": 1, "ok": 2}
VERDICTS = {"failure": "needs you", "note": "to know", "ok": "well"}
TITLES = {
    "base url": "Links in messages",
    "mail": "Mail",
    "watches": "What is watched",
    "last sweep": "The newest sweep",
    "last confirmed": "Last confirmed",
    "past versions": "Past versions",
    "deliveries": "Deliveries",
    "operator": "Who hears of trouble",
    "schedule": "The schedule",
    "registry": "The registry",
    "digest": "A digest",
    "disk": "The disk",
    "daemons": "The daemons",
    "archive": "The archive",
    "subscription": "A subscription",
    "clock": "The clock",
    "database": "The database",
    "templates": "Templates",
    "record": "A trial",
    "address": "An address",
}
WHERE = {
    "base url": ("/settings", "The settings"),
    "mail": ("/settings", "The settings"),
    "operator": ("/settings", "The settings"),
    "watches": ("/watchlist", "The watchlist"),
    "deliveries": ("/deliveries?state=pending", "What waits to be sent"),
    "digest": ("/deliveries?type=digest", "The digests"),
    "address": ("/addresses", "The addresses"),
    "templates": ("/templates", "The templates"),
}
"""Where on this site something can be done about a finding."""


def show(here: Visit) -> Response:
    """The page, from the tables alone: it asks nobody else."""
    return _page(here, None)


def check(here: Visit) -> Response:
    """The same after every check was made: the mail server and the registry are asked, and templates tried."""
    return _page(here, list(doctor.examine(here.settings, here.now)))


def _page(here: Visit, checked: list[Finding] | None) -> Response:
    before = cursor.decode(here.query["after"], RowNumber)[0] if here.query.get("after") else None
    with here.database.read() as connection:
        stands = health(connection, REGISTRY, here.now)
        sweeps = archive.recent_sweeps(connection, REGISTRY, SWEEPS + 1, before)
    found = checked or list(doctor.examine_tables(here.database, here.settings, here.now, stands))
    older = here.link("/health", after=cursor.encode(sweeps[SWEEPS - 1][0].id)) if sweeps[SWEEPS:] else None
    ordered = sorted((each for each in found if each.check not in ELSEWHERE), key=lambda each: ORDER[each.verdict])
    return here.page(
        "health.html",
        findings=ordered,
        sentence=_sentence,
        is_checked=checked is not None,
        stands=stands,
        exceptions=stands.exceptions[:EXCEPTIONS],
        sweeps=sweeps[:SWEEPS],
        older=older,
        failing=_failing(ordered, len(stands.exceptions), len(stands.addresses_off)),
        verdicts=VERDICTS,
        titles=TITLES,
        where=_ways(),
    )


def _sentence(words: str) -> str:
    """With a capital letter where it begins with a word of ours."""
    first, _, rest = words.partition(" ")
    return f"{first.capitalize()} {rest}" if first.isalpha() and first.islower() else words


def _failing(found: list[Finding], exceptions: int, off: int) -> int:
    return sum(each.verdict == "failure" for each in found) + exceptions + off


def _ways() -> dict[str, tuple[str, str]]:
    """The ways that lead somewhere."""
    shown = {path for path, _ in navigation()} | {"/settings", "/addresses", "/templates"}
    return {check: (path, words) for check, (path, words) in WHERE.items() if path.partition("?")[0] in shown}


def sweep(here: Visit) -> Response:
    """One sweep, and what it asked for in vain."""
    text = here.params["number"]
    number = row_number(text) or 0
    after = cursor.decode(here.query["after"], str)[0] if here.query.get("after") else ""
    with here.database.read() as connection:
        found = archive.find_sweep(connection, number)
        if found is None:
            raise Problem(404, "There is no such sweep", "The page on health lists the newest.")
        unanswered = archive.unanswered(connection, number, EXCEPTIONS + 1, after)
    shown = unanswered[:EXCEPTIONS]
    older = None
    if unanswered[EXCEPTIONS:]:
        older = here.link(f"/health/sweeps/{number}", after=cursor.encode(shown[-1].registry_id))
    return here.page("sweep.html", sweep=found, unanswered=shown, older=older)


def settings(here: Visit) -> Response:
    """Every setting in force, secrets masked."""
    return here.page("settings.html", found=in_force(here.settings))


DOORS = (
    Door("/health", access="signed-in", get=show, post=check, readers_may_post=True, asks_others=("POST",)),
    Door("/health/sweeps/{number}", access="signed-in", get=sweep),
    Door("/settings", access="signed-in", get=settings),
)
