"""What differs in the next release: a quarter of a percent of the records, each in a way in which real ones do."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from tests.benchmarks.synthetic.shapes import shape
from tests.benchmarks.synthetic.studies import TODAY, Studies, dated, record_id
from tests.benchmarks.synthetic.wording import Wording

Json = Any
CHANGED, NEW = 0.0025, 0.00025
"""Shares of the records that differ, and that are new: 1,200 to 1,500 of the registry's 607,529 on a business day."""
OF_THE_OVER = 0.15
"""A record whose trial is over changes so much more rarely than one that is open."""
_NEXT = {"NOT_YET_RECRUITING": "RECRUITING", "RECRUITING": "ACTIVE_NOT_RECRUITING", "SUSPENDED": "RECRUITING",
         "ENROLLING_BY_INVITATION": "COMPLETED", "ACTIVE_NOT_RECRUITING": "COMPLETED"}  # fmt: skip
_encode = msgspec.json.encode


class Difference(Struct, frozen=True):
    """A release beside the one before: records that differ or are new (as bytes, by id), how many of each kind of
    edit, ids that are new, ids that are gone.
    """

    day: date
    studies: Mapping[str, bytes]
    kinds: Mapping[str, int]
    new: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def changed(self) -> int:
        """How many records were there before and differ."""
        return len(self.studies) - len(self.new)


def difference(studies: Studies, wording: Wording, count: int, day: date = TODAY + timedelta(days=1)) -> Difference:
    """What the release of `day` makes different of the first `count` records; the same at every call."""
    chance = random.Random(f"{count} {day}")
    edits = Edits(studies, wording, chance, day)
    moving = (nth for nth in chance.sample(range(count), count) if _moves(nth, chance))
    chosen = list(islice(moving, max(3, round(count * CHANGED))))
    found, kinds = {}, Counter[str]()
    for nth in chosen:
        study = studies.study(nth)
        kinds[edits.apply(study)] += 1
        found[record_id(nth)] = _encode(study)
    new = [record_id(count + more) for more in range(max(1, round(count * NEW)))]
    found |= {record: _encode(studies.study(count + more)) for more, record in enumerate(new)}
    untouched = (record_id(nth) for nth in range(count // 3, count) if record_id(nth) not in found)
    return Difference(day, found, dict(kinds), tuple(new), tuple(islice(untouched, 2 if count >= 10_000 else 1)))


def _moves(nth: int, chance: random.Random) -> bool:
    return shape(nth).status in _NEXT or chance.random() < OF_THE_OVER


class Edits:
    """Changes a record in place, in one of the ways that fit its status."""

    def __init__(self, studies: Studies, wording: Wording, chance: random.Random, day: date) -> None:
        self._studies = studies
        self._wording = wording
        self._chance = chance
        self._day = day
        self._of_open: dict[Callable[[Json], None], int] = {
            self._dates: 25, self._status: 20, self._sites: 25, self._enrolment: 10, self._criteria: 10,
            self._outcomes: 4, self._verified: 4, self._unknown: 2,
        }  # fmt: skip
        self._of_over: dict[Callable[[Json], None], int] = {
            self._verified: 30, self._reference: 20, self._enrolment: 15, self._criteria: 15, self._outcomes: 10,
            self._results: 10,
        }  # fmt: skip

    def apply(self, study: dict[str, Json]) -> str:
        """One edit, and the dates that come with it; its name."""
        status = study["protocolSection"]["statusModule"]["overallStatus"]
        kinds = self._of_open if status in _NEXT else self._of_over
        edit = self._chance.choices(list(kinds), list(kinds.values()))[0]
        edit(study)
        if edit != self._unknown:
            self._verified(study)
        return edit.__name__.strip("_")

    def _verified(self, study: Json) -> None:
        said = study["protocolSection"]["statusModule"]
        said["statusVerifiedDate"] = f"{self._day:%Y-%m}"
        said["lastUpdateSubmitDate"] = f"{self._day - timedelta(days=2)}"
        said["lastUpdatePostDateStruct"] = {"date": f"{self._day}", "type": "ESTIMATED"}

    def _dates(self, study: Json) -> None:
        end = self._day + timedelta(days=200 + int(self._chance.random() * 900))
        for name, later in (("primaryCompletionDateStruct", 0), ("completionDateStruct", 90)):
            moved = dated(end + timedelta(days=later), "ESTIMATED", self._chance)
            study["protocolSection"]["statusModule"][name] = moved

    def _status(self, study: Json) -> None:
        said = study["protocolSection"]["statusModule"]
        said["overallStatus"] = _NEXT[said["overallStatus"]]
        if said["overallStatus"] not in ("RECRUITING", "NOT_YET_RECRUITING"):
            contacts = study["protocolSection"]["contactsLocationsModule"]
            contacts.pop("centralContacts", None)
            for site in contacts.get("locations", []):
                site.pop("status", None)
                site.pop("contacts", None)

    def _sites(self, study: Json) -> None:
        """Some are new, one is gone, some change their status."""
        status = study["protocolSection"]["statusModule"]["overallStatus"]
        sites = study["protocolSection"]["contactsLocationsModule"].setdefault("locations", [])
        if len(sites) > 3:
            sites.pop(self._chance.randrange(len(sites)))
        for site in sites[:: self._chance.randint(2, 9)]:
            if "status" in site:
                site["status"] = "RECRUITING" if site["status"] == "NOT_YET_RECRUITING" else "COMPLETED"
        for _ in range(self._chance.choice((1, 1, 2, 5))):
            sites.insert(self._chance.randint(0, len(sites)), self._studies.site(self._chance, status))

    def _enrolment(self, study: Json) -> None:
        count = study["protocolSection"]["designModule"]["enrollmentInfo"]
        count["count"] = count["count"] + 1 + self._chance.randrange(60)

    def _criteria(self, study: Json) -> None:
        told = study["protocolSection"]["eligibilityModule"]
        lines = told["eligibilityCriteria"].split("\n")
        places = [at for at, line in enumerate(lines) if line.startswith("* ")]
        for at in self._chance.sample(places, min(len(places), self._chance.choice((1, 1, 2, 3)))):
            lines[at] = f"* {self._wording.text(self._chance, len(lines[at]) + 10)}"
        told["eligibilityCriteria"] = "\n".join(lines)

    def _outcomes(self, study: Json) -> None:
        outcomes = study["protocolSection"]["outcomesModule"]
        outcomes["secondaryOutcomes"].append(self._studies.outcome(self._chance, 300))

    def _unknown(self, study: Json) -> None:
        """The registry computes it: the sponsor did nothing."""
        said = study["protocolSection"]["statusModule"]
        said["lastKnownStatus"], said["overallStatus"] = said["overallStatus"], "UNKNOWN"

    def _reference(self, study: Json) -> None:
        found = study["protocolSection"].setdefault("referencesModule", {}).setdefault("references", [])
        found.append({"pmid": f"9{self._chance.randrange(10**7):07}", "type": "DERIVED",
                      "citation": self._wording.text(self._chance, 160)})  # fmt: skip

    def _results(self, study: Json) -> None:
        study["resultsSection"] = self._studies.results(self._chance, 12_000 + self._chance.randrange(50_000))
        study["hasResults"] = True
        said = study["protocolSection"]["statusModule"]
        said["resultsFirstSubmitDate"] = f"{self._day - timedelta(days=40)}"
        said["resultsFirstPostDateStruct"] = {"date": f"{self._day}", "type": "ACTUAL"}
