"""What did a record say on a day, and how sure is that? Also where the answer is that nobody here can say."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct, structs
from sqlalchemy import Connection

from monitor.absences import Absence, Asked, Silence, asked_for
from monitor.former_ids import Naming, naming_on
from monitor.looks import Look, is_release_due
from monitor.questions import missing_before
from snapshots import archive
from snapshots.archive import Gap, Place, Record, VersionInfo
from snapshots.archive.order import as_of, history_date, is_back_filled
from snapshots.canonical import enum_key
from snapshots.registries.ctgov.parse import parse
from snapshots.sentences import capitalised, counted, date_words
from snapshots.timeline import day

Kind = Literal[
    "stood", "between looks", "not answered", "not confirmed",
    "not registered yet", "before what is stored", "in a gap", "pruned", "withheld", "missing", "ahead",
]  # fmt: skip


class Answer(Struct, frozen=True, kw_only=True):
    """The answer for the ISO day `asked`. `answer` says which: the version "stood" on that day; it was "not registered
    yet"; or registered and "before what is stored"; "in a gap": a version of before that day could not be had, the
    given one is the last before it; "pruned": the version that stood is known, its bytes were taken away on purpose;
    "between looks": nobody looked for a while, or the registry did not answer, and
    then it said something else, version `or_version`; "not answered": the registry was asked for it since, in vain, and
    has said nothing else so far; "not confirmed": nobody had looked since; "withheld": the registry showed nothing,
    `last_shown` is the version it showed last; "missing": the registry did not answer for it in two releases running
    or more; "ahead": the day is not over, the newest is given.

    `version` is None where nothing is known of that day; `place` says which of the record's it is, `dated_by` which of
    its dates was compared ("release" or "registry date") and `date` that ISO day. `confirmed` is the last ISO day up to
    that one on which it was known to stand, `next_look` the first one after it, None where there is none. `sentence`
    says all of it to a person.
    """

    asked: str
    answer: Kind
    sentence: str
    version: VersionInfo | None = None
    place: Place | None = None
    dated_by: str | None = None
    date: str | None = None
    last_shown: int | None = None
    confirmed: str | None = None
    next_look: str | None = None
    or_version: int | None = None


def said_on(connection: Connection, registry: str, any_id: str, asked: str, today: date) -> Answer | None:
    """What a record (by any of its ids) said on the ISO day `asked`; None where nothing at all is stored of it. An id
    that named another record before a merge is answered for by that one.
    """
    record = archive.find_record(connection, registry, any_id)
    if record is None:
        return None
    naming = naming_on(connection, record, any_id, asked)
    answer = _said(connection, naming, asked, today)
    return structs.replace(answer, sentence=naming.words + answer.sentence) if answer else None


def _said(connection: Connection, naming: Naming, asked: str, today: date) -> Answer | None:
    record = naming.record
    versions = archive.versions_of(connection, record)
    if not versions:
        return None
    version = as_of(versions, asked)
    if version is None:
        return _before_all(connection, record, versions[0], asked)
    places = archive.places_of(connection, record.registry, record.registry_id)
    named = _named(version, places)
    if version.pruned is not None:
        return _gone(version, named, asked)
    asking = asked_for(connection, record, versions, naming.before)
    day = _Day(connection, record, versions, version, asked, places, asking)
    standing = day.standing(today)
    return Answer(
        asked=asked,
        answer=standing.kind,
        sentence=f"{named}, {_of_date(version)}{standing.words}",
        version=version,
        place=places.get(version.number),
        dated_by="registry date" if is_back_filled(version.source) else "release",
        date=history_date(version),
        last_shown=standing.last_shown,
        confirmed=standing.confirmed,
        next_look=standing.next_look,
        or_version=standing.or_version,
    )


class _Standing(Struct, frozen=True, kw_only=True):
    """Which answer it is, in words that follow the version's name; and the facts of `Answer` that go with it."""

    kind: Kind
    words: str
    last_shown: int | None = None
    confirmed: str | None = None
    next_look: str | None = None
    or_version: int | None = None


