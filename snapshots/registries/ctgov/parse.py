"""What does a ClinicalTrials.gov record say, as a registry-neutral `Trial`?

The record is decoded once and then taken apart: every reader below takes what it knows out of the decoded objects, and
what nobody took (unknown fields, values of an unexpected type) is the `rest`. So nothing can be forgotten, and no shape
of a record can make reading fail.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from snapshots.canonical import enum_key
from snapshots.registries.ctgov import markup
from snapshots.registries.ctgov.fields import content, decode_with_source
from snapshots.registries.ctgov.paths import PATHS
from snapshots.trial import (
    Arm,
    Contact,
    Document,
    Enrollment,
    FdaNotice,
    Identifier,
    Intervention,
    Json,
    Link,
    Official,
    Outcome,
    PartialDate,
    Publication,
    ResponsibleParty,
    Site,
    Sponsor,
    SubmissionEvent,
    Trial,
)

__all__ = ["content", "parse"]

REGISTRY = "ctgov"

Taken = dict[str, Any]
Item = TypeVar("Item")

_BOOKKEEPING = (
    "statusVerifiedDate",
    "studyFirstSubmitDate",
    "studyFirstSubmitQcDate",
    "studyFirstPostDateStruct",
    "resultsFirstSubmitDate",
    "resultsFirstSubmitQcDate",
    "resultsFirstPostDateStruct",
    "dispFirstSubmitQcDate",
    "lastUpdateSubmitDate",
    "lastUpdatePostDateStruct",
)
_DELAY_CERTIFICATE = ("dispFirstSubmitDate", "dispFirstPostDateStruct")
_POPULATION = ("studyPopulation", "samplingMethod", "genderBased", "genderDescription")
_FDA_DATES = ("creationDate", "issuedDate", "releaseDate", "postedDate")
_NOT_IN_PAST_VERSIONS = {
    "annotationSection": ("submission_events", "fda_notices"),
    "derivedSection": ("submission_events",),
}


def parse(raw: bytes) -> Trial:
    """The record in `raw` as a `Trial`: one study of API v2, or a past version as the history interface wraps it.

    Raises RegistryError(permanent) where `raw` is no JSON object or its study has no NCT id as text; nothing else can
    go wrong: values of an unexpected type are kept in `rest`.
    """
    study, past = decode_with_source(raw)
    unknown = _unknown(study) if past else frozenset[str]()
    if past:
        markup.unwrap(study)
    taken = _sections(study)
    return Trial(registry=REGISTRY, paths=PATHS, unknown=unknown, rest=_pruned(study), **taken)


def _unknown(study: Json) -> frozenset[str]:
    """What a past version never carries, so that its absence there says nothing."""
    return frozenset(
        attribute for section, names in _NOT_IN_PAST_VERSIONS.items() if section not in study for attribute in names
    )


def _sections(study: Json) -> Taken:
    protocol = _object(study, "protocolSection")
    tracking = _tracking(study)
    status = _status(_object(protocol, "statusModule"))
    status["bookkeeping_dates"] |= _tracked_dates(tracking)
    return {
        **_identification(_object(protocol, "identificationModule")),
        **status,
        **_sponsors(_object(protocol, "sponsorCollaboratorsModule")),
        **_oversight(protocol),
        **_texts_and_terms(protocol),
        **_design(_object(protocol, "designModule")),
        **_arms(_object(protocol, "armsInterventionsModule")),
        **_outcomes(_object(protocol, "outcomesModule")),
        **_eligibility(_object(protocol, "eligibilityModule")),
        **_contacts_and_sites(_object(protocol, "contactsLocationsModule")),
        **_references(_object(protocol, "referencesModule")),
        "ipd_sharing": _taken_object(protocol, "ipdSharingStatementModule"),
        **_results(study, tracking),
    }


# --- one reader a module ----------------------------------------------------------------------------------------------


def _identification(module: Taken) -> Taken:
    aliases = _texts(module, "nctIdAliases")
    identifiers = (
        *_single(module, "orgStudyIdInfo", _identifier("org")),
        *_items(module, "secondaryIdInfos", _identifier("secondary")),
        *(Identifier(kind="alias", id=alias, position=position) for position, alias in enumerate(aliases)),
    )
    return {
        "id": _text(module, "nctId"),
        "aliases": aliases,
        "identifiers": identifiers,
        "brief_title": _text(module, "briefTitle"),
        "official_title": _text(module, "officialTitle"),
        "acronym": _text(module, "acronym"),
        "organization": next(iter(_single(module, "organization", _organization)), None),
    }


def _identifier(kind: str) -> Callable[[int, Taken], Identifier]:
    def read(position: int, item: Taken) -> Identifier:
        return Identifier(
            kind=kind,
            id=_text(item, "id"),
            type=_text(item, "type"),
            domain=_text(item, "domain"),
            link=_text(item, "link"),
            position=position,
            rest=item,
        )

    return read


def _organization(position: int, item: Taken) -> Sponsor:
    return Sponsor(name=_text(item, "fullName"), type=_text(item, "class"), position=position, rest=item)


def _status(module: Taken) -> Taken:
    expanded = _object(module, "expandedAccessInfo")
    return {
        "overall_status": _text(module, "overallStatus"),
        "last_known_status": _text(module, "lastKnownStatus"),
        "why_stopped": _text(module, "whyStopped"),
        "has_expanded_access": _flag(expanded, "hasExpandedAccess"),
        "expanded_access_id": _text(expanded, "nctId"),
        "expanded_access_status": _text(expanded, "statusForNctId"),
        "start_date": _date(module, "startDateStruct"),
        "primary_completion_date": _date(module, "primaryCompletionDateStruct"),
        "completion_date": _date(module, "completionDateStruct"),
        "bookkeeping_dates": _dates(module, _BOOKKEEPING),
        "delay_certificate_dates": _dates(module, _DELAY_CERTIFICATE),
    }


def _sponsors(module: Taken) -> Taken:
    return {
        "lead_sponsor": next(iter(_single(module, "leadSponsor", _sponsor)), None),
        "collaborators": _items(module, "collaborators", _sponsor),
        "responsible_party": next(iter(_single(module, "responsibleParty", _responsible_party)), None),
    }


def _sponsor(position: int, item: Taken) -> Sponsor:
    return Sponsor(name=_text(item, "name"), type=_text(item, "class"), position=position, rest=item)


def _responsible_party(_: int, item: Taken) -> ResponsibleParty:
    return ResponsibleParty(
        type=_text(item, "type"),
        name=_text(item, "investigatorFullName"),
        title=_text(item, "investigatorTitle"),
        affiliation=_text(item, "investigatorAffiliation"),
        rest=item,
    )


def _oversight(protocol: Taken) -> Taken:
    violation = _flag(_object(protocol, "oversightModule"), "fdaaa801Violation")
    return {"fda_violation": violation, "oversight": _taken_object(protocol, "oversightModule")}


def _texts_and_terms(protocol: Taken) -> Taken:
    description = _object(protocol, "descriptionModule")
    conditions = _object(protocol, "conditionsModule")
    return {
        "brief_summary": _text(description, "briefSummary"),
        "detailed_description": _text(description, "detailedDescription"),
        "conditions": _texts(conditions, "conditions"),
        "keywords": _texts(conditions, "keywords"),
    }


def _design(module: Taken) -> Taken:
    enrollment = _object(module, "enrollmentInfo")
    taken: Taken = {
        "study_type": _text(module, "studyType"),
        "phases": _texts(module, "phases"),
        "enrollment": None,
    }
    if enrollment:
        taken["enrollment"] = Enrollment(enrollment.pop("count", None), _text(enrollment, "type"))
        if not enrollment:
            del module["enrollmentInfo"]
    return {**taken, "design": _emptied(module)}


def _arms(module: Taken) -> Taken:
    return {"arms": _items(module, "armGroups", _arm), "interventions": _items(module, "interventions", _intervention)}


def _arm(position: int, item: Taken) -> Arm:
    return Arm(
        label=_text(item, "label"),
        type=_text(item, "type"),
        description=_text(item, "description"),
        intervention_names=_texts(item, "interventionNames"),
        position=position,
        rest=item,
    )


def _intervention(position: int, item: Taken) -> Intervention:
    return Intervention(
        type=_text(item, "type"),
        name=_text(item, "name"),
        description=_text(item, "description"),
        arm_labels=_texts(item, "armGroupLabels"),
        other_names=_texts(item, "otherNames"),
        position=position,
        rest=item,
    )


def _outcomes(module: Taken) -> Taken:
    return {
        "primary_outcomes": _items(module, "primaryOutcomes", _outcome),
        "secondary_outcomes": _items(module, "secondaryOutcomes", _outcome),
        "other_outcomes": _items(module, "otherOutcomes", _outcome),
    }


def _outcome(position: int, item: Taken) -> Outcome:
    return Outcome(
        measure=_text(item, "measure"),
        description=_text(item, "description"),
        time_frame=_text(item, "timeFrame"),
        position=position,
        rest=item,
    )


def _eligibility(module: Taken) -> Taken:
    return {
        "eligibility_criteria": _text(module, "eligibilityCriteria"),
        "minimum_age": _text(module, "minimumAge"),
        "maximum_age": _text(module, "maximumAge"),
        "sex": _text(module, "sex"),
        "healthy_volunteers": _flag(module, "healthyVolunteers"),
        "population": {key: module.pop(key) for key in _POPULATION if key in module},
    }


def _contacts_and_sites(module: Taken) -> Taken:
    return {
        "officials": _items(module, "overallOfficials", _official),
        "central_contacts": _items(module, "centralContacts", _contact),
        "sites": _items(module, "locations", _site),
    }


def _official(position: int, item: Taken) -> Official:
    return Official(
        name=_text(item, "name"),
        affiliation=_text(item, "affiliation"),
        role=_text(item, "role"),
        position=position,
        rest=item,
    )


def _contact(position: int, item: Taken) -> Contact:
    return Contact(
        name=_text(item, "name"),
        role=_text(item, "role"),
        phone=_text(item, "phone"),
        phone_ext=_text(item, "phoneExt"),
        email=_text(item, "email"),
        position=position,
        rest=item,
    )


def _site(position: int, item: Taken) -> Site:
    latitude, longitude = _point(item)
    return Site(
        facility=_text(item, "facility"),
        status=_text(item, "status"),
        city=_text(item, "city"),
        state=_text(item, "state"),
        zip=_text(item, "zip"),
        country=_text(item, "country"),
        latitude=latitude,
        longitude=longitude,
        contacts=_items(item, "contacts", _contact),
        position=position,
        rest=item,
    )


def _point(item: Taken) -> tuple[float | None, float | None]:
    """The geo point, computed by the registry: of no interest to any comparison, hence taken whole."""
    point = item.pop("geoPoint", None)
    if not isinstance(point, dict):
        return None, None
    return _number(point.get("lat")), _number(point.get("lon"))


def _references(module: Taken) -> Taken:
    return {
        "publications": _items(module, "references", _publication),
        "links": (*_items(module, "seeAlsoLinks", _see_also_link), *_items(module, "availIpds", _ipd_link)),
    }


def _publication(position: int, item: Taken) -> Publication:
    notices = _items(item, "retractions", lambda _, notice: (_text(notice, "pmid"), _text(notice, "source")))
    return Publication(
        pmid=_text(item, "pmid"),
        type=_text(item, "type"),
        citation=_text(item, "citation"),
        retractions=notices,
        position=position,
        rest=item,
    )


def _see_also_link(position: int, item: Taken) -> Link:
    return Link(kind="see_also", url=_text(item, "url"), label=_text(item, "label"), position=position, rest=item)


def _ipd_link(position: int, item: Taken) -> Link:
    return Link(
        kind="ipd",
        url=_text(item, "url"),
        label=_text(item, "comment"),
        id=_text(item, "id"),
        type=_text(item, "type"),
        position=position,
        rest=item,
    )


def _results(study: Json, tracking: Taken) -> Taken:
    annotation = _object(_object(study, "annotationSection"), "annotationModule")
    violation = _object(annotation, "violationAnnotation")
    documents = _object(_object(study, "documentSection"), "largeDocumentModule")
    events = {*_unposted_events(_object(annotation, "unpostedAnnotation")), *_tracked_events(tracking)}
    results = _taken_object(study, "resultsSection")
    posted = _flag(study, "hasResults")
    return {
        "has_results": bool(results) if posted is None else posted,
        "results": results,
        "submission_events": tuple(sorted(events, key=lambda event: (event.date or "", event.type))),
        "fda_notices": _items(violation, "violationEvents", _fda_notice),
        "documents": _items(documents, "largeDocs", _document),
    }


def _tracking(study: Json) -> Taken:
    """The tracking of results submissions; the rest of the derived section is computed from this one and is dropped."""
    tracking = _object(_object(study, "derivedSection"), "miscInfoModule").get("submissionTracking")
    study.pop("derivedSection", None)
    return tracking if isinstance(tracking, dict) else {}


def _tracked_dates(tracking: Taken) -> dict[str, str]:
    """The dates of the tracking that are no events: of the first submission, and of the first posting before review."""
    dates = _dates(tracking, ("estimatedResultsFirstSubmitDate",))
    first_posted = _dates(_object(tracking, "firstMcpInfo"), ("postDateStruct",))
    return dates | {"firstMcpInfo": first_posted["postDateStruct"]} if first_posted else dates


def _unposted_events(annotation: Taken) -> Iterator[SubmissionEvent]:
    def read(_: int, item: Taken) -> SubmissionEvent:
        item.pop("dateUnknown", None)
        return SubmissionEvent(enum_key(_text(item, "type")) or "", _text(item, "date"))

    yield from _items(annotation, "unpostedEvents", read)


def _tracked_events(tracking: Taken) -> Iterator[SubmissionEvent]:
    """The events of the tracking; it also counts posted releases, which says no more than their events do."""
    for info in _items(tracking, "submissionInfos", lambda _, item: item):
        for word, kind in (("release", "RELEASE"), ("unrelease", "UNRELEASE"), ("reset", "RESET")):
            date = _text(info, f"{word}Date")
            if date or info.get(f"{word}DateUnknown") is True:
                yield SubmissionEvent(kind, date)


def _fda_notice(position: int, item: Taken) -> FdaNotice:
    return FdaNotice(
        type=_text(item, "type"),
        description=_text(item, "description"),
        dates=_dates(item, _FDA_DATES),
        position=position,
        rest=item,
    )


def _document(position: int, item: Taken) -> Document:
    return Document(
        filename=_text(item, "filename"),
        label=_text(item, "label"),
        type=_text(item, "typeAbbrev"),
        date=_text(item, "date"),
        upload_date=_text(item, "uploadDate"),
        size=item.pop("size", None),
        position=position,
        rest=item,
    )


# --- taking values out ------------------------------------------------------------------------------------------------


def _text(item: Taken, key: str) -> str | None:
    """Takes a text; null and "" are taken as absent, any other type stays."""
    value = item.get(key)
    if value is None or isinstance(value, str):
        item.pop(key, None)
        return value or None
    return None


def _flag(item: Taken, key: str) -> bool | None:
    value = item.get(key)
    if value is None or isinstance(value, bool):
        item.pop(key, None)
        return value
    return None


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _object(item: Json, key: str) -> Taken:
    """The object under `key`, left where it is so that others can take from it; {} where there is none."""
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _taken_object(item: Taken, key: str) -> Taken:
    return item.pop(key) if isinstance(item.get(key), dict) else {}


def _emptied(item: Taken) -> Taken:
    taken = dict(item)
    item.clear()
    return taken


def _taken_list(item: Taken, key: str, kind: type[Item]) -> list[tuple[int, Item]]:
    """Takes the list's values of the given type with their positions; values of other types stay behind as a list.

    Nulls say nothing. A value that stands alone where a list is expected is a list of one.
    """
    value = item.get(key)
    if isinstance(value, kind):
        value = [value]
    if not isinstance(value, list):
        return []
    found = [(position, member) for position, member in enumerate(value) if isinstance(member, kind)]
    item[key] = [member for member in value if not isinstance(member, kind | None)]
    return found


def _texts(item: Taken, key: str) -> tuple[str, ...]:
    taken = tuple(text for _, text in _taken_list(item, key, str))
    if not item.get(key, True):
        del item[key]
    return taken


def _items(item: Taken, key: str, read: Callable[[int, Taken], Item]) -> tuple[Item, ...]:
    taken = tuple(read(position, member) for position, member in _taken_list(item, key, dict))
    if not item.get(key, True):
        del item[key]
    return taken


def _single(item: Taken, key: str, read: Callable[[int, Taken], Item]) -> tuple[Item, ...]:
    """What one object says, as a tuple of one, or of none where there is no such object."""
    return (read(0, item.pop(key)),) if isinstance(item.get(key), dict) else ()


def _date(item: Taken, key: str) -> PartialDate | None:
    """Takes a date and its type; a type without a date says nothing."""
    struct = _object(item, key)
    date, kind = _text(struct, "date"), _text(struct, "type")
    return PartialDate(date, kind) if date else None


def _dates(item: Taken, keys: tuple[str, ...]) -> dict[str, str]:
    """Dates by the registry's key, plain or as an object with a type: the type of its own dates says nothing."""
    found: dict[str, str] = {}
    for key in keys:
        struct = _object(item, key)
        struct.pop("type", None)
        date = _text(struct, "date") or _text(item, key)
        if date:
            found[key] = date
    return found


def _pruned(value: Json, depth: int = 4) -> Json:
    """What is left, without the shells of sections and modules that are empty now."""
    if depth == 0 or not isinstance(value, dict):
        return value
    kept = {key: _pruned(member, depth - 1) for key, member in value.items()}
    return {key: member for key, member in kept.items() if member != {}}
