"""A database in which something happened: what tests of the API, of feeds and of calendars ask about."""

from typing import Any

from notifiers import outbox, watches
from notifiers.conditions import Conditions
from notifiers.subscriptions import Subscription
from notifiers.watches import Wish
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, Stage, lived_in_file, trial
from tests.registries import nct

FIRST, SECOND, HOSTILE = nct(1), nct(2), nct(3)
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\r\nBEGIN:VEVENT\r\n]]>&{{7*7}}\u202e\u2028;,\\"


def hostile(record: str, title: str = ATTACK, status: str = NOT_YET, day: str = "2026-03-01") -> dict[str, Any]:
    """A record whose every text is an attack."""
    made = trial(record, status, day, title=title, condition=ATTACK)
    protocol = made["protocolSection"]
    protocol["statusModule"]["completionDateStruct"] = {"date": "2027-05", "type": "ESTIMATED"}
    protocol["descriptionModule"] = {"briefSummary": ATTACK, "detailedDescription": ATTACK}
    protocol["eligibilityModule"] = {"eligibilityCriteria": ATTACK}
    protocol["sponsorCollaboratorsModule"] = {"leadSponsor": {"name": ATTACK, "class": "OTHER"}}
    for site in protocol["contactsLocationsModule"]["locations"]:
        site["facility"] = site["city"] = site["country"] = ATTACK
    return made


def planned(record: str, completion: str, status: str = NOT_YET, day: str = "2026-03-01") -> dict[str, Any]:
    """An invented record that plans its completion."""
    made = trial(record, status, day)
    made["protocolSection"]["statusModule"]["completionDateStruct"] = {"date": completion, "type": "ESTIMATED"}
    return made


def live(stage: Stage) -> None:
    """Three trials, one of them hostile; a group, a search's worth of subscriptions, deliveries, changes."""
    with stage.database.write() as connection:
        for record in (FIRST, SECOND, HOSTILE):
            watches.add(connection, Wish(registry="ctgov", record_id=record, group="kidney", note=ATTACK), stage.now)
        search = Wish(registry="ctgov", search={"query.cond": "Imaginary Fever"}, name="fever", group="searches")
        watches.add(connection, search, stage.now)
    stage.subscribe(Subscription(name="all", to=("mailto:alice@example.org", "https://hooks.example.org/trials")))
    sites = Conditions(kinds=("site.*",))
    stage.subscribe(Subscription(name="sites", to=("mailto:bob@example.org",), when=sites))
    stage.day(DAYS[0], planned(FIRST, "2026-12-15"), planned(SECOND, "2027-01"), hostile(HOSTILE))
    stage.day(
        DAYS[1],
        planned(FIRST, "2027-03-31", RECRUITING, DAYS[1]),
        planned(SECOND, "2027-01"),
        hostile(HOSTILE, f"New {ATTACK}", RECRUITING, DAYS[1]),
    )
    stage.day(
        DAYS[2],
        planned(FIRST, "2027-03-31", RECRUITING, DAYS[1]),
        planned(SECOND, "2027-04", RECRUITING, DAYS[2]),
        hostile(HOSTILE, f"New {ATTACK}", RECRUITING, DAYS[1]),
    )
    with stage.database.write() as connection:
        outbox.enqueue_test(connection, "all", stage.now)


lived_in = lived_in_file(live)
