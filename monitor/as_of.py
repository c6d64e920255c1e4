"""What did a record say on a day, and how sure is that? Also where the answer is that nobody here can say."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from monitor.questions import missing_before
from snapshots import archive
from snapshots.archive import Gap, Record, VersionInfo
from snapshots.archive.order import as_of, history_date, is_back_filled
from snapshots.canonical import enum_key
from snapshots.registries.ctgov.parse import parse
from snapshots.sentences import counted, date_words
from snapshots.timeline import day

Kind = Literal["stood", "not registered yet", "before what is stored", "in a gap", "withheld", "missing", "ahead"]


class Answer(Struct, frozen=True, kw_only=True):
    """The answer for the ISO day `asked`. `answer` says which: the version "stood" on that day; it was "not registered
    yet"; or registered and "before what is stored"; "in a gap": a version of before that day could not be had, the
    given one is the last before it; "withheld": the registry showed nothing, `last_shown` is the version it showed
    last; "missing": the registry did not answer for it any more; "ahead": the day is not over, the newest is given.

    `version` is None where nothing is known of that day; `dated_by` its date that was compared ("release"
    or "registry date") and `date` that ISO day. `sentence` says all of it to a person.
    """

    asked: str
    answer: Kind
    sentence: str
    version: VersionInfo | None = None
    dated_by: str | None = None
    date: str | None = None
    last_shown: int | None = None


def said_on(connection: Connection, registry: str, any_id: str, asked: str, today: date) -> Answer | None:
    """What a record (by any of its ids) said on the ISO day `asked`; None where nothing at all is stored of it."""
    record = archive.find_record(connection, registry, any_id)
    versions = archive.versions(connection, registry, any_id, merged=False)
    if record is None or not versions:
        return None
    version = as_of(versions, asked)
    if version is None:
        return _before_all(connection, record, versions[0], asked)
    kind, words, shown = _Day(connection, record, versions, version, asked).standing(today)
    return Answer(
        asked=asked,
        answer=kind,
        sentence=f"Version {version.number}, {_of_date(version)}{words}",
        version=version,
        dated_by="registry date" if is_back_filled(version.source) else "release",
        date=history_date(version),
        last_shown=shown,
    )


class _Day(Struct, frozen=True):
    """A day of a record, and the last version that is dated not after it."""

    connection: Connection
    record: Record
    versions: Sequence[VersionInfo]
    version: VersionInfo
    asked: str

    def standing(self, today: date) -> tuple[Kind, str, int | None]:
        """Which answer it is, in words that follow the version's name, and the version that was shown last."""
        if _is_withheld(self.connection, self.version):
            shown = self._last_shown()
            where = f"; version {shown} is the last that it showed" if shown else ""
            return "withheld", f": the record was withheld, the registry showed nothing of it{where}.", shown
        absent = (self.record.missing_since or "")[:10]
        if absent and absent <= self.asked:
            words = f": the last before the registry did not answer for the record any more, on {date_words(absent)}."
            return "missing", words, None
        missed = self._missed()
        if missed:
            return "in a gap", _gap_words(missed), None
        if self.asked > today.isoformat():
            return "ahead", f": the newest; {date_words(self.asked)} lies ahead.", None
        return "stood", f": it stood on {date_words(self.asked)}.", None

    def _missed(self) -> list[Gap]:
        """The versions that could not be had and may have stood on that day: after this one, up to the day."""
        gaps = archive.gaps(self.connection, self.record.registry, self.record.registry_id)
        following = self.versions[self.versions.index(self.version) + 1 :]
        expected = {following[0].number} if following else set()
        due = (gap for gap in gaps if gap.registry_date <= self.asked)
        return [gap for gap in due if set(missing_before(self.versions, [gap])) == expected]

    def _last_shown(self) -> int | None:
        earlier = self.versions[: self.versions.index(self.version)]
        shown = (each.number for each in reversed(earlier) if not _is_withheld(self.connection, each))
        return next(shown, None)


def _is_withheld(connection: Connection, version: VersionInfo) -> bool:
    trial = parse(archive.read_version(connection, version.number))
    return enum_key(trial.overall_status) == "WITHHELD"


def _before_all(connection: Connection, record: Record, oldest: VersionInfo, asked: str) -> Answer:
    trial = parse(archive.read_version(connection, oldest.number))
    submitted = day(trial.bookkeeping_dates.get("studyFirstSubmitDate"))
    stored = f"the oldest stored version, {oldest.number}, is dated {_of_date(oldest)}"
    if submitted and submitted.isoformat() > asked:
        words = f"The study was registered on {date_words(submitted.isoformat())}; {stored}."
        return Answer(asked=asked, answer="not registered yet", sentence=f"Not registered yet. {words}")
    fill = f"what it said before may be had with: trialdelta backfill {record.registry_id}"
    return Answer(
        asked=asked,
        answer="before what is stored",
        sentence=f"Nothing is known here of {date_words(asked)}: {stored}; {fill}",
    )


def _gap_words(missed: Sequence[Gap]) -> str:
    dates = ", ".join(date_words(gap.registry_date) for gap in missed[-3:])
    what = f"{counted(len(missed), 'later version')} of before that day ({dates}) could not be had"
    return f": the last one known before a gap. {what}, so that what stood then is not known for sure."


def _of_date(version: VersionInfo) -> str:
    words = "the registry's own date" if is_back_filled(version.source) else "the release"
    return f"by {words} of {date_words(history_date(version))}"
