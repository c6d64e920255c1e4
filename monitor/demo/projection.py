"""Which parts of a record a `fields` parameter asks for, as ClinicalTrials.gov reads it (for the stand-in)."""

from collections.abc import Mapping
from typing import Any

Json = Any
Wanted = dict[str, "Wanted"]
"""A tree of keys; an empty one wants everything below."""

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "protocolSection": (
        "identificationModule",
        "statusModule",
        "sponsorCollaboratorsModule",
        "oversightModule",
        "descriptionModule",
        "conditionsModule",
        "designModule",
        "armsInterventionsModule",
        "outcomesModule",
        "eligibilityModule",
        "contactsLocationsModule",
        "referencesModule",
        "ipdSharingStatementModule",
    ),
    "resultsSection": (
        "participantFlowModule",
        "baselineCharacteristicsModule",
        "outcomeMeasuresModule",
        "adverseEventsModule",
        "moreInfoModule",
    ),
    "annotationSection": ("annotationModule",),
    "documentSection": ("largeDocumentModule",),
    "derivedSection": ("miscInfoModule", "conditionBrowseModule", "interventionBrowseModule"),
    "hasResults": (),
}

PIECES: Mapping[str, str] = {
    "NCTId": "protocolSection.identificationModule.nctId",
    "NCTIdAlias": "protocolSection.identificationModule.nctIdAliases",
    "BriefTitle": "protocolSection.identificationModule.briefTitle",
    "OverallStatus": "protocolSection.statusModule.overallStatus",
    "LastUpdatePostDate": "protocolSection.statusModule.lastUpdatePostDateStruct.date",
    "HasResults": "hasResults",
    "VersionHolder": "derivedSection.miscInfoModule.versionHolder",
    "RemovedCountry": "derivedSection.miscInfoModule.removedCountries",
    "SubmissionTracking": "derivedSection.miscInfoModule.submissionTracking",
}
"""Pieces that programs ask for by name; sections and modules are also pieces, with a capital letter."""

_MISC = ("versionHolder", "removedCountries", "submissionTracking", "modelPredictions")


class UnknownFieldError(ValueError):
    """A field that the registry does not know: it answers with a plain 500."""


def wanted(fields: str) -> Wanted:
    """The tree of keys that `fields` ("," or "|" between them) asks for. Raises UnknownFieldError for a wrong one."""
    tree: Wanted = {}
    for field in fields.replace(",", "|").split("|"):
        _plant(tree, _path(field.strip()))
    return tree


def project(value: Json, tree: Wanted) -> Json:
    """`value` with only the keys that `tree` wants, in their own order; lists are looked through."""
    if not tree:
        return value
    if isinstance(value, list):
        return [project(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: project(item, tree[key]) for key, item in value.items() if key in tree}
    return {key: item for key, item in kept.items() if item not in ({}, [])}


def _plant(tree: Wanted, path: list[str]) -> None:
    here = tree
    for number, key in enumerate(path):
        if key in here and not here[key]:
            return  # all of it is wanted already
        if number == len(path) - 1:
            here[key] = {}
            return
        here = here.setdefault(key, {})


def _path(field: str) -> list[str]:
    parts = PIECES.get(field, field).split(".")
    if len(parts) == 1:
        return _section_or_module(field)
    section, module = parts[0], parts[1]
    if module not in SECTIONS.get(section, ()):
        raise UnknownFieldError(field)
    if module == "miscInfoModule" and len(parts) > 2 and parts[2] not in _MISC:
        raise UnknownFieldError(field)
    return parts


def _section_or_module(field: str) -> list[str]:
    name = field[:1].lower() + field[1:]
    if name in SECTIONS:
        return [name]
    for section, modules in SECTIONS.items():
        if name in modules:
            return [section, name]
    raise UnknownFieldError(field)
