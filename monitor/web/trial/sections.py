"""A trial in the sections that readers of registry pages know, each with a line of help."""

from collections.abc import Iterator, Sequence
from typing import Any

from monitor.web.trial import parts as p
from monitor.web.trial.parts import Part, Section
from monitor.web.trial.results import results_section
from snapshots.prose import criteria
from snapshots.sentences import capitalised, counted, date_words, status_words
from snapshots.trial import Arm, Intervention, Outcome, Trial

Json = Any

HELP = {
    "results": "Whether outcomes were reported, and what is known of results that are on their way.",
    "basics": "Where the study stands, how large it is and by when it is to be over.",
    "summary": "What the study is about, in the words of its sponsor.",
    "description": "Background and procedures at length, as far as the sponsor wrote them down.",
    "conditions": "The diseases or states of health that are studied.",
    "design": "How the study is built: who gets what, who knows of it, and what for.",
    "groups": "The arms or cohorts, and what each of them receives.",
    "interventions": "What is tried: drugs, devices, procedures, programmes.",
    "outcomes": "What is measured to answer the question of the study, and when.",
    "eligibility": "Who may take part and who may not.",
    "sponsors": "Who runs the study, who pays or helps.",
    "responsible": "Who answers for what the record says.",
    "locations": "Every site with its own status: recruiting sites first.",
    "countries": "Where the sites are.",
    "contacts": "Whom to ask about the study as a whole; contacts of a single site stand with the site.",
    "identifiers": "Under which numbers others know this study.",
    "references": "Publications, links and documents that belong to the study.",
    "sharing": "Whether data of single participants are shared with other researchers.",
    "oversight": "Who watches over the study, and which rules apply to it.",
    "dates": "When the record was submitted, checked and posted.",
    "further": "What the registry sent beside all that, under its own names.",
}


def sections(trial: Trial) -> list[Section]:
    """The sections of a record but its sites and related trials, in the order of the page; what nobody filled in stands
    with what that means, or is left out.
    """
    made = [
        results_section(trial, HELP["results"]),
        _section("basics", "Basic information", _basics(trial)),
        _section("summary", "Brief summary", p.text(trial, "brief_summary", trial.brief_summary)),
        _section(
            "description", "Detailed description", p.text(trial, "detailed_description", trial.detailed_description)
        ),
        _section("conditions", "Conditions", _conditions(trial)),
        _section("design", "Study design", _design(trial)),
        _section("groups", "Study groups", [_arm(trial, arm) for arm in trial.arms]),
        _section("interventions", "Interventions", [_intervention(trial, each) for each in trial.interventions]),
        _section("outcomes", "Outcome measures", _outcomes(trial)),
        _section("eligibility", "Eligibility criteria", _eligibility(trial)),
        _section("sponsors", "Sponsors", _sponsors(trial)),
        _section("responsible", "Responsible party", _responsible(trial)),
        _section("countries", "Countries", p.entries(trial, "sites", trial.countries)),
        _section("contacts", "Central contacts", _contacts(trial)),
        _section("identifiers", "Other identifiers", _identifiers(trial)),
        _section("references", "Publications, links and documents", _references(trial)),
        _section("sharing", "Sharing of participants’ data", _flat(trial, "ipd_sharing")),
        _section("oversight", "Oversight", _oversight(trial)),
        _section("dates", "Dates of the record", _dates(trial)),
        _section("further", "Further fields", _flat(trial, "rest")),
    ]
    return [each for each in made if each.parts or each.empty]


_EMPTY = {
    "summary": "The sponsor gave no summary.",
    "description": "The sponsor gave no detailed description.",
    "outcomes": "No outcome measure is registered.",
    "eligibility": "The record says nothing about who may take part.",
    "contacts": "The record names no central contact; sites may have contacts of their own.",
}


def _section(name: str, title: str, parts: Sequence[Part]) -> Section:
    return Section(id=name, title=title, help=HELP[name], parts=tuple(parts), empty=_EMPTY.get(name))


def _basics(trial: Trial) -> list[Part]:
    status = capitalised(status_words(trial.overall_status)) if trial.overall_status else None
    return [
        *p.fact(trial, "overall_status", "Recruitment status", status),
        *p.fact(trial, "last_known_status", "Last known status", _status(trial.last_known_status)),
        *p.fact(trial, "why_stopped", "Reason for stopping", trial.why_stopped),
        *p.fact(trial, "phases", "Phase", p.words(trial.phases)),
        *p.fact(trial, "enrollment", "Enrollment", p.enrollment_words(trial.enrollment)),
        *p.fact(trial, "study_type", "Study type", p.words(trial.study_type)),
        *p.fact(trial, "start_date", "Start", p.date(trial.start_date)),
        *p.fact(trial, "primary_completion_date", "Primary completion", p.date(trial.primary_completion_date)),
        *p.fact(trial, "completion_date", "Completion", p.date(trial.completion_date)),
        *p.fact(trial, "brief_title", "Brief title", trial.brief_title),
        *p.fact(trial, "official_title", "Official title", trial.official_title),
        *p.fact(trial, "acronym", "Acronym", trial.acronym),
        *p.fact(trial, "has_expanded_access", "Expanded access", p.words(trial.has_expanded_access)),
        *p.fact(trial, "expanded_access_id", "Expanded access record", trial.expanded_access_id),
        *p.fact(trial, "expanded_access_status", "Expanded access status", _status(trial.expanded_access_status)),
    ]


