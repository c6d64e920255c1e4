"""What a message says, in words: the plain values that templates lay out. Everything here is safe on one line."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from notifiers.clean_text import one_line, paragraphs
from notifiers.digest_wording import DigestTold, changed_words, digest_told
from notifiers.lines import Line, grouped
from notifiers.message import Action, Coverage, Distance, Facts, Message, News
from notifiers.passages import Detail, details, some
from snapshots.changes import Change
from snapshots.kinds import KINDS, SEVERITIES
from snapshots.sentences import beside_label, capitalised, date_words, enum_words, listed, place_words, status_words
from snapshots.trial import Contact

Json = Any

REGISTRY_NAMES = {"ctgov": "ClinicalTrials.gov, a service of the U.S. National Library of Medicine"}
SHOWN_LINES = 40
"""Lines told in full in one message about one trial; mail programs cut messages off at about 100 KB."""
SHOWN_IN_DIGEST = 12
"""Lines told of one trial in a digest."""
SHOWN_TRIALS = 500
"""Trials told in one message: what is not listed is told by its number alone."""
SHOWN_PLACES = 20
SHOWN_NAMES = 5
SENTENCE = 600


class Person(Struct, frozen=True):
    """Whom to ask; what the record does not say is None."""

    name: str | None
    phone: str | None
    email: str | None

    @property
    def words(self) -> str:
        return ", ".join(filter(None, (self.name, self.phone, self.email)))

    @property
    def dial(self) -> str | None:
        """The number as a telephone takes it, where there is exactly one, without extension."""
        plain = re.sub(r"[\s().-]", "", self.phone or "")
        return plain if re.fullmatch(r"\+?\d{5,15}", plain) else None

    @property
    def mailable(self) -> bool:
        """Whether the address is one and nothing but one."""
        return bool(re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", self.email or "", re.ASCII))


class Told(Struct, frozen=True, kw_only=True):
    """One line of a message: its sentence and what belongs under it."""

    severity: str
    label: str
    sentence: str
    place: str | None = None
    people: tuple[Person, ...] = ()
    names: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    followers: str | None = None
    came_with: str | None = None
    seen: str

    @property
    def beside(self) -> str:
        """The sentence where it stands beside the label."""
        return beside_label(self.label, self.sentence)

    @property
    def entry(self) -> str:
        """Label and sentence in one; sentences that begin with their label say it once."""
        return self.sentence if self.sentence.startswith(self.label) else f"{self.label}: {self.sentence}"


class TrialTold(Struct, frozen=True, kw_only=True):
    """What is told of one trial. `seen` says since when the latest is known; `steps` how many times it changed;
    `unsaid` how many lines were left out.
    """

    id: str | None
    title: str
    url: str | None
    seen: str
    severity: str
    lines: tuple[Told, ...]
    steps: int = 1
    unsaid: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    people: tuple[Person, ...] = ()


class Foot(Struct, frozen=True, kw_only=True):
    """What stands under every message; `operator` is the mailbox of who runs it, None where none is known."""

    why: tuple[tuple[str, str], ...]
    source: str
    archive_head: str | None
    stop_commands: tuple[str, ...]
    unsubscribe_url: str | None
    acknowledge_url: str | None
    base_url: str | None
    operator: str | None = None


def view(message: Message, most: int = SHOWN_TRIALS) -> dict[str, Any]:
    """The values that a message's templates may use, by name; of so many trials at most."""
    limit = SHOWN_IN_DIGEST if message.type in ("digest", "summary") else SHOWN_LINES
    trials = tuple(_trial(steps, limit) for steps in _by_trial(message.news)[:most])
    return {
        "type": message.type,
        "trials": trials,
        "trial": trials[0] if trials else None,
        "label": trials[0].lines[0].label if trials and trials[0].lines else "",
        "more": max(sum(len(news.changes) for news in message.news) - 1, 0),
        "title": one_line(message.title, 200) if message.title else None,
        "notice": paragraphs(message.notice, 4000) if message.notice else None,
        "paragraphs": _paragraphs(message.notice),
        "action": _action(message.action),
        "digest": _digest(message, message.coverage, most) if message.coverage else None,
        "summary": _summary(message, most) if message.type == "summary" else None,
        "names": tuple(one_line(why.name, 80) for why in message.subscriptions),
        "foot": _foot(message),
        "created": _moment(message.created),
    }


