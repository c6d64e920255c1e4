"""What differences obey: none between a record and itself, nothing swallowed, each way told each time."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots.canonical import age_key, enum_key, interval, label_key, name_key, text_key
from snapshots.changes import Change
from snapshots.rules import changes_between
from snapshots.trial import Outcome, PartialDate, Trial
from tests.campaigns import records
from tests.snapshots.vocabulary.cases import Case, Edit
from tests.snapshots.vocabulary.test_vocabulary import CASES
from tests.snapshots.whole_record import read, told, whole

Json = Any
Cases = list[Case]


TOGETHER = {
    "outcomesModule": "what one list of outcomes loses another one gains",
    "armsInterventionsModule": "arms and interventions echo each other",
    "violation": "the notices and the mark of a violation are one entry",
    "fdaaa801Violation": "the notices and the mark of a violation are one entry",
    "unposted": "a submission event is told once, wherever it stands",
    "submissionTracking": "a submission event is told once, wherever it stands",
    "annotationSection": "a submission event is told once, wherever it stands",
    "miscInfoModule": "a submission event is told once, wherever it stands",
    "esults": "results, their mark and their section",
    "dispFirst": "a certificate of delay is told once, by either of its dates",
}
"""Parts of a field's place, and why the fields that have them are edited by one case at a time."""


def regions(case: Case) -> set[str]:
    """The fields of the record that a case edits, so that two cases can be kept apart."""
    fields = {".".join(place.partition("[")[0].split(".")[:3]) for place, _ in (*case.was, *case.now)}
    return {next((why for part, why in TOGETHER.items() if part in field), field) for field in fields}


def apart(one: Case, other: Case) -> bool:
    """Whether neither edits a field of the other, or what holds one."""
    return not any(
        mine.startswith(theirs) or theirs.startswith(mine) for mine in regions(one) for theirs in regions(other)
    )


@st.composite
def combinations(draw: st.DrawFn) -> Cases:
    """One to six cases of the vocabulary that touch different fields of the record."""
    chosen: Cases = []
    for case in draw(st.lists(st.sampled_from(CASES), min_size=1, max_size=6)):
        if all(apart(case, other) for other in chosen):
            chosen.append(case)
    return chosen


def sides(chosen: Cases) -> tuple[dict[str, Json], dict[str, Json]]:
    was: list[Edit] = [edit for case in chosen for edit in case.was]
    return whole(*was), whole(*was, *(edit for case in chosen for edit in case.now))


@given(combinations())
def test_a_record_differs_from_itself_in_nothing(chosen: Cases) -> None:
    for side in sides(chosen):
        assert told(side, side) == []


@given(combinations())
@settings(max_examples=200)
def test_edits_that_come_together_are_all_told(chosen: Cases) -> None:
    kinds = Counter(change.kind for change in told(*sides(chosen)))

    wanted = Counter(case.kind for case in chosen if case.kind != "record.verified")
    # a site that closes or stops with its study may have another kind of status change than it has alone
    missing = [kind for kind in wanted - kinds if not kind.startswith("site.")]
    assert missing == []
    assert sum(kinds.values()) >= sum(wanted.values())


@given(combinations())
def test_there_and_back_and_there_again_speaks_three_times(chosen: Cases) -> None:
    a, b = sides(chosen)

    there, back, again = told(a, b), told(b, a), told(a, b)

    assert there
    assert back
    assert again == there


# --- nothing is swallowed: the changes, applied to what the older record said, give what the newer one says -----------


def date_said(date: PartialDate | None) -> Json:
    if date is None:
        return None
    days = interval(date.date)
    return (days or date.date, enum_key(date.type) == "ACTUAL")