def _status(status: str | None) -> str | None:
    return capitalised(status_words(status)) if status else None


def _conditions(trial: Trial) -> list[Part]:
    keywords = p.fact(trial, "keywords", "Keywords", ", ".join(trial.keywords))
    return [*p.entries(trial, "conditions", trial.conditions), *keywords]


def _design(trial: Trial) -> list[Part]:
    return [
        Part(shape="fact", name=name, lines=p.paragraphs(value), path=path)
        for name, value, path in p.flattened(trial.design, trial.path("design"))
        if value
    ]


def _arm(trial: Trial, arm: Arm) -> Part:
    return Part(
        shape="item",
        name=arm.label or "Group without a name",
        facts=p.facts(("Type", p.words(arm.type)), ("Receives", ", ".join(arm.intervention_names)))
        + p.others(arm.rest),
        lines=p.paragraphs(arm.description),
        path=trial.path("arms"),
        key=arm.label,
    )


def _intervention(trial: Trial, each: Intervention) -> Part:
    return Part(
        shape="item",
        name=each.name or "Without a name",
        facts=p.facts(
            ("Type", p.words(each.type)),
            ("Other names", ", ".join(each.other_names)),
            ("Given to", ", ".join(each.arm_labels)),
        )
        + p.others(each.rest),
        lines=p.paragraphs(each.description),
        path=trial.path("interventions"),
        key=each.name,
    )


def _outcomes(trial: Trial) -> list[Part]:
    levels = (
        ("Primary", "primary_outcomes", trial.primary_outcomes),
        ("Secondary", "secondary_outcomes", trial.secondary_outcomes),
        ("Other", "other_outcomes", trial.other_outcomes),
    )
    return [_outcome(trial, level, attribute, each) for level, attribute, found in levels for each in found]


def _outcome(trial: Trial, level: str, attribute: str, each: Outcome) -> Part:
    return Part(
        shape="item",
        name=each.measure or "Without a name",
        facts=p.facts(("Level", level), ("Time frame", each.time_frame)) + p.others(each.rest),
        lines=p.paragraphs(each.description),
        path=trial.path(attribute),
        key=each.measure,
    )


def _eligibility(trial: Trial) -> list[Part]:
    said = [
        *p.fact(trial, "minimum_age", "Minimum age", trial.minimum_age),
        *p.fact(trial, "maximum_age", "Maximum age", trial.maximum_age),
        *p.fact(trial, "sex", "Sex", p.words(trial.sex)),
        *p.fact(trial, "healthy_volunteers", "Healthy volunteers", p.words(trial.healthy_volunteers)),
        *_flat(trial, "population"),
    ]
    return [*said, *_criteria(trial)]


def _criteria(trial: Trial) -> Iterator[Part]:
    """The criteria one by one: inclusion, then exclusion, both parts of one text of the record."""
    found = criteria(trial.eligibility_criteria)
    for section in ("inclusion", "exclusion"):
        lines = tuple(each.text for each in found if each.section == section)
        if lines:
            path = trial.path("eligibility_criteria")
            yield Part(shape="item", name=f"{section.capitalize()} criteria", lines=lines, path=path, key=section)


def _sponsors(trial: Trial) -> list[Part]:
    lead = trial.lead_sponsor
    made = []
    if lead and lead.name:
        said = p.facts(("Role", "Lead sponsor"), ("Class", p.words(lead.type))) + p.others(lead.rest)
        made.append(Part(shape="item", name=lead.name, facts=said, lines=(), path=trial.path("lead_sponsor")))
    for each in trial.collaborators:
        said = p.facts(("Role", "Collaborator"), ("Class", p.words(each.type))) + p.others(each.rest)
        name = each.name or "Without a name"
        made.append(
            Part(shape="item", name=name, facts=said, lines=(), path=trial.path("collaborators"), key=each.name)
        )
    return made


def _responsible(trial: Trial) -> list[Part]:
    party = trial.responsible_party
    said = p.facts(
        ("Role", p.words(party.type)), ("Name", party.name), ("Title", party.title), ("Affiliation", party.affiliation)
    ) + p.others(party.rest) if party else ()  # fmt: skip
    path = trial.path("responsible_party")
    made = [Part(shape="fact", name=name, lines=(value,), path=path) for name, value in said]
    for official in trial.officials:
        facts = p.facts(("Role", p.words(official.role)), ("Affiliation", official.affiliation))
        facts += p.others(official.rest)
        name = official.name or "Without a name"
        made.append(
            Part(shape="item", name=name, facts=facts, lines=(), path=trial.path("officials"), key=official.name)
        )
    return made


