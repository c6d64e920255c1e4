"""Where each attribute of a `Trial` stands in a ClinicalTrials.gov record (API v2).

Keys are attributes ("overall_status"), fields of an attribute's items ("sites.zip": the registry's spelling of the
field alone) and, where the items of one attribute come from several lists, the attribute and the kind of item
("identifiers.secondary").
"""

from collections.abc import Mapping
from types import MappingProxyType

_IDENTIFICATION = "protocolSection.identificationModule"
_STATUS = "protocolSection.statusModule"
_SPONSOR = "protocolSection.sponsorCollaboratorsModule"
_OVERSIGHT = "protocolSection.oversightModule"
_DESCRIPTION = "protocolSection.descriptionModule"
_CONDITIONS = "protocolSection.conditionsModule"
_DESIGN = "protocolSection.designModule"
_ARMS = "protocolSection.armsInterventionsModule"
_OUTCOMES = "protocolSection.outcomesModule"
_ELIGIBILITY = "protocolSection.eligibilityModule"
_CONTACTS = "protocolSection.contactsLocationsModule"
_REFERENCES = "protocolSection.referencesModule"
_ANNOTATION = "annotationSection.annotationModule"
_TRACKING = "derivedSection.miscInfoModule.submissionTracking"

_ATTRIBUTES = {
    "id": f"{_IDENTIFICATION}.nctId",
    "aliases": f"{_IDENTIFICATION}.nctIdAliases",
    "identifiers": _IDENTIFICATION,
    "identifiers.org": f"{_IDENTIFICATION}.orgStudyIdInfo",
    "identifiers.secondary": f"{_IDENTIFICATION}.secondaryIdInfos",
    "identifiers.alias": f"{_IDENTIFICATION}.nctIdAliases",
    "brief_title": f"{_IDENTIFICATION}.briefTitle",
    "official_title": f"{_IDENTIFICATION}.officialTitle",
    "acronym": f"{_IDENTIFICATION}.acronym",
    "organization": f"{_IDENTIFICATION}.organization",
    "overall_status": f"{_STATUS}.overallStatus",
    "last_known_status": f"{_STATUS}.lastKnownStatus",
    "why_stopped": f"{_STATUS}.whyStopped",
    "has_expanded_access": f"{_STATUS}.expandedAccessInfo.hasExpandedAccess",
    "expanded_access_id": f"{_STATUS}.expandedAccessInfo.nctId",
    "expanded_access_status": f"{_STATUS}.expandedAccessInfo.statusForNctId",
    "start_date": f"{_STATUS}.startDateStruct",
    "primary_completion_date": f"{_STATUS}.primaryCompletionDateStruct",
    "completion_date": f"{_STATUS}.completionDateStruct",
    "bookkeeping_dates": _STATUS,
    "bookkeeping_dates.estimatedResultsFirstSubmitDate": f"{_TRACKING}.estimatedResultsFirstSubmitDate",
    "bookkeeping_dates.firstMcpInfo": f"{_TRACKING}.firstMcpInfo.postDateStruct",
    "has_results": "hasResults",
    "results": "resultsSection",
    "delay_certificate_dates": _STATUS,
    "submission_events": f"{_ANNOTATION}.unpostedAnnotation.unpostedEvents",
    "fda_notices": f"{_ANNOTATION}.violationAnnotation.violationEvents",
    "fda_violation": f"{_OVERSIGHT}.fdaaa801Violation",
    "documents": "documentSection.largeDocumentModule.largeDocs",
    "study_type": f"{_DESIGN}.studyType",
    "phases": f"{_DESIGN}.phases",
    "enrollment": f"{_DESIGN}.enrollmentInfo",
    "design": _DESIGN,
    "arms": f"{_ARMS}.armGroups",
    "interventions": f"{_ARMS}.interventions",
    "primary_outcomes": f"{_OUTCOMES}.primaryOutcomes",
    "secondary_outcomes": f"{_OUTCOMES}.secondaryOutcomes",
    "other_outcomes": f"{_OUTCOMES}.otherOutcomes",
    "brief_summary": f"{_DESCRIPTION}.briefSummary",
    "detailed_description": f"{_DESCRIPTION}.detailedDescription",
    "conditions": f"{_CONDITIONS}.conditions",
    "keywords": f"{_CONDITIONS}.keywords",
    "eligibility_criteria": f"{_ELIGIBILITY}.eligibilityCriteria",
    "minimum_age": f"{_ELIGIBILITY}.minimumAge",
    "maximum_age": f"{_ELIGIBILITY}.maximumAge",
    "sex": f"{_ELIGIBILITY}.sex",
    "healthy_volunteers": f"{_ELIGIBILITY}.healthyVolunteers",
    "population": _ELIGIBILITY,
    "lead_sponsor": f"{_SPONSOR}.leadSponsor",
    "collaborators": f"{_SPONSOR}.collaborators",
    "responsible_party": f"{_SPONSOR}.responsibleParty",
    "officials": f"{_CONTACTS}.overallOfficials",
    "central_contacts": f"{_CONTACTS}.centralContacts",
    "sites": f"{_CONTACTS}.locations",
    "publications": f"{_REFERENCES}.references",
    "links": _REFERENCES,
    "links.see_also": f"{_REFERENCES}.seeAlsoLinks",
    "links.ipd": f"{_REFERENCES}.availIpds",
    "ipd_sharing": "protocolSection.ipdSharingStatementModule",
    "oversight": _OVERSIGHT,
    "rest": "",
}

_FIELDS = {
    "organization": {"name": "fullName", "type": "class"},
    "lead_sponsor": {"type": "class"},
    "collaborators": {"type": "class"},
    "responsible_party": {
        "name": "investigatorFullName",
        "title": "investigatorTitle",
        "affiliation": "investigatorAffiliation",
    },
    "central_contacts": {"phone_ext": "phoneExt"},
    "sites": {"latitude": "geoPoint.lat", "longitude": "geoPoint.lon"},
    "primary_outcomes": {"time_frame": "timeFrame"},
    "secondary_outcomes": {"time_frame": "timeFrame"},
    "other_outcomes": {"time_frame": "timeFrame"},
    "arms": {"intervention_names": "interventionNames"},
    "interventions": {"arm_labels": "armGroupLabels", "other_names": "otherNames"},
    "links.ipd": {"label": "comment"},
    "documents": {"type": "typeAbbrev", "upload_date": "uploadDate"},
}

PATHS: Mapping[str, str] = MappingProxyType(
    {
        **_ATTRIBUTES,
        **{f"{attribute}.{field}": word for attribute, fields in _FIELDS.items() for field, word in fields.items()},
    }
)