SINGLE = {
    "overall_status": lambda trial: enum_key(trial.overall_status),
    "start_date": lambda trial: date_said(trial.start_date),
    "primary_completion_date": lambda trial: date_said(trial.primary_completion_date),
    "completion_date": lambda trial: date_said(trial.completion_date),
    "has_results": lambda trial: bool(trial.has_results),
    "study_type": lambda trial: enum_key(trial.study_type),
    "phases": lambda trial: frozenset(map(enum_key, trial.phases)),
    "sex": lambda trial: enum_key(trial.sex),
    "healthy_volunteers": lambda trial: trial.healthy_volunteers,
    "minimum_age": lambda trial: age_key(trial.minimum_age),
    "maximum_age": lambda trial: age_key(trial.maximum_age),
    "lead_sponsor": lambda trial: name_key(trial.lead_sponsor.name) if trial.lead_sponsor else "",
    "organization": lambda trial: name_key(trial.organization.name) if trial.organization else "",
    "brief_title": lambda trial: text_key(trial.brief_title),
    "official_title": lambda trial: text_key(trial.official_title),
    "acronym": lambda trial: text_key(trial.acronym),
    "brief_summary": lambda trial: text_key(trial.brief_summary),
    "detailed_description": lambda trial: text_key(trial.detailed_description),
    "why_stopped": lambda trial: text_key(trial.why_stopped),
    "keywords": lambda trial: frozenset(map(label_key, trial.keywords)),
}
"""What a record says in one place, by the attribute."""
AS_SAID = {
    **dict.fromkeys(("overall_status", "study_type", "sex"), enum_key),
    **dict.fromkeys(
        ("start_date", "primary_completion_date", "completion_date"),
        lambda value: None if value is None else date_said(PartialDate(value["date"], value["type"])),
    ),
    "phases": lambda value: frozenset(map(enum_key, value)),
    "keywords": lambda value: frozenset(map(label_key, value)),
    **dict.fromkeys(("minimum_age", "maximum_age"), age_key),
    **dict.fromkeys(("lead_sponsor", "organization"), name_key),
    **dict.fromkeys(
        ("brief_title", "official_title", "acronym", "brief_summary", "detailed_description", "why_stopped"), text_key
    ),
}
"""How the `before` or `after` of a change puts the same."""


def every_outcome(trial: Trial) -> list[Outcome]:
    return [*trial.primary_outcomes, *trial.secondary_outcomes, *trial.other_outcomes]


LISTS = {
    "conditions": ("condition", lambda trial: map(label_key, trial.conditions), label_key),
    "collaborators": ("collaborator", lambda trial: (name_key(each.name) for each in trial.collaborators), name_key),
    "arms": ("arm", lambda trial: (label_key(each.label) for each in trial.arms), label_key),
    "interventions": ("intervention", lambda trial: (label_key(each.name) for each in trial.interventions), label_key),
    "identifiers": ("identifier", lambda trial: (name_key(each.id) for each in trial.identifiers), name_key),
    "countries": ("country", lambda trial: map(name_key, trial.countries), name_key),
    "outcomes": ("outcome", lambda trial: (label_key(each.measure) for each in every_outcome(trial)), label_key),
    "sites": ("site", lambda trial: (name_key(each.facility) for each in trial.sites), name_key),
}


def place_of(attribute: str, trial: Trial) -> str:
    suffix = ".name" if attribute == "lead_sponsor" else ""
    return trial.path(attribute, field="name") if suffix or attribute == "organization" else trial.path(attribute)


def applied_singles(old: Trial, new: Trial, changes: tuple[Change, ...]) -> dict[str, Json]:
    said = {attribute: tell(old) for attribute, tell in SINGLE.items()}
    for change in changes:
        if change.kind == "eligibility.age_changed" and isinstance(change.after, dict):
            said["minimum_age"] = age_key(change.after["minimumAge"])
            said["maximum_age"] = age_key(change.after["maximumAge"])
        if change.kind == "record.changed" and {type(change.before), type(change.after)} & {int, float}:
            continue  # a number where a title should be stands in no attribute, and is told as it stands
        for attribute in SINGLE:
            if change.path == place_of(attribute, new):
                assert AS_SAID.get(attribute, lambda value: value)(change.before) == said[attribute]
                said[attribute] = AS_SAID.get(attribute, lambda value: value)(change.after)
    # a reason for stopping that comes with a new status is told in that change's summary
    if any(change.path == new.path("overall_status") for change in changes):
        said["why_stopped"] = text_key(new.why_stopped)
    return said


