"""Does the record look like a trial that the law is about? A guess from its fields alone; pure."""

from collections.abc import Mapping
from datetime import date

from snapshots.canonical import country_key, enum_key
from snapshots.deadlines.findings import Applies
from snapshots.trial import Trial

RULE_SINCE = date(2017, 1, 18)
"""When 42 CFR part 11 came into force. Trials that were completed before follow the statute alone (11.42), whose
conditions a record does not tell; those that started before owe fewer updates (11.64(a)(1)(i)).
"""
_HOME = frozenset(
    map(
        country_key,
        ("United States", "Puerto Rico", "Guam", "American Samoa", "Northern Mariana Islands", "Virgin Islands (U.S.)"),
    )
)


def probably_covered(trial: Trial) -> Applies:
    """Whether the record looks like an applicable clinical trial (42 CFR 11.22(b)), as far as its fields tell:
    interventional, not of phase 1 or device feasibility alone, of an FDA-regulated product, with a site in the United
    States or a product made there. Whether it has an IND or IDE number, which also counts, no record tells.
    """
    if enum_key(trial.study_type) != "INTERVENTIONAL":
        return "not likely" if trial.study_type else "cannot be told"
    design = trial.design.get("designInfo")
    purpose = design.get("primaryPurpose") if isinstance(design, Mapping) else None
    early = bool(trial.phases) and {enum_key(phase) for phase in trial.phases} <= {"PHASE1", "EARLY_PHASE1"}
    if early or purpose == "DEVICE_FEASIBILITY":
        return "not likely"
    regulated = [trial.oversight.get(name) for name in ("isFdaRegulatedDrug", "isFdaRegulatedDevice")]
    if True in regulated:
        return "likely" if _is_at_home(trial) else "cannot be told"
    return "not likely" if regulated == [False, False] else "cannot be told"


def _is_at_home(trial: Trial) -> bool:
    here = any(country_key(country) in _HOME for country in trial.countries)
    return here or trial.oversight.get("isUsExport") is True
