"""A trial in words, in the sections that readers of registry pages know."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from monitor.as_of import Answer
from monitor.cli.output import clean, wrapped
from monitor.cli.records import Found
from monitor.shown.records import day_json, version_json
from snapshots.registries.ctgov.ids import record_page
from snapshots.sentences import capitalised, counted, enum_words, partial_date_words, status_words
from snapshots.trial import Arm, Contact, Intervention, Outcome, PartialDate, Site, Trial

Json = Any

UNKNOWN_COUNT = 99999999
"""How the registry writes an unknown number of participants."""

NOTICE = (
    "Data: ClinicalTrials.gov. Status and eligibility can change: verify with the study contact. "
    "This is no medical advice."
)


def as_json(found: Found | None, answer: Answer | None = None) -> Json:
    """The version and the record as the registry sent it; with what is to be said of the day that was asked for."""
    day = day_json(answer) if answer else {}
    if found is None:
        return {"version": None, "record": None, **day}
    return {**version_json(found.version, found.place, found.trial.id, found.trial.title, found.raw), **day}


def in_words(found: Found) -> str:
    """The record for a reader at a terminal."""
    sections = [(title, list(lines)) for title, lines in _sections(found.trial)]
    told = [f"{click.style(title, bold=True)}\n" + "\n".join(lines) for title, lines in sections if lines]
    return "\n\n".join([_head(found), *told, click.style(wrapped(NOTICE, indent=0), dim=True)])


def _head(found: Found) -> str:
    dated = f", chosen by {found.dated_by}" if found.dated_by else ""
    note = f"{found.trial.id}, {found.place.words}{dated}\n{record_page(found.trial.id)}"
    return f"{click.style(wrapped(found.trial.title, indent=0), bold=True)}\n{click.style(note, dim=True)}"


def _sections(trial: Trial) -> Iterator[tuple[str, Iterable[str]]]:
    yield "Study results", _results(trial)
    yield "Basic information", _basics(trial)
    yield "Brief summary", _paragraphs(trial.brief_summary)
    yield "Detailed description", _paragraphs(trial.detailed_description)
    yield "Conditions", _items(trial.conditions)
    yield "Study design", _design(trial)
    yield "Study groups", _arms(trial.arms)
    yield "Interventions", _interventions(trial.interventions)
    yield "Primary outcomes", _outcomes(trial.primary_outcomes)
    yield "Secondary outcomes", _outcomes(trial.secondary_outcomes)
    yield "Other outcomes", _outcomes(trial.other_outcomes)
    yield "Eligibility", _eligibility(trial)
    yield "Sponsors", _sponsors(trial)
    yield "Locations", _sites(trial.sites)
    yield "Countries", _items(trial.countries)
    yield "Central contacts", _contacts(trial.central_contacts)
    yield "Other identifiers", _identifiers(trial)
    yield "Publications", _items(publication.citation or publication.pmid or "" for publication in trial.publications)


def _results(trial: Trial) -> Iterator[str]:
    yield _item("posted" if trial.has_results else "none posted")
    if trial.documents:
        yield from _items(document.label or document.filename or "document" for document in trial.documents)


def _basics(trial: Trial) -> Iterator[str]:
    rows = (
        ("Recruitment status", capitalised(status_words(trial.overall_status))),
        ("Reason for stopping", trial.why_stopped),
        ("Phase", ", ".join(enum_words(phase) for phase in trial.phases)),
        ("Enrollment", _enrollment(trial)),
        ("Study type", enum_words(trial.study_type) if trial.study_type else None),
        ("Start", _date(trial.start_date)),
        ("Primary completion", _date(trial.primary_completion_date)),
        ("Completion", _date(trial.completion_date)),
        ("Official title", trial.official_title),
        ("Acronym", trial.acronym),
    )
    yield from _rows(rows)


def _enrollment(trial: Trial) -> str | None:
    enrollment = trial.enrollment
    if enrollment is None or enrollment.count is None:
        return None
    count = enrollment.count
    number = "unknown" if count == UNKNOWN_COUNT else counted(count, "participant") if isinstance(count, int) else count
    return f"{number} ({enum_words(enrollment.type)})" if enrollment.type else str(number)


def _design(trial: Trial) -> Iterator[str]:
    yield from _rows((_spaced(name), _value(value)) for name, value in _flat(trial.design))


def _flat(design: Json) -> Iterator[tuple[str, Json]]:
    for name, value in design.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, value


def _arms(arms: Sequence[Arm]) -> Iterator[str]:
    for arm in arms:
        kind = f" ({enum_words(arm.type)})" if arm.type else ""
        yield _item(f"{arm.label or 'unnamed group'}{kind}")
        yield from _paragraphs(arm.description, indent=6)


def _interventions(interventions: Sequence[Intervention]) -> Iterator[str]:
    for intervention in interventions:
        kind = f"{enum_words(intervention.type)}: " if intervention.type else ""
        yield _item(f"{kind}{intervention.name or 'unnamed'}")
        yield from _paragraphs(intervention.description, indent=6)


def _outcomes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        frame = f" [{outcome.time_frame}]" if outcome.time_frame else ""
        yield _item(f"{outcome.measure or 'unnamed'}{frame}")
        yield from _paragraphs(outcome.description, indent=6)


def _eligibility(trial: Trial) -> Iterator[str]:
    rows = (
        ("Minimum age", trial.minimum_age or "no limit"),
        ("Maximum age", trial.maximum_age or "no limit"),
        ("Sex", enum_words(trial.sex) if trial.sex else None),
        ("Healthy volunteers", None if trial.healthy_volunteers is None else _value(trial.healthy_volunteers)),
    )
    yield from _rows(rows)
    yield from _paragraphs(trial.eligibility_criteria)


def _sponsors(trial: Trial) -> Iterator[str]:
    if trial.lead_sponsor and trial.lead_sponsor.name:
        yield _item(f"{trial.lead_sponsor.name} (lead sponsor)")
    yield from _items(f"{sponsor.name} (collaborator)" for sponsor in trial.collaborators)
    yield from _items(
        ", ".join(
            filter(None, (official.name, enum_words(official.role) if official.role else None, official.affiliation))
        )
        for official in trial.officials
    )


def _sites(sites: Sequence[Site]) -> Iterator[str]:
    for site in sites:
        place = ", ".join(part for part in (site.facility, site.city, site.state, site.country) if part)
        status = f": {status_words(site.status)}" if site.status else ""
        yield _item(f"{place or 'unnamed place'}{status}")
        yield from (_item(_contact(contact), indent=6) for contact in site.contacts)


def _contacts(contacts: Sequence[Contact]) -> Iterator[str]:
    yield from _items(_contact(contact) for contact in contacts)


def _contact(contact: Contact) -> str:
    phone = f"{contact.phone} ext. {contact.phone_ext}" if contact.phone and contact.phone_ext else contact.phone
    return ", ".join(part for part in (contact.name, phone, contact.email) if part) or "unnamed contact"


def _identifiers(trial: Trial) -> Iterator[str]:
    yield from _items(f"{each.id} ({enum_words(each.kind)})" for each in trial.identifiers if each.id)


def _rows(rows: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in rows:
        if value:
            yield wrapped(f"{name}: {value}", indent=2, hanging=4)


def _items(texts: Iterable[str]) -> Iterator[str]:
    return (_item(text) for text in texts if text)


def _item(text: str, indent: int = 2) -> str:
    return wrapped(f"- {text}", indent=indent, hanging=indent + 2)


def _paragraphs(text: str | None, indent: int = 2) -> Iterator[str]:
    for line in clean(text).replace("\\>", ">").replace("\\<", "<").splitlines():
        if line.strip():
            yield wrapped(line.strip(), indent=indent)


def _date(date: PartialDate | None) -> str | None:
    return partial_date_words(date) if date else None


def _value(value: Json) -> str | None:
    if isinstance(value, list):
        return ", ".join(enum_words(member) for member in value)
    return None if value is None else enum_words(value)


def _spaced(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return capitalised(words.strip())