class _Day(Struct, frozen=True):
    """A day of a record, and the last version that is dated not after it."""

    connection: Connection
    record: Record
    versions: Sequence[VersionInfo]
    version: VersionInfo
    asked: str
    places: Mapping[int, Place]
    asking: Asked

    def standing(self, today: date) -> _Standing:
        """Which answer it is."""
        if _is_withheld(self.connection, self.version):
            shown = self._last_shown()
            where = f"; {_name(shown, self.places)} is the last that it showed" if shown else ""
            words = f": the record was withheld, the registry showed nothing of it{where}."
            return _Standing(kind="withheld", words=words, last_shown=shown)
        absence = self._absence()
        if absence and absence.is_believed:
            return _Standing(kind="missing", words=_missing_words(absence), next_look=absence.until)
        missed = self._missed()
        if missed:
            return _Standing(kind="in a gap", words=_gap_words(missed))
        if self.asked > today.isoformat():
            return _Standing(kind="ahead", words=f": the newest; {date_words(self.asked)} lies ahead.")
        return self._looked(today, absence)

    def _absence(self) -> Absence | None:
        """The time in which the registry had no such record, where the day lies in one."""
        return next(
            (
                each
                for each in self.asking.absences
                if each.since <= self.asked and (each.until is None or self.asked < each.until)
            ),
            None,
        )

    def _looked(self, today: date, absence: Absence | None) -> _Standing:
        """What the looks before and after that day say."""
        stood = f": it stood on {date_words(self.asked)}."
        following = self._following()
        if following and (is_back_filled(self.version.source) or is_back_filled(following.source)):
            # the registry's own history leaves no version out
            return _Standing(kind="stood", words=stood)
        look, upcoming = self._looks(following)
        last, silent = look.day, self._silences(look, following)
        # today's release may be still to come
        until = min(self.asked, (today - timedelta(days=1)).isoformat())
        is_certain = upcoming is not None or not (silent or is_release_due(last, until))
        if last == self.asked or (is_certain and absence is None):
            return _Standing(kind="stood", words=stood, confirmed=last, next_look=upcoming)
        if following is None or upcoming is not None:
            return self._unconfirmed(last, silent, upcoming)
        return _Standing(
            kind="between looks",
            words=_between_words(last, following, self.places, silent),
            confirmed=last,
            next_look=history_date(following),
            or_version=following.number,
        )

    def _unconfirmed(self, last: str, silent: Sequence[Silence], upcoming: str | None) -> _Standing:
        """The registry has said nothing else since, as far as it answered."""
        if any(each.day <= self.asked for each in silent):
            words = _unanswered_words(last, silent[0].day, upcoming)
            return _Standing(kind="not answered", words=words, confirmed=last, next_look=upcoming)
        since = "it has not been looked at since"
        if silent:
            since = f"it was asked for next on {date_words(silent[0].day)}, when the registry did not answer for it"
        words = f": last confirmed on {date_words(last)}; {since}."
        return _Standing(kind="not confirmed", words=words, confirmed=last)

    def _silences(self, last: Look, following: VersionInfo | None) -> list[Silence]:
        """What was asked for in vain between the last look up to that day and the next version."""
        silent = (each for each in self.asking.silences if each.at > last.at)
        return [each for each in silent if following is None or each.at < following.observed_at]

    def _following(self) -> VersionInfo | None:
        at = self.versions.index(self.version) + 1
        return self.versions[at] if at < len(self.versions) else None

    def _looks(self, following: VersionInfo | None) -> tuple[Look, str | None]:
        """The last look up to the day asked for at which the version was seen, the day of the first one after it."""
        if is_back_filled(self.version.source):
            return self._filled_on(), None
        found = [
            look
            for look in self.asking.looks
            if look.at >= self.version.observed_at and (following is None or look.at < following.observed_at)
        ]
        stored = Look(history_date(self.version), self.version.observed_at)
        up_to = [stored, *(look for look in found if look.day <= self.asked)]
        return max(up_to, key=lambda look: look.at), min(
            (look.day for look in found if look.day > self.asked), default=None
        )

    def _filled_on(self) -> Look:
        """The moment at which the registry's history ended with this version, which nobody has observed since."""
        known = archive.filling(self.connection, self.record.registry, [self.record.registry_id])
        listed = [each.tried_at for each in known.values() if each.state == "complete"]
        at = max([self.version.observed_at, *listed])
        return Look(at.date().isoformat(), at)

    def _missed(self) -> list[Gap]:
        """The versions that could not be had and may have stood on that day: after this one, up to the day."""
        gaps = archive.gaps(self.connection, self.record.registry, self.record.registry_id)
        following = self.versions[self.versions.index(self.version) + 1 :]
        expected = {following[0].number} if following else set()
        due = (gap for gap in gaps if gap.registry_date <= self.asked)
        return [gap for gap in due if set(missing_before(self.versions, [gap])) == expected]

    def _last_shown(self) -> int | None:
        earlier = self.versions[: self.versions.index(self.version)]
        shown = (
            each.number for each in reversed(earlier) if each.pruned is None and not _is_withheld(self.connection, each)
        )
        return next(shown, None)


