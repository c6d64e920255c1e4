"""What is told in one message, as plain data, and its JSON; no channel, no markup."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from snapshots.archive import Step, StoredChange, rfc3339, stored_change_json
from snapshots.changes import Change
from snapshots.trial import Contact, Site, Trial

Json = Any
Type = Literal[
    "trial.changed",
    "search.changed",
    "digest",
    "standing",
    "summary",
    "registry.notice",
    "operator.notice",
    "confirmation",
    "test",
]
"""Types of message. A type is laid out by `templates/<type>/`; one without a folder of its own as a plain notice, by
`templates/_notice/`: a heading (`title`), paragraphs (`notice`), a button (`action`)."""

TYPE_NAMES: dict[str, str] = {
    "trial.changed": "alert",
    "search.changed": "alert of a search",
    "digest": "digest",
    "standing": "today’s state",
    "summary": "summary",
    "registry.notice": "notice about the registry",
    "operator.notice": "notice to the operator",
    "confirmation": "question to a new address",
    "test": "test",
}
"""What people call the types."""


class Action(Struct, frozen=True):
    """A link that stands out: what it is for in a few words, and where it leads. Opening it does nothing by itself."""

    words: str
    url: str


class Distance(Struct, frozen=True):
    """How far a site is from the place that a subscription asks for, by the name under which it was asked for."""

    km: float
    place: str


class Why(Struct, frozen=True):
    """A subscription that wanted this message, and in words why it fits ("kinds site.*; in China")."""

    name: str
    reason: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """What a reader needs beside the changes, as the record says it now: who may take part and whom to ask."""

    status: str | None = None
    minimum_age: str | None = None
    maximum_age: str | None = None
    sex: str | None = None
    healthy_volunteers: bool | None = None
    contacts: tuple[Contact, ...] = ()
    site_contacts: Mapping[int, tuple[Contact, ...]] = {}
    """By the id of the change that is about the site."""


class News(Struct, frozen=True, kw_only=True):
    """What is told of one step of one record; of the step's changes only those that somebody wanted.

    `url`: where a person reads the record. `by_place`: ids of the changes that fit a subscription by their place;
    `distances`: by the id of a change about a site, how far that is from the place that was asked for.
    """

    step: Step
    url: str | None
    changes: tuple[StoredChange, ...]
    by_place: frozenset[int] = frozenset()
    distances: Mapping[int, Distance] = {}
    facts: Facts | None = None


class Coming(Struct, frozen=True, kw_only=True):
    """One thing that is coming or overdue for a record: `day` (ISO), and in `days` from the day of asking (negative:
    past), in a sentence.
    """

    id: str
    what: str
    day: str
    days: int
    words: str


class NotSeen(Struct, frozen=True, kw_only=True):
    """A critical change that an address was told, and that nobody acknowledged. `told_at` is aware UTC."""

    id: str
    summary: str
    told_at: datetime
    delivery_id: str


class Coverage(Struct, frozen=True, kw_only=True):
    """What a digest's silence rests on: how many records are watched, when the registry was last looked through and for
    which release, and which of the records could not be checked (id, reason; since which release, by id). And what its
    reader should know beside the changes: how many were told by other messages, what is coming or overdue, what
    critical was not acknowledged, what rests and what rests no more (what, how). Times are aware UTC.

    `unanswered_searches` of what could not be checked are searches, all others records. The registry was asked last at
    `asked_at`; no asking came to a good end since `failing_since`, `failing_because` is what the last one said (None:
    the last was good; all three None: nobody noted it). So many of the subscription's watches are `paused` and not
    asked for; so many changes are `waiting` for the end of a snooze. `only_asked_for`: it has conditions, so what it
    does not tell may have changed all the same.
    """

    since: datetime
    until: datetime
    watched: int
    last_checked: datetime | None = None
    release: str | None = None
    unchecked: tuple[tuple[str, str], ...] = ()
    unchecked_since: Mapping[str, str] = {}
    told_meanwhile: int = 0
    coming: tuple[Coming, ...] = ()
    unseen: tuple[NotSeen, ...] = ()
    silences: tuple[tuple[str, str], ...] = ()
    ended: tuple[tuple[str, str], ...] = ()
    unanswered_searches: int = 0
    asked_at: datetime | None = None
    failing_since: datetime | None = None
    failing_because: str | None = None
    paused: int = 0
    waiting: int = 0
    only_asked_for: bool = False


class Message(Struct, frozen=True, kw_only=True):
    """Everything one delivery tells. `created` (aware UTC) stays the same over retries, as `delivery_id` does.

    `notice` is the text of a message that is not about changes, `title` its heading and subject, `action` what its
    reader is asked to open. `archive_head` is the archive's head, shortened; `operator` the address of who runs this
    installation. The pages behind `unsubscribe_url` and `acknowledge_url` act when their button is pressed, not when
    they are opened.
    """

    delivery_id: str
    type: Type
    created: datetime
    subscriptions: tuple[Why, ...] = ()
    news: tuple[News, ...] = ()
    coverage: Coverage | None = None
    title: str | None = None
    notice: str | None = None
    action: Action | None = None
    archive_head: str | None = None
    base_url: str | None = None
    operator: str | None = None
    unsubscribe_url: str | None = None
    acknowledge_url: str | None = None

    @property
    def thread(self) -> str:
        """What this message belongs to, for mail threads: its trial, else its subscription, else its type."""
        if self.type != "digest" and self.news and self.news[0].step.registry_id:
            return f"trial.{self.news[0].step.registry}.{self.news[0].step.registry_id}"
        return f"{self.type}.{self.subscriptions[0].name}" if self.subscriptions else self.type


# --- facts ----------------------------------------------------------------------------------------------------------


def facts_of(trial: Trial, changes: Sequence[StoredChange]) -> Facts:
    """What `trial` (the version the changes lead to) says about who may take part and whom to ask."""
    contacts = {stored.id: _site_contacts(trial, stored.change) for stored in changes}
    return Facts(
        status=trial.overall_status,
        minimum_age=trial.minimum_age,
        maximum_age=trial.maximum_age,
        sex=trial.sex,
        healthy_volunteers=trial.healthy_volunteers,
        contacts=trial.central_contacts[:3],
        site_contacts={id_: found for id_, found in contacts.items() if found},
    )


def _site_contacts(trial: Trial, change: Change) -> tuple[Contact, ...]:
    """The contacts of the site that a change is about, found by where it stands and checked by its name."""
    subject = change.subject
    if not subject or subject.get("type") != "site" or change.kind == "site.removed" or not change.path:
        return ()
    return next((site.contacts[:2] for site in trial.sites if _is_about(change, trial, site)), ())


def _is_about(change: Change, trial: Trial, site: Site) -> bool:
    place = trial.path("sites", site.position)
    stands_there = change.path == place or bool(change.path and change.path.startswith(f"{place}."))
    return stands_there and bool(change.subject) and change.subject.get("name") == site.facility  # type: ignore[union-attr]


# --- JSON -----------------------------------------------------------------------------------------------------------


def webhook_body(message: Message) -> dict[str, Json]:
    """The message as the body of a webhook; times are RFC 3339 UTC. See the documentation of the webhook format."""
    data: dict[str, Json] = {
        "delivery_id": message.delivery_id,
        "subscriptions": [why.name for why in message.subscriptions],
        "archive_head": message.archive_head,
    }
    if message.type in ("digest", "summary") or len(message.news) > 1:
        data["records"] = [_news_json(news) for news in message.news]
    elif message.news:
        data |= _news_json(message.news[0])
    told = {"title": message.title, "notice": message.notice, "action_url": message.action and message.action.url}
    data |= {key: value for key, value in told.items() if value is not None}
    if message.coverage is not None:
        data["coverage"] = _coverage_json(message.coverage)
    return {"type": message.type, "timestamp": rfc3339(message.created), "data": data}


def _news_json(news: News) -> dict[str, Json]:
    step = news.step
    return {
        "record": record_json(news),
        "from_version": step.from_version,
        "to_version": step.to_version,
        "release": step.release,
        "changes": [stored_change_json(step, stored, news.url) for stored in news.changes],
    }


def record_json(news: News) -> dict[str, Json] | None:
    """The record a step is about, None where it is about the registry as a whole."""
    step = news.step
    if step.registry_id is None:
        return None
    return {"registry": step.registry, "id": step.registry_id, "title": step.title, "url": news.url}


def _coverage_json(coverage: Coverage) -> dict[str, Json]:
    return {
        "since": rfc3339(coverage.since),
        "until": rfc3339(coverage.until),
        "watched": coverage.watched,
        "last_checked": rfc3339(coverage.last_checked) if coverage.last_checked else None,
        "release": coverage.release,
        "unchecked": [
            {"id": id_, "reason": reason, "since": coverage.unchecked_since.get(id_)}
            for id_, reason in coverage.unchecked
        ],
        "last_asked": rfc3339(coverage.asked_at) if coverage.asked_at else None,
        "failing_since": rfc3339(coverage.failing_since) if coverage.failing_since else None,
        "paused": coverage.paused,
        "waiting": coverage.waiting,
        "told_meanwhile": coverage.told_meanwhile,
        "coming": [
            {"id": one.id, "what": one.what, "date": one.day, "days": one.days, "summary": one.words}
            for one in coverage.coming
        ],
        "unseen": [
            {
                "id": one.id,
                "summary": one.summary,
                "told_at": rfc3339(one.told_at),
                "delivery_id": one.delivery_id,
            }
            for one in coverage.unseen
        ],
        "at_rest": [{"name": name, "how": how} for name, how in coverage.silences],
        "awake_again": [{"name": name, "how": how} for name, how in coverage.ended],
    }
