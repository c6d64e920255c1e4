"""How kinds of change, and the groups and exceptions of them that people ask for, are called in plain words; pure."""

from collections.abc import Iterable

from snapshots.kinds import KINDS

GROUPS: dict[str, str] = {
    "recruitment": "enrollment opening and closing",
    "study": "a study’s completion or stop",
    "status": "other changes of status",
    "why_stopped": "the reason for stopping",
    "expanded_access": "expanded access",
    "site": "sites",
    "country": "countries",
    "start_date": "the start date",
    "primary_completion_date": "the primary completion date",
    "completion_date": "the completion date",
    "results": "results",
    "document": "documents",
    "fda_notice": "FDA notices",
    "enrollment": "numbers of participants",
    "phase": "the phase",
    "study_type": "the study type",
    "design": "the study design",
    "arm": "study groups (arms)",
    "intervention": "interventions",
    "primary_outcome": "primary outcomes",
    "secondary_outcome": "secondary outcomes",
    "other_outcome": "other outcomes",
    "eligibility": "who may take part",
    "sponsor": "the lead sponsor",
    "collaborator": "collaborators",
    "organization": "the registering organization",
    "responsible_party": "the responsible party",
    "official": "study officials",
    "contact": "study contacts",
    "title": "titles",
    "description": "descriptions",
    "condition": "conditions",
    "keyword": "keywords",
    "identifier": "identifiers",
    "publication": "publications",
    "link": "links",
    "ipd_sharing": "the plan to share data",
    "oversight": "oversight",
    "record": "the record as a whole",
    "registry": "the registry as a whole",
}
"""What the kinds of a group (the part of their names before the dot) are about, as it follows "all about"."""


def title(pattern: str) -> str:
    """A kind's label, or for `group.*` what it is about; what is neither stays as it is written."""
    group, dot, rest = pattern.rpartition(".")
    if dot and rest == "*" and group in GROUPS:
        return f"all about {GROUPS[group]}"
    return KINDS[pattern].label if pattern in KINDS else pattern


def asked_kinds(patterns: Iterable[str]) -> str:
    """The kinds that are asked for, those left out last: "all about sites, Results posted, but not Site renamed"."""
    written = list(patterns)
    asked = [title(each) for each in written if not each.startswith("!")]
    excluded = [title(each[1:]) for each in written if each.startswith("!")]
    words = ", ".join(asked) or ("all changes" if excluded else "")
    return f"{words}, but not {', '.join(excluded)}" if excluded else words
