"""Where it is kept what people asked for, what is due to whom, and what became of it."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from snapshots import archive  # noqa: F401  # steps and changes, which deliveries point to, are tables of the archive
from snapshots.database import UtcDateTime, metadata

watches = Table(
    "watches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("registry", String, nullable=False),
    Column("record_id", String),
    Column("search", JSON(none_as_null=True)),
    Column("name", String, unique=True),
    Column("group_name", String),
    Column("note", Text),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("snooze_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # the sweep in which the registry first gave an answer for it; null: due at once, whatever the release
    Column("baseline_sweep", Integer, ForeignKey("sweeps.id")),
    # of a search: the release for which the registry last said what it finds; null: due at once
    Column("searched_release", String),
    # when the last pause ended (null: it never was paused), and when the present one began: in between nothing confirms
    Column("asked_since", UtcDateTime),
    Column("asked_until", UtcDateTime),
    # who put it to rest (a pause or a snooze), and why
    Column("silenced_by", String),
    Column("silence_reason", Text),
    # a snooze may also end with the next critical change; null as in tables made before: it does not
    Column("snooze_until_critical", Boolean),
    # snoozed: what was observed from then on waits for its end; it stays until what waited is told
    Column("waits_from", UtcDateTime),
    UniqueConstraint("registry", "record_id"),
    CheckConstraint("(record_id IS NULL) <> (search IS NULL)", name="record_or_search"),
    CheckConstraint("search IS NULL OR name IS NOT NULL", name="search_has_name"),
)
# `due_watches.due_ids` asks at every tick for the few without a baseline
Index("ix_watches_without_baseline", watches.c.registry, postgresql_where=text("baseline_sweep IS NULL"),
      sqlite_where=text("baseline_sweep IS NULL"))  # fmt: skip

search_members = Table(
    # a record that a saved search has found, by the id it was known under then; it stays watched when it is lost
    "search_members",
    metadata,
    Column("watch_id", ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True),
    Column("record_id", String, primary_key=True, index=True),
    Column("is_found", Boolean, nullable=False),
    # the release at which the search lost it together with too many others to be believed
    Column("doubted_since", String),
)

search_pages = Table(
    # the pages of a search's records that were taken in a sweep which has not come to its end: it goes on after them
    "search_pages",
    metadata,
    Column("watch_id", ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True),
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("release", String, nullable=False),
    # where the next page begins; null: this was the last one
    Column("next", String),
    Column("total", Integer),
    # the ids on it, packed; and those of which the record could not be taken
    Column("ids", LargeBinary, nullable=False),
    Column("untaken", Text),
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uri", String, nullable=False, unique=True),
    Column("owner", String),
    Column("secret", String),
    # a replaced secret still signs until then, so that the receiver can change over without losing a message
    Column("former_secret", String),
    Column("former_secret_until", UtcDateTime),
    Column("state", String, nullable=False, server_default="on"),
    Column("state_reason", Text),
    Column("state_since", UtcDateTime),
    Column("last_success_at", UtcDateTime),
    # the least recently tried address is served first: one that never answers delays others by one try at most
    Column("last_attempt_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('on', 'off')", name="state"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("watches", JSON(none_as_null=True), nullable=False),
    Column("conditions", JSON(none_as_null=True), nullable=False),
    Column("timing", JSON(none_as_null=True), nullable=False),
    Column("severity", JSON(none_as_null=True), nullable=False),
    Column("quiet", JSON(none_as_null=True)),
    Column("max_per_hour", Integer),
    Column("snooze_until", UtcDateTime),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("templates", String),
    Column("created_at", UtcDateTime, nullable=False),
    # null: it has no digest; one that is given up is due once more
    Column("next_digest_at", UtcDateTime),
    Column("last_digest_at", UtcDateTime),
    Column("silenced_by", String),
    Column("silence_reason", Text),
    Column("snooze_until_critical", Boolean),
    Column("waits_from", UtcDateTime),
    # these four: as of watches
    # rises with every change of what is asked for, over all subscriptions; null: as it was before this was counted
    Column("revision", Integer, index=True),
)

subscription_revisions = Table(
    # one row: the last revision of any subscription, so that whoever keeps them in memory sees that one changed
    "subscription_revisions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
)
# `digest.enqueue_due` asks at every tick which digests are due
Index("ix_subscriptions_digest_due", subscriptions.c.next_digest_at,
      postgresql_where=text("next_digest_at IS NOT NULL"), sqlite_where=text("next_digest_at IS NOT NULL"))  # fmt: skip

subscription_addresses = Table(
    "subscription_addresses",
    metadata,
    Column("subscription_id", ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True),
    Column("address_id", ForeignKey("addresses.id"), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
    # a digest tells an address what was observed after it was added
    Column("added_at", UtcDateTime, nullable=False),
    # since when whoever reads there wants no more of it; the row stays, so that applying a file again changes nothing
    Column("stopped_at", UtcDateTime),
    # the newest step when it was added, which no clock that is set back makes younger; null: go by `added_at`
    Column("added_after", Integer),
    # addresses whose place it took, [[id, until when that one was told], ...]: what they were told, it need not be
    Column("in_place_of", JSON(none_as_null=True)),
)

wanted_changes = Table(
    # what a subscription wanted, judged when it was observed, whether told at once, in a digest or never
    "wanted_changes",
    metadata,
    Column("subscription_id", ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True),
    Column("change_id", ForeignKey("changes.id"), primary_key=True, index=True),
    Column("step_id", ForeignKey("steps.id"), nullable=False),
    Column("registry", String, nullable=False),
    Column("record_id", String),
    Column("observed_at", UtcDateTime, nullable=False),
    Index("ix_wanted_changes_since", "subscription_id", "observed_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    # rises with every delivery: the order that is kept within a thread
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("type", String, nullable=False),
    Column("address_id", ForeignKey("addresses.id"), nullable=False),
    # what it is about for that address, once: "step:17", "digest:3:2026-11-23T08:00:00+00:00"
    Column("due_key", String, nullable=False),
    # within (address, thread) order is kept: "record:ctgov/NCT…", "digest:3"
    Column("thread", String, nullable=False),
    Column("step_id", ForeignKey("steps.id"), index=True),
    Column("facts", JSON(none_as_null=True)),
    Column("state", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # when it was first meant to be sent: quiet hours and the hourly limit are in it, retries are not;
    # what comes late or again and would fall into a quiet time is planned anew for its end
    Column("planned_at", UtcDateTime, nullable=False),
    # when it comes due: its time, the end of its hold, its retry, or while sending the end of the lease, so that
    # the row of a worker that died comes due by itself; null: nothing more is to be done
    Column("next_attempt_at", UtcDateTime),
    Column("lease_holder", String),
    Column("lease_token", Integer, nullable=False, server_default=text("0")),
    # tries on the present schedule; a retry by hand begins a new one
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", UtcDateTime),
    Column("last_answer", Text),
    # what its message says of the archive at every try, as it stood when this was made: the head, and the id and title
    # of each step's record; null in rows made before there was this
    Column("as_of", JSON(none_as_null=True)),
    # put off by an hourly limit: then it is told in one summary with whatever else waits for it
    Column("summary_at", UtcDateTime),
    UniqueConstraint("address_id", "due_key"),
    CheckConstraint("state IN ('pending', 'held', 'sending', 'delivered', 'failed', 'cancelled')", name="state"),
    CheckConstraint(
        "(next_attempt_at IS NOT NULL) = (state IN ('pending', 'held', 'sending'))", name="open_has_a_time"
    ),
    sqlite_autoincrement=True,
)


def _open(name: str, *columns: Column[Any]) -> Index:
    """An index of what is still to be done; nearly all deliveries are done and not in it."""
    still_open = text("next_attempt_at IS NOT NULL")
    return Index(name, *columns, postgresql_where=still_open, sqlite_where=still_open)


# `outbox.claim` asks to which addresses something is due,
_open("ix_deliveries_open_times", deliveries.c.address_id, deliveries.c.next_attempt_at)
# what is the first that is due to one of them,
_open("ix_deliveries_open_numbers", deliveries.c.address_id, deliveries.c.number)
# and whether an earlier one of its thread is still open
_open("ix_deliveries_open_threads", deliveries.c.address_id, deliveries.c.thread, deliveries.c.number)

# `outbox.fold_due` asks before every round of deliveries what is to be told in summaries
Index("ix_deliveries_summaries", deliveries.c.summary_at,
      postgresql_where=text("summary_at IS NOT NULL"), sqlite_where=text("summary_at IS NOT NULL"))  # fmt: skip

# the page lists the newest of one state, of one address, of one type of message
Index("ix_deliveries_state_number", deliveries.c.state, deliveries.c.number)
# (whole: every number is greater than none; said as a condition, so that SQLite does not take this one for a claim,
# where it would walk all that is done)
Index("ix_deliveries_address_number", deliveries.c.address_id, deliveries.c.number,
      postgresql_where=text("number > 0"), sqlite_where=text("number > 0"))  # fmt: skip
Index("ix_deliveries_type_number", deliveries.c.type, deliveries.c.number)
# `monitor.silence` asks whether a digest that failed was followed by one that arrived
Index("ix_deliveries_digests", deliveries.c.address_id, deliveries.c.thread, deliveries.c.number,
      postgresql_where=text("type = 'digest'"), sqlite_where=text("type = 'digest'"))  # fmt: skip

ended_silences = Table(
    # a snooze that came to its end: the next digest says so
    "ended_silences",
    metadata,
    Column("id", Integer, primary_key=True),
    # one of the two: whose snooze it was
    Column("watch_id", ForeignKey("watches.id", ondelete="CASCADE"), index=True),
    Column("subscription_id", ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True),
    Column("why", Text, nullable=False),
    Column("silenced_by", String),
    Column("silence_reason", Text),
    Column("ended_at", UtcDateTime, nullable=False),
)

version_dates = Table(
    # what a version says of days to come, so that a digest need not read every record; made when first asked for
    "version_dates",
    metadata,
    Column("version", ForeignKey("versions.number"), primary_key=True, autoincrement=False),
    # by which reading of records: an older one is made anew
    Column("reading", Integer, nullable=False),
    Column("dates", JSON(none_as_null=True), nullable=False),
    # the recruitment status that it says; null in rows made before this was kept
    Column("status", String),
    # between which days (ISO) a digest may have to say something of them, so that it reads only what it says; null in
    # rows made before this was kept: they are looked at
    Column("said_from", String),
    Column("said_until", String),
)

delivery_changes = Table(
    "delivery_changes",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
    Column("change_id", ForeignKey("changes.id"), primary_key=True, index=True),
)

delivery_subscriptions = Table(
    "delivery_subscriptions",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
    # the name stays in the ledger when the subscription is gone
    Column("name", String, primary_key=True),
    Column("subscription_id", ForeignKey("subscriptions.id", ondelete="SET NULL"), index=True),
    # which changes of the delivery it wanted
    Column("wanted", JSON(none_as_null=True), nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("worker", String, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # null: the worker never came back to say what happened
    Column("finished_at", UtcDateTime),
    Column("outcome", String),
    Column("answer", Text),
    UniqueConstraint("delivery_id", "number"),
    CheckConstraint("outcome IN ('delivered', 'retry', 'failed')", name="outcome"),
)

acknowledgements = Table(
    # somebody saw what a delivery told its address
    "acknowledgements",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
    Column("address_id", ForeignKey("addresses.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    # who says so: a name given to the command, or the page
    Column("by", String, nullable=False),
)

confirmations = Table(
    # a mail address that was new when it was added: whether it was asked, and said, that it wants mails. One without a
    # row was there before anybody was asked, and counts as confirmed
    "confirmations",
    metadata,
    Column("address_id", ForeignKey("addresses.id", ondelete="CASCADE"), primary_key=True),
    Column("added_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime),
    Column("confirmed_at", UtcDateTime),
    Column("by", String),
)

decisions = Table(
    # what the installation decided once for all that work on this database, whatever their own settings say
    "decisions",
    metadata,
    Column("name", String, primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
)

installation_keys = Table(
    # what signs the links in messages, the same for all that work on this database
    "installation_keys",
    metadata,
    Column("name", String, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

feeds = Table(
    # what is fed to whoever knows its address; the address holds the number and the generation, and a renewed one
    # raises that, so that the address of before leads nowhere
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("about", String, nullable=False),
    Column("name", String, nullable=False),
    Column("generation", Integer, nullable=False, server_default=text("1")),
    Column("made_at", UtcDateTime, nullable=False),
    Column("renewed_at", UtcDateTime),
    UniqueConstraint("about", "name"),
    CheckConstraint("about IN ('trial', 'group', 'subscription')", name="about"),
    # a number is never given twice: the address of a feed that was removed must not open another
    sqlite_autoincrement=True,
)

# `monitor.silence` asks every minute for digests that were given up
Index("ix_deliveries_given_up", deliveries.c.finished_at,
      postgresql_where=text("state = 'failed'"), sqlite_where=text("state = 'failed'"))  # fmt: skip

troubles = Table(
    # what somebody must hear of who is not waiting for it: once when it begins, once when it is over
    "troubles",
    metadata,
    Column("key", String, primary_key=True),
    Column("words", Text, nullable=False),
    # the addresses that were told of it, and will hear that it is over; none: nobody could be told yet
    Column("told_to", JSON(none_as_null=True), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    # not seen any more since then: it is over when that has lasted
    Column("well_since", UtcDateTime),
    Column("ended_at", UtcDateTime),
    # how often it came back soon after it was over
    Column("returns", Integer, nullable=False, server_default=text("0")),
)

askings = Table(
    # when a registry was last asked for its release, whatever it said, and since when no asking came to a good end
    "askings",
    metadata,
    Column("registry", String, primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("reason", Text),
)

seen_steps = Table(
    # what somebody marked as seen on the page, each visitor for themselves
    "seen_steps",
    metadata,
    Column("by", String, primary_key=True),
    Column("step", Integer, ForeignKey("steps.id"), primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
)
