"""The vocabulary of change: the product's public language.

Kinds are stored by value and appear in filters, webhooks, exports and templates: they are never renamed.
"""

from typing import Literal

from msgspec import Struct

RULES_VERSION = 1
"""Version of the rules that turn two versions into changes; stored with every change."""

Severity = Literal["critical", "major", "minor", "admin"]
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "admin")
"""Most severe first: critical (somebody acts today), major (meaning, timeline or integrity of the trial), minor
(real, routine), admin (bookkeeping)."""


class Kind(Struct, frozen=True):
    """One kind of change: its name, the words it is told with, its usual severity, its family, and what it means."""

    name: str
    label: str
    severity: Severity
    family: str
    meaning: str


def _family(family: str, *kinds: tuple[str, str, Severity, str]) -> list[Kind]:
    return [Kind(name, label, severity, family, meaning) for name, label, severity, meaning in kinds]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *_family(
            "Recruitment status",
            (
                "recruitment.opened",
                "Enrollment opened",
                "critical",
                "not yet recruiting (or no status) → recruiting or enrolling by invitation",
            ),
            (
                "recruitment.resumed",
                "Enrollment resumed",
                "critical",
                "suspended, active not recruiting or completed → recruiting or enrolling by invitation",
            ),
            (
                "recruitment.invitation_only",
                "Enrolling by invitation only",
                "major",
                "recruiting → enrolling by invitation",
            ),
            (
                "recruitment.public",
                "Enrollment opened to the public",
                "critical",
                "enrolling by invitation → recruiting",
            ),
            (
                "recruitment.closed",
                "Enrollment closed",
                "major",
                "recruiting, enrolling by invitation or not yet recruiting → active, not recruiting",
            ),
            (
                "recruitment.not_yet",
                "Back to not yet recruiting",
                "minor",
                "recruiting or enrolling by invitation → not yet recruiting",
            ),
            ("study.completed", "Study completed", "major", "any status but terminated or withdrawn → completed"),
            ("study.suspended", "Study suspended", "critical", "any status → suspended"),
            ("study.terminated", "Study terminated", "critical", "any status → terminated"),
            ("study.withdrawn", "Study withdrawn", "critical", "any status → withdrawn: nobody was enrolled"),
            ("study.stop_reversed", "Stop reversed", "critical", "terminated or withdrawn → anything but a stop"),
            (
                "status.unknown",
                "Status unknown",
                "minor",
                "any status → unknown: computed by the registry from passing time, the sponsor did nothing",
            ),
            ("status.reverified", "Status verified again", "minor", "unknown → the status last known before"),
            (
                "status.changed",
                "Status changed",
                "major",
                "any other pair of statuses, also ones this program has never heard of",
            ),
            (
                "why_stopped.changed",
                "Reason for stopping changed",
                "minor",
                "the reason for stopping differs while the status stands still",
            ),
            (
                "expanded_access.changed",
                "Expanded access changed",
                "major",
                "expanded access, or an expanded-access study's status, differs",
            ),
            ("record.withheld", "Record withheld", "major", "any status → withheld"),
            ("record.released", "Record released", "major", "withheld → any status"),
        ),
        *_family(
            "Sites",
            (
                "site.recruiting",
                "Site recruiting",
                "critical",
                "a site recruits now, or a newly listed site already does",
            ),
            (
                "site.invitation_only",
                "Site enrolling by invitation",
                "major",
                "a site enrolls by invitation now, listed or newly listed",
            ),
            (
                "site.closed",
                "Site closed to enrollment",
                "major",
                "an open site is active, not recruiting or completed now, or lost its status with the study",
            ),
            (
                "site.suspended",
                "Site suspended",
                "major",
                "a site is suspended now, or an open one lost its status because the study was",
            ),
            (
                "site.terminated",
                "Site terminated",
                "major",
                "a site is terminated now, or an open one lost its status because the study was",
            ),
            (
                "site.withdrawn",
                "Site withdrawn",
                "major",
                "a site is withdrawn now, or an open one lost its status because the study was",
            ),
            (
                "site.status_changed",
                "Site status changed",
                "minor",
                "any other change of a site's status, but none between not yet recruiting and no status at all",
            ),
            ("site.added", "Site added", "minor", "newly listed, in any other status or none"),
            ("site.removed", "Site removed", "minor", "no longer listed"),
            ("site.renamed", "Site renamed", "admin", "the same site under another facility name"),
            ("site.moved", "Site address changed", "admin", "the same site with another city, state, zip or country"),
            (
                "site.contact_changed",
                "Site contact changed",
                "admin",
                "names, phones, e-mails or roles of a site's contacts differ",
            ),
            ("country.added", "Country added", "major", "a country has sites now that had none"),
            ("country.removed", "Country removed", "major", "a country that had sites has none now"),
        ),
        *_family(
            "Dates",
            ("start_date.delayed", "Start delayed", "minor", "planned start moved later; 90 days or more is major"),
            ("start_date.advanced", "Start brought forward", "minor", "planned start moved earlier"),
            ("start_date.reached", "Start reached", "minor", "start was planned and is actual now"),
            ("start_date.unreached", "Start no longer actual", "major", "start was actual and is planned again"),
            ("start_date.corrected", "Actual start corrected", "major", "the actual start date is another one"),
            (
                "start_date.refined",
                "Start made more (or less) precise",
                "admin",
                "the start date says the same, more or less precisely",
            ),
            ("start_date.added", "Start added", "minor", "a start date is given where there was none"),
            ("start_date.removed", "Start removed", "minor", "the start date is gone"),
            (
                "primary_completion_date.delayed",
                "Primary completion delayed",
                "major",
                "planned primary completion moved later; 90 days or more is major",
            ),
            (
                "primary_completion_date.advanced",
                "Primary completion brought forward",
                "major",
                "planned primary completion moved earlier",
            ),
            (
                "primary_completion_date.reached",
                "Primary completion reached",
                "major",
                "primary completion was planned and is actual now",
            ),
            (
                "primary_completion_date.unreached",
                "Primary completion no longer actual",
                "major",
                "primary completion was actual and is planned again",
            ),
            (
                "primary_completion_date.corrected",
                "Actual primary completion corrected",
                "major",
                "the actual primary completion date is another one",
            ),
            (
                "primary_completion_date.refined",
                "Primary completion made more (or less) precise",
                "admin",
                "the primary completion date says the same, more or less precisely",
            ),
            (
                "primary_completion_date.added",
                "Primary completion added",
                "minor",
                "a primary completion date is given where there was none",
            ),
            (
                "primary_completion_date.removed",
                "Primary completion removed",
                "minor",
                "the primary completion date is gone",
            ),
            (
                "completion_date.delayed",
                "Completion delayed",
                "minor",
                "planned completion moved later; 90 days or more is major",
            ),
            ("completion_date.advanced", "Completion brought forward", "major", "planned completion moved earlier"),
            ("completion_date.reached", "Completion reached", "major", "completion was planned and is actual now"),
            (
                "completion_date.unreached",
                "Completion no longer actual",
                "major",
                "completion was actual and is planned again",
            ),
            (
                "completion_date.corrected",
                "Actual completion corrected",
                "major",
                "the actual completion date is another one",
            ),
            (
                "completion_date.refined",
                "Completion made more (or less) precise",
                "admin",
                "the completion date says the same, more or less precisely",
            ),
            ("completion_date.added", "Completion added", "minor", "a completion date is given where there was none"),
            ("completion_date.removed", "Completion removed", "minor", "the completion date is gone"),
        ),
        *_family(
            "Results",
            ("results.posted", "Results posted", "critical", "the record has results now"),
            ("results.updated", "Results updated", "major", "numbers or texts of posted results differ"),
            ("results.removed", "Results removed", "critical", "the record has no results any more"),
            (
                "results.submitted",
                "Results submitted, in quality control",
                "major",
                "the sponsor sent results to the registry",
            ),
            (
                "results.returned",
                "Results returned by the registry",
                "minor",
                "the registry sent the results back for corrections",
            ),
            (
                "results.submission_cancelled",
                "Results submission cancelled",
                "major",
                "the sponsor took the submitted results back",
            ),
            (
                "results.delay_certified",
                "Certificate of delay submitted",
                "major",
                "a certificate of delayed results was submitted",
            ),
            (
                "document.posted",
                "Document posted",
                "major",
                "a protocol, analysis plan or consent form is available now",
            ),
            (
                "document.replaced",
                "Document replaced",
                "minor",
                "a protocol, analysis plan or consent form was replaced",
            ),
            ("document.removed", "Document removed", "major", "a protocol, analysis plan or consent form is gone"),
            ("fda_notice.changed", "FDA notice", "critical", "the U.S. FDA's notices on results duties differ"),
        ),
        *_family(
            "Design",
            (
                "enrollment.target_changed",
                "Enrollment target changed",
                "minor",
                "planned number of participants differs; 20 % or 100 and more is major",
            ),
            (
                "enrollment.actual_reported",
                "Actual enrollment reported",
                "major",
                "the number of participants was planned and is actual now",
            ),
            (
                "enrollment.actual_corrected",
                "Actual enrollment corrected",
                "minor",
                "the actual number of participants is another one",
            ),
            (
                "enrollment.unreached",
                "Enrollment no longer actual",
                "major",
                "the number of participants was actual and is planned again",
            ),
            ("phase.changed", "Phase changed", "major", "the set of phases differs"),
            (
                "study_type.changed",
                "Study type changed",
                "critical",
                "interventional, observational or expanded access differs",
            ),
            (
                "design.changed",
                "Study design changed",
                "major",
                "another field of the design differs; its description texts are minor",
            ),
            ("arm.added", "Arm added", "major", "an arm is new"),
            ("arm.removed", "Arm removed", "major", "an arm is gone"),
            ("arm.changed", "Arm changed", "minor", "an arm differs, also by its label alone"),
            ("intervention.added", "Intervention added", "major", "an intervention is new"),
            ("intervention.removed", "Intervention removed", "major", "an intervention is gone"),
            ("intervention.changed", "Intervention changed", "minor", "an intervention differs"),
        ),
        *_family(
            "Outcomes",
            (
                "primary_outcome.added",
                "Primary outcome added",
                "critical",
                "a primary outcome that stood in no list before",
            ),
            (
                "primary_outcome.removed",
                "Primary outcome removed",
                "critical",
                "a primary outcome that stands in no list now",
            ),
            (
                "primary_outcome.demoted",
                "Primary outcome demoted",
                "critical",
                "a primary outcome is a secondary or other one now",
            ),
            (
                "primary_outcome.promoted",
                "Outcome promoted to primary",
                "critical",
                "a secondary or other outcome is a primary one now",
            ),
            (
                "primary_outcome.reworded",
                "Primary outcome reworded",
                "major",
                "the same primary outcome in other words",
            ),
            (
                "primary_outcome.time_frame_changed",
                "Primary time frame changed",
                "major",
                "a primary outcome is measured at another time",
            ),
            (
                "primary_outcome.description_changed",
                "Primary outcome description changed",
                "minor",
                "a primary outcome's description differs",
            ),
            ("secondary_outcome.added", "Secondary outcome added", "minor", "a secondary outcome is new"),
            ("secondary_outcome.removed", "Secondary outcome removed", "major", "a secondary outcome is gone"),
            (
                "secondary_outcome.changed",
                "Secondary outcome changed",
                "minor",
                "a secondary outcome differs, or came from the other list",
            ),
            ("other_outcome.added", "Other outcome added", "minor", "an other outcome is new"),
            ("other_outcome.removed", "Other outcome removed", "minor", "an other outcome is gone"),
            (
                "other_outcome.changed",
                "Other outcome changed",
                "minor",
                "an other outcome differs, or came from the other list",
            ),
        ),
        *_family(
            "Eligibility",
            ("eligibility.age_changed", "Age limits changed", "major", "minimum or maximum age differs as a duration"),
            ("eligibility.sex_changed", "Sex changed", "major", "which sex may take part differs"),
            (
                "eligibility.healthy_volunteers_changed",
                "Healthy volunteers changed",
                "major",
                "whether healthy volunteers may take part differs",
            ),
            (
                "eligibility.criteria_changed",
                "Eligibility criteria changed",
                "major",
                "inclusion or exclusion criteria were added, removed or reworded",
            ),
            (
                "eligibility.population_changed",
                "Study population changed",
                "minor",
                "study population, sampling method or gender basis differs",
            ),
        ),
        *_family(
            "People and organisations",
            ("sponsor.changed", "Lead sponsor changed", "critical", "the lead sponsor's name differs"),
            ("collaborator.added", "Collaborator added", "major", "a collaborator is new"),
            ("collaborator.removed", "Collaborator removed", "major", "a collaborator is gone"),
            (
                "organization.changed",
                "Registering organization changed",
                "minor",
                "the registering organization's name differs",
            ),
            ("responsible_party.changed", "Responsible party changed", "minor", "the responsible party differs"),
            ("official.changed", "Study official changed", "minor", "an overall official differs, comes or goes"),
            ("contact.changed", "Study contact changed", "minor", "a central contact differs, comes or goes"),
        ),
        *_family(
            "Texts and links",
            ("title.changed", "Title changed", "minor", "brief title, official title or acronym differs"),
            ("description.changed", "Description changed", "minor", "brief summary or detailed description differs"),
            ("condition.added", "Condition added", "major", "a condition is new"),
            ("condition.removed", "Condition removed", "major", "a condition is gone"),
            ("keyword.changed", "Keywords changed", "admin", "the set of keywords differs"),
            ("identifier.added", "Identifier added", "minor", "an identifier is new"),
            ("identifier.removed", "Identifier removed", "minor", "an identifier is gone"),
            ("publication.added", "Publication added", "minor", "a publication is linked; one with results is major"),
            (
                "publication.removed",
                "Publication removed",
                "minor",
                "a publication is linked no more; one with results is major",
            ),
            (
                "publication.changed",
                "Publication changed",
                "minor",
                "a linked publication differs; one with results is major",
            ),
            ("publication.retracted", "Publication retracted", "critical", "a linked publication was retracted"),
            ("link.changed", "Link changed", "admin", "a link differs, comes or goes"),
            (
                "ipd_sharing.changed",
                "IPD sharing plan changed",
                "minor",
                "the plan to share participant data differs; from yes to no is major",
            ),
            ("oversight.changed", "Oversight changed", "minor", "data monitoring, FDA regulation or export differs"),
        ),
        *_family(
            "The record itself",
            (
                "record.verified",
                "Record resubmitted, nothing else changed",
                "admin",
                "verification, submission, QC or posting dates moved and nothing else is told",
            ),
            ("record.changed", "Record changed", "minor", "something differs that no other kind names"),
            ("record.first_seen", "Now watched", "admin", "the first snapshot; never alerted by itself"),
            ("record.matched", "New in search", "minor", "a saved search found the record"),
            ("record.unmatched", "No longer in search", "minor", "a saved search lost the record; it stays watched"),
            ("record.merged", "Record merged", "major", "the registry answers under another id"),
            ("record.missing", "Record not found", "major", "a record seen before is absent in two releases running"),
            ("record.returned", "Record back", "major", "a record that was missing is back"),
            (
                "registry.reformatted",
                "Registry reformatted its records",
                "minor",
                "texts or places of many records differ in one release while their submission dates stand still",
            ),
        ),
    )
}


def at_least(severity: str, floor: str) -> bool:
    """Whether `severity` is as severe as `floor` or more so. Raises ValueError for a word that is no severity."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(floor)
