"""Ten changes of invented trials, told as the whole way tells them: records compared, changes worded, mails laid out.

`python -m tests.notifiers.ten_mails FOLDER` writes the mails; those in `tests/fixtures/mails` were read and judged.
"""

import copy
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.demo.trials import contact, first_day, site
from notifiers.conditions import Conditions, Near, Place
from notifiers.for_the_reader import as_severe_as_asked, distances
from notifiers.message import Message, News, Why, facts_of
from notifiers.outbox.loading import ToldBecause
from notifiers.rendering import Rendered, render
from snapshots.archive import Step, StoredChange
from snapshots.changes import Change
from snapshots.kinds import KINDS
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between

Record = dict[str, Any]
SEEN = datetime(2026, 3, 4, 9, 12, tzinfo=UTC)
BASE = "https://trials.example.org"
ROOT = Path(__file__).parent.parent / "fixtures" / "mails"


def record(number: int) -> Record:
    """An invented trial of the demonstration, to be changed."""
    return copy.deepcopy(first_day()[number])


def sites(of: Record) -> list[Record]:
    return of["protocolSection"]["contactsLocationsModule"].setdefault("locations", [])  # type: ignore[no-any-return]


def status(of: Record) -> Record:
    return of["protocolSection"]["statusModule"]  # type: ignore[no-any-return]


def mail(before: Record, after: Record, why: str = "", near: Near | None = None, **more: Any) -> Message:
    """The message that tells the difference of two records."""
    old, new = (parse(json.dumps(one).encode()) for one in (before, after))
    return told(list(changes_between(old, new)), new, why, near, **more)


def told(changes: list[Change], trial: Any, why: str = "", near: Near | None = None, **more: Any) -> Message:
    stored = tuple(StoredChange(number, one) for number, one in enumerate(changes, 1))
    because = (ToldBecause(name="my-trials", wanted=frozenset(one.id for one in stored), near=near),)
    is_near = distances(stored, because)
    step = Step(
        id=1,
        registry="ctgov",
        registry_id=trial.id,
        title=trial.title,
        from_version=1,
        to_version=2,
        release="2026-03-04T09:00:05",
        observed_at=SEEN,
        cause=more.pop("cause", "observed"),
        changes=stored,
    )
    news = News(
        step=step,
        url=f"https://clinicaltrials.gov/study/{trial.id}",
        changes=as_severe_as_asked(stored, because, lambda: trial),
        by_place=frozenset(is_near),
        distances=is_near,
        facts=facts_of(trial, stored),
    )
    given: dict[str, Any] = {
        "delivery_id": "dlv_0190aa",
        "type": "trial.changed",
        "created": SEEN,
        "subscriptions": (Why("my-trials", why),),
        "news": (news,),
        "archive_head": "3f9c01ab77de",
        "base_url": BASE,
        "unsubscribe_url": f"{BASE}/unsubscribe/dlv_0190aa.c2lnbmVk",
        "acknowledge_url": f"{BASE}/acknowledge/dlv_0190aa.c2lnbmVk",
    }
    return Message(**{**given, **more})


def site_recruiting() -> Message:
    before = record(0)
    jade = site("Jade Gate Hospital", "Beijing", "China", (40.0, 116.5), status="NOT_YET_RECRUITING", zip="102218",
                contacts=[contact("Jun Lee", 42)])  # fmt: skip
    sites(before).append(jade)
    after = copy.deepcopy(before)
    sites(after)[-1]["status"] = "RECRUITING"
    near = Near(place=Place(latitude=39.9075, longitude=116.397, name="Beijing"), km=50)
    from notifiers.filters import in_words

    return mail(before, after, in_words(Conditions(kinds=("site.*",), near=near)), near)


def terminated() -> Message:
    before = record(2)
    after = copy.deepcopy(before)
    status(after).update({"overallStatus": "TERMINATED", "whyStopped": "Slow enrollment; the sponsor decided to stop."})
    for each in sites(after):
        each["status"] = "TERMINATED"
    return mail(before, after)


def date_slipped() -> Message:
    before = record(1)
    after = copy.deepcopy(before)
    status(after)["primaryCompletionDateStruct"] = {"date": "2029-05", "type": "ESTIMATED"}
    return mail(before, after, "dates that move by more than 90 days")