def applied_list(attribute: str, old: Trial, changes: tuple[Change, ...]) -> Counter[str]:
    subject, tell, key = LISTS[attribute]
    said = Counter(tell(old))
    for change in changes:
        if not change.subject or change.subject["type"] != subject:
            continue
        name = key(change.subject["name"] if change.subject["name"] != "Unnamed site" else None)
        if change.kind.endswith(".removed"):
            said[name] -= 1
        elif change.kind.endswith(".added") or (subject == "site" and is_new(change)):
            said[name] += 1
        elif change.kind == "site.renamed" or (
            change.kind.endswith((".changed", ".reworded")) and is_relabelled(change, key)
        ):
            said[key(change.before)] -= 1
            said[key(change.after)] += 1
    return +said


def is_new(change: Change) -> bool:
    """Whether a site's change tells of a site that was not listed."""
    return change.before is None and change.kind != "site.moved" and (change.path or "").endswith("]")


def is_relabelled(change: Change, key: Any) -> bool:
    return (
        isinstance(change.before, str)
        and isinstance(change.after, str)
        and bool(change.subject)
        and key(change.after) == key(change.subject["name"])
        and key(change.before) != key(change.after)
    )


def site_statuses(trial: Trial) -> dict[str, str | None]:
    """The status of every site whose name no other site has; not yet recruiting and none are one."""
    names = Counter(name_key(site.facility) for site in trial.sites)
    statuses = {name_key(site.facility): enum_key(site.status) for site in trial.sites}
    return {
        name: None if status == "NOT_YET_RECRUITING" else status
        for name, status in statuses.items()
        if names[name] == 1
    }


def applied_statuses(old: Trial, changes: tuple[Change, ...]) -> dict[str, str | None]:
    said = site_statuses(old)
    about_sites = [change for change in changes if change.subject and change.subject["type"] == "site"]
    for change in sorted(about_sites, key=lambda change: change.kind != "site.renamed"):
        name = name_key(change.subject["name"])  # type: ignore[index]
        if change.kind == "site.renamed":
            said[name] = said.pop(name_key(change.before), None)
        elif (change.path or "").endswith(".status") or (is_new(change) and change.kind != "site.added"):
            after = enum_key(change.after)
            said[name] = None if after == "NOT_YET_RECRUITING" else after
        elif change.kind == "site.added":
            said.pop(name, None)  # its status stands in the sentence alone
    return said


def assert_nothing_is_swallowed(old: Trial, new: Trial) -> None:
    changes = changes_between(old, new)

    assert applied_singles(old, new, changes) == {attribute: tell(new) for attribute, tell in SINGLE.items()}
    statuses, wanted_statuses = applied_statuses(old, changes), site_statuses(new)
    both = statuses.keys() & wanted_statuses.keys()
    assert {name: statuses[name] for name in both} == {name: wanted_statuses[name] for name in both}
    for attribute, (_, tell, _) in LISTS.items():
        if attribute != "countries" or (old.sites and new.sites):
            wanted = Counter(tell(new))
            wanted = Counter(set(wanted)) if attribute in ("conditions", "countries") else wanted
            assert applied_list(attribute, old, changes) == wanted, attribute


@given(combinations(), st.booleans())
@settings(max_examples=200)
def test_what_is_told_applied_to_the_older_record_gives_the_newer_one(chosen: Cases, back: bool) -> None:
    a, b = sides(chosen)

    assert_nothing_is_swallowed(*((read(b), read(a)) if back else (read(a), read(b))))


def test_the_same_holds_between_the_invented_records() -> None:
    read_records = [read(each) for each in records.invented().values()]

    for one in read_records:
        for other in read_records:
            assert_nothing_is_swallowed(one, other)
