"""The registry-neutral record of a trial, in the field's own words.

A registry's adapter fills a `Trial` from what the registry sent. Texts stand here as the registry wrote them:
what counts as *the same* text, name or date is asked of `snapshots.canonical`, never decided here. Values that a
registry spells as enumerations ("RECRUITING") pass through as text, known to us or not. What no field takes is
kept in `rest`, at every level, under the registry's own keys, so that nothing a registry says is ever dropped.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

Json = Any


class Part(Struct, frozen=True, kw_only=True):
    """One item of a list in a record.

    `position` is its index in the registry's list (for paths, never for identity: lists are reordered at will);
    `rest` holds the item's fields that no attribute takes.
    """

    position: int = 0
    rest: Mapping[str, Json] = {}


class PartialDate(Struct, frozen=True):
    """A date as the registry gave it: `date` is "2026", "2026-05" or "2026-05-31" (or something absurd),
    `type` is "ACTUAL", "ESTIMATED" or None. `snapshots.canonical.interval` reads it as an interval of days.
    """

    date: str
    type: str | None = None


class Enrollment(Struct, frozen=True):
    """Number of participants; 99999999 means unknown. `count` is whatever the registry sent, usually an int."""

    count: Json = None
    type: str | None = None


class Contact(Part, frozen=True, kw_only=True):
    """A person or desk to ask: of the study (central contact) or of one site."""

    name: str | None = None
    role: str | None = None
    phone: str | None = None
    phone_ext: str | None = None
    email: str | None = None


class Official(Part, frozen=True, kw_only=True):
    """An overall study official, e.g. the principal investigator."""

    name: str | None = None
    affiliation: str | None = None
    role: str | None = None


class Site(Part, frozen=True, kw_only=True):
    """One location where the trial is conducted. Sites have no id: `snapshots.matching` tells who is who."""

    facility: str | None = None
    status: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    contacts: tuple[Contact, ...] = ()


class Outcome(Part, frozen=True, kw_only=True):
    """An outcome measure as registered (not as reported with results)."""

    measure: str | None = None
    description: str | None = None
    time_frame: str | None = None


class Arm(Part, frozen=True, kw_only=True):
    label: str | None = None
    type: str | None = None
    description: str | None = None
    intervention_names: tuple[str, ...] = ()


class Intervention(Part, frozen=True, kw_only=True):
    type: str | None = None
    name: str | None = None
    description: str | None = None
    arm_labels: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()


class Identifier(Part, frozen=True, kw_only=True):
    """An id under which another body knows the trial. `kind` is "org", "secondary" or "alias"."""

    kind: str
    id: str | None = None
    type: str | None = None
    domain: str | None = None
    link: str | None = None


class Sponsor(Part, frozen=True, kw_only=True):
    """Lead sponsor, collaborator or registering organisation. `type` is the registry's class, e.g. "INDUSTRY"."""

    name: str | None = None
    type: str | None = None


class ResponsibleParty(Struct, frozen=True, kw_only=True):
    type: str | None = None
    name: str | None = None
    title: str | None = None
    affiliation: str | None = None
    rest: Mapping[str, Json] = {}


class Publication(Part, frozen=True, kw_only=True):
    """A reference; `type` RESULT, BACKGROUND or DERIVED (found by the registry itself).
    `retractions` are (PMID of the notice, source) pairs.
    """

    pmid: str | None = None
    type: str | None = None
    citation: str | None = None
    retractions: tuple[tuple[str | None, str | None], ...] = ()


class Link(Part, frozen=True, kw_only=True):
    """A see-also link or a place where participant data can be had. `kind` is "see_also" or "ipd"."""

    kind: str
    url: str | None = None
    label: str | None = None
    id: str | None = None
    type: str | None = None


class Document(Part, frozen=True, kw_only=True):
    """A protocol, statistical analysis plan or consent form. Dates as the registry wrote them."""

    filename: str | None = None
    label: str | None = None
    type: str | None = None
    date: str | None = None
    upload_date: str | None = None
    size: Json = None


class SubmissionEvent(Struct, frozen=True, order=True):
    """A step of the results' way through the registry's quality control: `type` is RELEASE (submitted),
    RESET (returned) or UNRELEASE (cancelled); `date` as given, None where the registry says "unknown".
    """

    type: str
    date: str | None