def results_posted() -> Message:
    before = record(3)
    after = copy.deepcopy(before)
    after["hasResults"] = True
    after["resultsSection"] = {
        "participantFlowModule": {"groups": [{"id": "FG000", "title": "Coaching"}]},
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {"type": "PRIMARY", "title": "Asthma control", "timeFrame": "6 months", "paramType": "MEAN"}
            ]
        },
    }
    status(after)["resultsFirstPostDateStruct"] = {"date": "2026-03-03", "type": "ACTUAL"}
    return mail(before, after)


def eligibility_reworded() -> Message:
    before = record(1)
    module = before["protocolSection"]["eligibilityModule"]
    module["eligibilityCriteria"] = (
        "Inclusion Criteria:\n\n* Adults with heart failure for at least 6 months\n* Left ventricular ejection fraction"
        " of 40 % or less at screening\n\nExclusion Criteria:\n\n* Stroke within the last 6 months\n* Pregnancy"
    )
    after = copy.deepcopy(before)
    text = module["eligibilityCriteria"]
    text = text.replace("40 % or less", "45 % or less").replace("* Pregnancy", "* Pregnancy\n* Dialysis")
    after["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] = text
    return mail(before, after)


def arm_dropped() -> Message:
    before = record(2)
    module = before["protocolSection"].setdefault("armsInterventionsModule", {})
    module["armGroups"] = [
        {"label": "Low dose", "type": "EXPERIMENTAL", "description": "10 mg once a day",
         "interventionNames": ["Drug: Examplinib"]},
        {"label": "High dose", "type": "EXPERIMENTAL", "description": "40 mg once a day",
         "interventionNames": ["Drug: Examplinib"]},
    ]  # fmt: skip
    module["interventions"] = [{"type": "DRUG", "name": "Examplinib", "armGroupLabels": ["Low dose", "High dose"]}]
    after = copy.deepcopy(before)
    kept = after["protocolSection"]["armsInterventionsModule"]
    kept["armGroups"] = kept["armGroups"][:1]
    kept["interventions"][0]["armGroupLabels"] = ["Low dose"]
    return mail(before, after)


def outcome_changed() -> Message:
    before = record(0)
    module = before["protocolSection"]["outcomesModule"]
    module["primaryOutcomes"] = [
        {"measure": "Change in kidney function (eGFR)", "description": "By the CKD-EPI equation.",
         "timeFrame": "Baseline to 12 months"}
    ]  # fmt: skip
    after = copy.deepcopy(before)
    after["protocolSection"]["outcomesModule"]["primaryOutcomes"][0]["timeFrame"] = "Baseline to 6 months"
    return mail(before, after)


def many_sites() -> Message:
    before = record(2)
    sites(before)[:] = [
        site(f"Example Hospital {number}", city, "Germany", (52.5, 13.4), status="NOT_YET_RECRUITING")
        for number, city in enumerate(["Berlin", "Hamburg", "Leipzig", "Bremen", "Kiel", "Ulm", "Jena", "Mainz"], 1)
    ]
    after = copy.deepcopy(before)
    for each in sites(after):
        each["status"] = "RECRUITING"
    return mail(before, after, "in Germany")


def first_member() -> Message:
    new = parse(json.dumps(record(0)).encode())
    known = KINDS["record.matched"]
    found = Change(
        kind=known.name,
        severity=known.severity,
        label=known.label,
        summary=f"The saved search “kidney-search” finds {new.title} (recruiting; 3 sites)",
        after={"status": "RECRUITING", "sites": [{"facility": one.facility} for one in new.sites]},
        subject={"type": "search", "name": "kidney-search"},
    )
    return told([found], new, type="search.changed", cause="search")


def withdrawn() -> Message:
    before = record(5)
    after = copy.deepcopy(before)
    status(after).update({"overallStatus": "WITHDRAWN", "whyStopped": "No funding"})
    after["protocolSection"]["designModule"]["enrollmentInfo"] = {"count": 0, "type": "ACTUAL"}
    sites(after).clear()
    return mail(before, after)


TEN: dict[str, Callable[[], Message]] = {
    made.__name__: made
    for made in (
        site_recruiting, terminated, date_slipped, results_posted, eligibility_reworded, arm_dropped, outcome_changed,
        many_sites, first_member, withdrawn,
    )
}  # fmt: skip


def write(folder: Path) -> None:
    """The mails as files: subject and text, and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in TEN.items():
        rendered = render(made())
        (folder / f"{name}.txt").write_text(as_text(rendered), encoding="utf-8")
        (folder / f"{name}.html").write_text(rendered.html, encoding="utf-8")


def as_text(rendered: Rendered) -> str:
    return f"Subject: {rendered.subject}\n\n{rendered.text}"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