def _contacts(trial: Trial) -> list[Part]:
    made = []
    for each in trial.central_contacts:
        phone = f"{each.phone} ext. {each.phone_ext}" if each.phone and each.phone_ext else each.phone
        facts = p.facts(("Role", p.words(each.role)), ("Phone", phone), ("Mail", each.email)) + p.others(each.rest)
        name = each.name or "Contact"
        made.append(
            Part(shape="item", name=name, facts=facts, lines=(), path=trial.path("central_contacts"), key=each.name)
        )
    return made


_IDENTIFIERS = {"org": "The sponsor’s own number", "secondary": "Other number", "alias": "Former id in this registry"}


def _identifiers(trial: Trial) -> list[Part]:
    made = []
    for each in trial.identifiers:
        facts = p.facts(
            ("What it is", _IDENTIFIERS.get(each.kind, each.kind)),
            ("Type", p.words(each.type)),
            ("Given by", each.domain),
            ("Link", each.link),
        ) + p.others(each.rest)
        path = trial.path(f"identifiers.{each.kind}")
        made.append(Part(shape="item", name=each.id or "–", facts=facts, lines=(), path=path, key=each.id))
    organization = trial.organization
    name, kind = (organization.name, p.words(organization.type)) if organization else (None, None)
    return [
        *made,
        *p.fact(trial, "organization", "Registering organization", name),
        *p.fact(trial, "organization", "Its class", kind),
    ]


def _references(trial: Trial) -> list[Part]:
    made = [
        Part(
            shape="item",
            name=each.citation or f"PMID {each.pmid}",
            facts=p.facts(
                ("Type", p.words(each.type)),
                ("PMID", each.pmid),
                ("Retracted", ", ".join(f"{source or ''} {pmid or ''}".strip() for pmid, source in each.retractions)),
            )
            + p.others(each.rest),
            lines=(),
            path=trial.path("publications"),
            key=each.pmid or each.citation,
        )
        for each in trial.publications
    ]
    for link in trial.links:
        facts = p.facts(("Address", link.url), ("Type", p.words(link.type)), ("Id", link.id)) + p.others(link.rest)
        path = trial.path(f"links.{link.kind}")
        made.append(Part(shape="item", name=link.label or "Link", facts=facts, lines=(), path=path, key=link.url))
    for each_document in trial.documents:
        facts = p.facts(
            ("File", each_document.filename),
            ("Type", p.words(each_document.type)),
            ("Dated", date_words(each_document.date) if each_document.date else None),
            ("Uploaded", date_words(each_document.upload_date[:10]) if each_document.upload_date else None),
            ("Size", _bytes(each_document.size)),
        ) + p.others(each_document.rest)
        name, path = each_document.label or "Document", trial.path("documents")
        made.append(Part(shape="item", name=name, facts=facts, lines=(), path=path, key=each_document.filename))
    return made


def _bytes(size: Json) -> str | None:
    return None if size is None else f"{size:,} bytes" if isinstance(size, int) else str(size)


_DATES = {
    "statusVerifiedDate": "Verified by the sponsor",
    "studyFirstSubmitDate": "First submitted",
    "studyFirstSubmitQcDate": "First met the registry’s quality criteria",
    "studyFirstPostDateStruct": "First posted",
    "resultsFirstSubmitDate": "Results first submitted",
    "resultsFirstSubmitQcDate": "Results met the registry’s quality criteria",
    "resultsFirstPostDateStruct": "Results first posted",
    "dispFirstSubmitQcDate": "Certificate of delay met the quality criteria",
    "lastUpdateSubmitDate": "Last update submitted",
    "lastUpdatePostDateStruct": "Last update posted",
    "estimatedResultsFirstSubmitDate": "Results expected",
    "firstMcpInfo": "Results first posted before review",
}


def _dates(trial: Trial) -> list[Part]:
    base = trial.path("bookkeeping_dates")
    return [
        Part(
            shape="fact",
            name=_DATES.get(key, p.spaced(key)),
            lines=(date_words(value),),
            path=trial.paths.get(f"bookkeeping_dates.{key}", f"{base}.{key}"),
        )
        for key, value in trial.bookkeeping_dates.items()
    ]


def _oversight(trial: Trial) -> list[Part]:
    violation = p.words(trial.fda_violation)
    return [*_flat(trial, "oversight"), *p.fact(trial, "fda_violation", "Violation of FDAAA 801", violation)]


def _flat(trial: Trial, attribute: str) -> list[Part]:
    found = p.flattened(getattr(trial, attribute), trial.path(attribute))
    return [Part(shape="fact", name=name, lines=p.paragraphs(value), path=path) for name, value, path in found if value]


def heading_words(trial: Trial) -> str:
    """Status, phase and size in one line, as a heading has them."""
    sites = counted(len(trial.sites), "site") if trial.sites else None
    said = (_status(trial.overall_status), p.words(trial.phases), p.enrollment_words(trial.enrollment), sites)
    return " · ".join(each for each in said if each)
