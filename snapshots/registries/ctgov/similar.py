"""How is ClinicalTrials.gov asked for trials that are like one, and what does it list?"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Raw

from snapshots.canonical import enum_key
from snapshots.related.words import Listed, Wording, ranked, wording
from snapshots.trial import Trial

Json = Any

_PROTOCOL = "protocolSection"
FIELDS = "|".join(
    f"{_PROTOCOL}.{name}"
    for name in (
        "identificationModule.nctId",
        "identificationModule.briefTitle",
        "statusModule.overallStatus",
        "designModule.phases",
        "conditionsModule.conditions",
        "armsInterventionsModule.interventions",
        "sponsorCollaboratorsModule.leadSponsor",
    )
)
SEARCH_PAGE = "https://clinicaltrials.gov/search"
PAGE_SIZE = 40
MOST_TERMS = 5


def question(trial: Trial) -> dict[str, str] | None:
    """The parameters of one page of /studies: trials of the same conditions or, where none is stated, of its title's
    words; the registry's own order of relevance. None where the record says nothing to ask by.
    """
    terms = [_term(each) for each in trial.conditions[:MOST_TERMS]]
    conditions = " OR ".join(each for each in terms if each)
    if conditions:
        return {"query.cond": conditions, "pageSize": str(PAGE_SIZE)}
    title = _term(trial.title)
    return {"query.titles": title, "pageSize": str(PAGE_SIZE)} if title else None


def listed(studies: Sequence[Raw], trial: Trial, most: int) -> tuple[Listed, ...]:
    """Up to `most` of the studies on a page, without the trial itself, the likest first. What cannot be read is left
    out.
    """
    found = {each.id: (each, said) for each, said in _read(studies) if each.id != trial.id}
    order = ranked(wording(trial), ((name, said) for name, (_, said) in found.items()))
    return tuple(found[name][0] for name in order[:most])


def similar_page(trial: Trial) -> str:
    """The registry's page that searches for the first of the trial's conditions."""
    condition = trial.conditions[0] if trial.conditions else trial.title
    return f"{SEARCH_PAGE}?{urlencode({'cond': condition})}"


def _term(text: str) -> str:
    """A condition as a phrase that the registry's search takes for nothing else than words."""
    plain = " ".join(re.findall(r"[^\W_]+", text))
    return f"({plain})" if plain and plain.upper() not in {"AND", "OR", "NOT"} else ""


def _read(studies: Sequence[Raw]) -> Iterator[tuple[Listed, Wording]]:
    for raw in studies:
        try:
            study = msgspec.json.decode(raw)
            yield _listed(study["protocolSection"])
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError, RecursionError):
            continue


def _listed(protocol: Json) -> tuple[Listed, Wording]:
    identification = protocol["identificationModule"]
    status = protocol.get("statusModule", {}).get("overallStatus")
    phases = tuple(each for each in protocol.get("designModule", {}).get("phases", ()) if isinstance(each, str))
    interventions = protocol.get("armsInterventionsModule", {}).get("interventions", ())
    title = _plain(identification.get("briefTitle"))
    said = Wording(
        title=title,
        conditions=", ".join(map(_plain, protocol.get("conditionsModule", {}).get("conditions", ()))),
        interventions=", ".join(_plain(each.get("name")) for each in interventions),
        sponsor=_plain(protocol.get("sponsorCollaboratorsModule", {}).get("leadSponsor", {}).get("name")),
        status=enum_key(status) if isinstance(status, str) else None,
        phases=" ".join(phases),
    )
    name = identification["nctId"]
    if not isinstance(name, str):
        raise TypeError("an id is a text")
    return Listed(id=name, title=title or name, status=said.status, phases=phases), said


def _plain(value: Json) -> str:
    """A text without the marks that the registry's search puts around what it found."""
    return re.sub(r"</?mark>", "", value) if isinstance(value, str) else ""