class FdaNotice(Part, frozen=True, kw_only=True):
    """A notice of the U.S. FDA on the trial's results duties (FDAAA 801)."""

    type: str | None = None
    description: str | None = None
    dates: Mapping[str, str] = {}


class Trial(Struct, frozen=True, kw_only=True):
    """One registry record, read but not judged.

    `paths` tells for each attribute where it stands in the registry's own record (for the auditor), e.g.
    {"overall_status": "protocolSection.statusModule.overallStatus"}; an item of a list stands at
    `paths[attribute] + "[position]"`. Where an attribute's items come from several lists, each kind has a path of its
    own: an identifier stands at `path("identifiers." + identifier.kind, position)`, a link at `"links." + link.kind`.
    `unknown` names the attributes that this source never carries (a past version has no submission tracking): unknown
    is not absent, and is not compared.
    """

    registry: str
    id: str
    paths: Mapping[str, str]
    unknown: frozenset[str] = frozenset()

    # identity
    aliases: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    brief_title: str | None = None
    official_title: str | None = None
    acronym: str | None = None
    organization: Sponsor | None = None

    # recruitment status and dates
    overall_status: str | None = None
    last_known_status: str | None = None
    why_stopped: str | None = None
    has_expanded_access: bool | None = None
    expanded_access_id: str | None = None
    expanded_access_status: str | None = None
    start_date: PartialDate | None = None
    primary_completion_date: PartialDate | None = None
    completion_date: PartialDate | None = None
    bookkeeping_dates: Mapping[str, str] = {}  # verification, submission, QC and posting dates, by the registry's key

    # results state
    has_results: bool | None = None
    results: Mapping[str, Json] = {}  # the results section as the registry sent it
    delay_certificate_dates: Mapping[str, str] = {}
    submission_events: tuple[SubmissionEvent, ...] = ()
    fda_notices: tuple[FdaNotice, ...] = ()
    fda_violation: bool | None = None
    documents: tuple[Document, ...] = ()

    # design
    study_type: str | None = None
    phases: tuple[str, ...] = ()
    enrollment: Enrollment | None = None
    design: Mapping[str, Json] = {}  # every other field of the design module, under the registry's keys
    arms: tuple[Arm, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    primary_outcomes: tuple[Outcome, ...] = ()
    secondary_outcomes: tuple[Outcome, ...] = ()
    other_outcomes: tuple[Outcome, ...] = ()

    # texts and terms
    brief_summary: str | None = None
    detailed_description: str | None = None
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    # who may take part
    eligibility_criteria: str | None = None
    minimum_age: str | None = None
    maximum_age: str | None = None
    sex: str | None = None
    healthy_volunteers: bool | None = None
    population: Mapping[str, Json] = {}  # study population, sampling method, gender based, under the registry's keys

    # who and where
    lead_sponsor: Sponsor | None = None
    collaborators: tuple[Sponsor, ...] = ()
    responsible_party: ResponsibleParty | None = None
    officials: tuple[Official, ...] = ()
    central_contacts: tuple[Contact, ...] = ()
    sites: tuple[Site, ...] = ()

    # around the trial
    publications: tuple[Publication, ...] = ()
    links: tuple[Link, ...] = ()
    ipd_sharing: Mapping[str, Json] = {}
    oversight: Mapping[str, Json] = {}

    rest: Mapping[str, Json] = {}

    @property
    def title(self) -> str:
        """The title to show: brief, else official, else the id."""
        return self.brief_title or self.official_title or self.id

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries of the listed sites, each once, in the record's order."""
        return tuple(dict.fromkeys(site.country for site in self.sites if site.country))

    def path(self, attribute: str, position: int | None = None, field: str | None = None) -> str:
        """Where `attribute` (its item at `position`, that item's `field`) stands in the registry's record.

        `field` is the attribute of the item ("time_frame"); its registry spelling is looked up under
        "attribute.field" and falls back to the given word.
        """
        base = self.paths.get(attribute, attribute)
        if position is not None:
            base = f"{base}[{position}]"
        if field is not None:
            base = f"{base}.{self.paths.get(f'{attribute}.{field}', field)}"
        return base