def _paragraphs(notice: str | None) -> tuple[str, ...]:
    """The paragraphs of a notice, each on one line."""
    found = (one_line(part) for part in paragraphs(notice or "", 8000).split("\n\n"))
    return tuple(part for part in found if part)


def _action(action: Action | None) -> Action | None:
    url = _web_address(action.url) if action else None
    return Action(one_line(action.words, 80), url) if action and url else None


def _by_trial(news: Iterable[News]) -> list[list[News]]:
    """The steps of each record together, latest first; the records with the most severe news first."""
    records: dict[tuple[str, str | None], list[News]] = {}
    for each in news:
        records.setdefault((each.step.registry, each.step.registry_id), []).append(each)
    for steps in records.values():
        steps.sort(key=lambda each: each.step.observed_at, reverse=True)
    return sorted(records.values(), key=lambda steps: min(map(_rank, steps)))


def _rank(news: News) -> int:
    """How severe the most severe change is, 0 being the most."""
    ranks = [SEVERITIES.index(stored.change.severity) for stored in news.changes]
    return min(ranks, default=len(SEVERITIES))


# --- one trial ------------------------------------------------------------------------------------------------------


def _trial(steps: Sequence[News], limit: int) -> TrialTold:
    latest = steps[0]
    lines = [_told(line, news) for news in steps for line in grouped(news.changes, news.by_place)]
    lines.sort(key=lambda told: SEVERITIES.index(told.severity))
    return TrialTold(
        id=latest.step.registry_id,
        title=one_line(latest.step.title or latest.step.registry_id or "", 300),
        url=_web_address(latest.url),
        seen=_seen(latest),
        severity=lines[0].severity if lines else "admin",
        lines=tuple(lines[:limit]),
        steps=len(steps),
        unsaid=max(len(lines) - limit, 0),
        facts=_facts(latest.facts) if latest.facts else (),
        people=_people(latest.facts.contacts) if latest.facts else (),
    )


def _seen(news: News) -> str:
    """Since when the change is known: no more than that is known."""
    if news.step.release:
        return f"first seen in the release of {date_words(news.step.release[:10])}"
    return f"first seen on {date_words(news.step.observed_at.date().isoformat())}"


def _told(line: Line, news: News) -> Told:
    lead = line.lead
    alone = len(line.changes) == 1
    contacts = news.facts.site_contacts.get(line.changes[0].id, ()) if news.facts and alone else ()
    return Told(
        severity=lead.severity,
        label=lead.label,
        sentence=capitalised(one_line(line.sentence, SENTENCE)),
        place=_place(lead, news.distances.get(line.changes[0].id)) if alone else None,
        people=tuple(person for person in _people(contacts) if person.phone or person.email),
        names=() if alone else _names(line),
        details=details(lead) if alone else (),
        followers=_followers(line),
        came_with=None if lead.cause is None else _came_with(lead),
        seen=_seen(news),
    )


def _followers(line: Line) -> str | None:
    """What follows from the line, as it ends "And with it …"."""
    return "; ".join(follower.words for follower in line.followers) or None


def _came_with(change: Change) -> str | None:
    assert change.cause is not None
    known = KINDS.get(change.cause.kind)
    whom = f", {one_line(change.cause.name, 120)}" if change.cause.name and change.cause.name != _name(change) else ""
    return f"{known.label}{whom}" if known else None


def _name(change: Change) -> str | None:
    return None if change.subject is None else change.subject.get("name")


def _place(change: Change, distance: Distance | None) -> str | None:
    """Where a site is, for who wants to go there: state, zip code and distance are in no sentence."""
    subject = change.subject
    if not subject or subject.get("type") != "site":
        return None
    city = " ".join(str(subject[key]) for key in ("zip", "city") if subject.get(key))
    words = place_words([subject.get("name"), city, subject.get("state"), subject.get("country")])
    far = f" ({_kilometres(distance.km)} from {distance.place})" if words and distance else ""
    return one_line(words + far, 300) or None


def _kilometres(km: float) -> str:
    return "less than 1 km" if km < 1 else f"{km:,.0f} km"


