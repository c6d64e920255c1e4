"""What is told of a record, or of a registry, that is no difference between two versions."""

from snapshots.changes import Change
from snapshots.rules.build import change
from snapshots.trial import Trial


def first_seen(trial: Trial) -> Change:
    """The first look at a record: its baseline."""
    return change("record.first_seen", summary=f"{trial.title} is watched from now on", after=trial.overall_status)


def missing(record_id: str) -> Change:
    """Its absence is believed."""
    words = f"The registry has not listed {record_id} in two releases running; what it said before is kept"
    return change("record.missing", summary=words)


def returned(record_id: str) -> Change:
    """It was believed to be missing."""
    return change("record.returned", summary=f"The registry lists {record_id} again")


def merged(former: str, kept: str) -> Change:
    """Its id became that of another."""
    words = f"The registry answers for {former} under {kept} now"
    return change("record.merged", summary=words, before=former, after=kept)


def reformatted(records: int, of: int) -> Change:
    """Of so many records of so many, texts differ without a word from their sponsors."""
    words = (
        f"Texts or places of {records:,} of {of:,} watched records differ in this release, though their sponsors sent "
        "nothing in: the registry seems to have reformatted them"
    )
    return change("registry.reformatted", summary=words, after=records)
