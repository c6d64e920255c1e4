"""An invented message of every type, for who writes templates: what is in it, and how it looks."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from msgspec.structs import replace

from notifiers.message import Action, Coverage, Distance, Facts, Message, News, Type, Why
from snapshots.archive import Step, StoredChange
from snapshots.changes import Cause, Change
from snapshots.kinds import KINDS
from snapshots.trial import Contact

TYPES: tuple[str, ...] = get_args(Type)

_SEEN = datetime(2026, 3, 4, 9, 12, tzinfo=UTC)
_TRIAL, _OTHER = "NCT99000101", "NCT99000103"
_STATUS_PATH = "protocolSection.statusModule.overallStatus"
_LEE = Contact(name="Dr. Jun Lee", role="CONTACT", phone="+1 206-555-0142", email="jun.lee@example.org")
_DESK = Contact(name="Study desk", role="CONTACT", phone="+1 206-555-0100", email="desk@example.org")


def example(kind: str) -> Message:
    """The message of that type. Raises KeyError for a type that there is none of."""
    if kind not in TYPES:
        raise KeyError(kind)
    if kind in ("trial.changed", "search.changed"):
        return _message(kind, news=(_news(*(_changes() if kind == "trial.changed" else _found())),))
    if kind in ("digest", "summary"):
        return _message(kind, news=(_news(*_changes()), _news(_DELAYED, record=_OTHER)), coverage=_COVERAGE)
    title, notice = _NOTICES.get(kind, ("An example", "An example of a notice."))
    told = _message(kind, title=title, notice=notice)
    if kind == "operator.notice":  # these two come for no subscription
        return replace(told, subscriptions=(), unsubscribe_url=None)
    if kind == "confirmation":
        page = Action("Open the page to say yes or no", "https://trials.example.org/confirm/example")
        return replace(told, subscriptions=(), unsubscribe_url=None, archive_head=None, action=page)
    return told


def _message(kind: str, **given: Any) -> Message:
    return Message(
        delivery_id="dlv_example",
        type=kind,  # type: ignore[arg-type]  # asked for among the types
        created=_SEEN,
        subscriptions=(Why("beijing-sites", "all about sites; within 50 km of Beijing"),),
        archive_head="3f9c01ab77de",
        base_url="https://trials.example.org",
        unsubscribe_url="https://trials.example.org/unsubscribe/example",
        acknowledge_url="https://trials.example.org/acknowledge/example",
        **given,
    )


def _change(kind: str, summary: str, **more: Any) -> Change:
    known = KINDS[kind]
    return Change(kind=kind, severity=known.severity, label=known.label, summary=summary, **more)


_SITE = {
    "type": "site",
    "name": "Jade Gate Hospital",
    "city": "Beijing",
    "state": "Beijing Municipality",
    "zip": "102218",
    "country": "China",
    "latitude": 40.0,
    "longitude": 116.4,
}
_DELAYED = _change(
    "primary_completion_date.delayed",
    "Primary completion is delayed by 459 days (about 15 months), from 30 June 2027 to 1 October 2028",
    before={"date": "2027-06-30", "type": "ESTIMATED"},
    after={"date": "2028-10-01", "type": "ESTIMATED"},
)


def _changes() -> tuple[Change, ...]:
    opened = _change(
        "recruitment.opened",
        "The study is now recruiting (was: not yet recruiting)",
        before="NOT_YET_RECRUITING",
        after="RECRUITING",
        path=_STATUS_PATH,
    )
    site = _change(
        "site.recruiting",
        "Jade Gate Hospital, Beijing, China is now recruiting (was: not yet recruiting)",
        subject=_SITE,
        before="NOT_YET_RECRUITING",
        after="RECRUITING",
        path="protocolSection.contactsLocationsModule.locations[0].status",
        cause=Cause("recruitment.opened", None, _STATUS_PATH),
    )
    criteria = _change(
        "eligibility.criteria_changed",
        "Eligibility criteria changed: 1 reworded, 1 added",
        before={"inclusion": {"removed": [], "reworded": ["eGFR 30 to 60 mL/min at screening"]}},
        after={
            "inclusion": {"added": [], "reworded": ["eGFR 25 to 60 mL/min at screening"]},
            "exclusion": {"added": ["Dialysis within the last 3 months"], "reworded": []},
        },
    )
    return site, opened, criteria, _DELAYED


def _found() -> tuple[Change, ...]:
    kind = KINDS["record.matched"]
    subject = {"type": "search", "name": "dkd-search"}
    return (_change(kind.name, "The search “dkd-search” now finds this trial", subject=subject),)


def _news(*changes: Change, record: str = _TRIAL) -> News:
    stored = tuple(StoredChange(number, one) for number, one in enumerate(changes, 1))
    step = Step(
        id=1,
        registry="ctgov",
        registry_id=record,
        title="Mesenchymal Stromal Cells in Adults With Diabetic Kidney Disease",
        from_version=41,
        to_version=57,
        release="2026-03-04T09:00:05",
        observed_at=_SEEN,
        cause="observed",
        changes=stored,
    )
    sites = [one.id for one in stored if one.change.subject == _SITE]
    facts = Facts(
        status="RECRUITING",
        minimum_age="18 Years",
        maximum_age="75 Years",
        sex="ALL",
        healthy_volunteers=False,
        contacts=(_DESK,),
        site_contacts=dict.fromkeys(sites, (_LEE,)),
    )
    return News(
        step=step,
        url=f"https://clinicaltrials.gov/study/{record}",
        changes=stored,
        by_place=frozenset(sites),
        distances=dict.fromkeys(sites, Distance(12.3, "Beijing")),
        facts=facts,
    )


_COVERAGE = Coverage(
    since=_SEEN - timedelta(days=7),
    until=_SEEN,
    watched=412,
    last_checked=_SEEN,
    release="2026-03-04T09:00:05",
    unchecked=(("NCT99000109", "the registry did not answer"),),
)
_NOTICES = {
    "registry.notice": (
        "40 records changed alike",
        "40 records changed in the same way: the registry reformatted them.",
    ),
    "operator.notice": ("The registry does not answer", "ClinicalTrials.gov has not answered since yesterday."),
    "confirmation": (
        "Do you want these messages about clinical trials?",
        "Somebody asked trialdelta to tell you@example.org when clinical trials that they follow change"
        " (beijing-sites).\n\nUntil you say yes, nothing else is sent to you.",
    ),
    "standing": ("Today for beijing-sites", "5 sites recruit already, 1 within 50 km of Beijing: Jade Gate Hospital."),
    "test": ("Test message", "This is a test: messages of trialdelta reach this address."),
}