def _names(line: Line) -> tuple[str, ...]:
    """Of whom a line for many speaks; of places more are named, because somebody looks for theirs."""
    is_site = line.lead.kind.startswith("site.")
    return some([one_line(name, 120) for name in line.whom], SHOWN_PLACES if is_site else SHOWN_NAMES)


# --- who may take part, whom to ask -----------------------------------------------------------------------------------


def _facts(facts: Facts) -> tuple[tuple[str, str], ...]:
    """The record's present state in pairs of term and words; what the record does not say is not told."""
    volunteers = None if facts.healthy_volunteers is None else ("yes" if facts.healthy_volunteers else "no")
    pairs = (
        ("Status", status_words(facts.status) if facts.status else None),
        ("Ages", age_words(facts.minimum_age, facts.maximum_age)),
        ("Sex", _sex_words(facts.sex)),
        ("Healthy volunteers", volunteers),
    )
    return tuple((term, one_line(words, 200)) for term, words in pairs if words)


def age_words(minimum: str | None, maximum: str | None) -> str | None:
    """The age limits as people say them: "18 to 75 years", "18 years and older"; None where there are none."""
    low, high = (age.lower() if age else None for age in (minimum, maximum))
    if low and high:
        low_number, _, low_unit = low.partition(" ")
        return f"{low_number} to {high}" if high.endswith(f" {low_unit}") else f"{low} to {high}"
    if low:
        return f"{low} and older"
    return f"up to {high}" if high else None


def _sex_words(sex: str | None) -> str | None:
    return "any" if sex == "ALL" else enum_words(sex) if sex else None


def _people(contacts: Iterable[Contact]) -> tuple[Person, ...]:
    return tuple(person for person in map(_person, contacts) if person.words)


def _person(contact: Contact) -> Person:
    extension = f" ext. {contact.phone_ext}" if contact.phone and contact.phone_ext else ""
    phone = f"{contact.phone}{extension}" if contact.phone else None
    return Person(*(one_line(text, 120) if text else None for text in (contact.name, phone, contact.email)))


# --- digest, foot -----------------------------------------------------------------------------------------------------


def _digest(message: Message, coverage: Coverage, most: int) -> DigestTold:
    changed = _by_trial(message.news)
    return digest_told(coverage, len(changed), _critical(changed), most)


def _critical(trials: Iterable[Sequence[News]]) -> int:
    """Of how many trials something critical is told."""
    return sum(1 for steps in trials if min(map(_rank, steps)) == 0)


def _summary(message: Message, most: int) -> dict[str, Any]:
    """The words of a summary: how much it tells, and how much it had no room for."""
    trials = _by_trial(message.news)
    return {"headline": changed_words(len(trials), _critical(trials)), "unsaid": max(len(trials) - most, 0)}


def _foot(message: Message) -> Foot:
    registries = dict.fromkeys(news.step.registry for news in message.news) or {"ctgov": None}
    names = [one_line(why.name, 80) for why in message.subscriptions]
    plain = [name for name in names if re.fullmatch(r"[\w.@+-]+", name)]  # a shell takes these as they are
    return Foot(
        why=tuple((one_line(why.name, 80), one_line(why.reason, 300)) for why in message.subscriptions),
        source=listed(REGISTRY_NAMES.get(registry, registry) for registry in registries),
        archive_head=message.archive_head,
        stop_commands=tuple(f"trialdelta subscription remove {name}" for name in plain),
        unsubscribe_url=_web_address(message.unsubscribe_url),
        acknowledge_url=_web_address(message.acknowledge_url),
        base_url=_web_address(message.base_url),
        operator=_mailbox(message.operator),
    )


def _mailbox(uri: str | None) -> str | None:
    """The mail address of a `mailto:` that a person can write to."""
    scheme, _, address = (uri or "").partition(":")
    return address if scheme == "mailto" and Person(None, None, address).mailable else None


def _web_address(url: str | None) -> str | None:
    """The address if a mail may link to it: http or https, nothing invisible in it."""
    if not url or urlsplit(url).scheme not in ("http", "https") or one_line(url) != url or " " in url:
        return None
    return url


def _moment(time: datetime) -> str:
    return f"{date_words(time.date().isoformat())}, {time:%H:%M} UTC"