def _named(version: VersionInfo, places: Mapping[int, Place]) -> str:
    return capitalised(_name(version.number, places))


def _name(number: int, places: Mapping[int, Place]) -> str:
    """Which of the record's versions it is, and the number by which it is asked for."""
    place = places.get(number)
    return f"{place.short} (archive no. {number})" if place else f"archive no. {number}"


def _gone(version: VersionInfo, named: str, asked: str) -> Answer:
    return Answer(
        asked=asked,
        answer="pruned",
        sentence=f"{named}, {_of_date(version)}, is the last of before that day: what it said was "
        f"{version.pruned}; its hashes are kept.",
        dated_by="registry date" if is_back_filled(version.source) else "release",
        date=history_date(version),
    )


def _is_withheld(connection: Connection, version: VersionInfo) -> bool:
    trial = parse(archive.read_version(connection, version.number))
    return enum_key(trial.overall_status) == "WITHHELD"


def _before_all(connection: Connection, record: Record, oldest: VersionInfo, asked: str) -> Answer:
    trial = parse(archive.read_version(connection, oldest.number))
    submitted = day(trial.bookkeeping_dates.get("studyFirstSubmitDate"))
    stored = f"the oldest stored version (archive no. {oldest.number}) is dated {_of_date(oldest)}"
    if submitted and submitted.isoformat() > asked:
        words = f"The study was registered on {date_words(submitted.isoformat())}; {stored}."
        return Answer(asked=asked, answer="not registered yet", sentence=f"Not registered yet. {words}")
    fill = f"what it said before may be had with: trialdelta backfill {record.registry_id}"
    return Answer(
        asked=asked,
        answer="before what is stored",
        sentence=f"Nothing is known here of {date_words(asked)}: {stored}; {fill}",
    )


def _between_words(last: str, following: VersionInfo, places: Mapping[int, Place], silent: Sequence[Silence]) -> str:
    seen = f"next seen on {date_words(history_date(following))}, changed to {_name(following.number, places)}"
    nobody = f"the registry was asked in vain, on {date_words(silent[0].day)}" if silent else "nobody looked"
    return f": last confirmed on {date_words(last)}, {seen}. In between {nobody}: it said the one or the other."


def _missing_words(absence: Absence) -> str:
    back = f"; it answered for it again on {date_words(absence.until)}" if absence.until else ""
    since = date_words(absence.since)
    return f": the last before the registry did not answer for the record any more, on {since}{back}."


def _unanswered_words(last: str, asked: str, upcoming: str | None) -> str:
    again = f", and said the same again on {date_words(upcoming)}" if upcoming else ""
    return f": last confirmed on {date_words(last)}; on {date_words(asked)} the registry did not answer for it{again}."


def _gap_words(missed: Sequence[Gap]) -> str:
    dates = ", ".join(date_words(gap.registry_date) for gap in missed[-3:])
    what = f"{counted(len(missed), 'later version')} of before that day ({dates}) could not be had"
    return f": the last one known before a gap. {what}, so that what stood then is not known for sure."


def _of_date(version: VersionInfo) -> str:
    words = "the registry's own date" if is_back_filled(version.source) else "the release"
    return f"by {words} of {date_words(history_date(version))}"
