"""What the doctor sees around the tables: the mail server, clocks that go wrong, room on the disk, who is there.

Each answer is a finding, or none where all is well and said elsewhere.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import text

from monitor import presence, settings, silence, wiring
from monitor.findings import Finding
from monitor.presence import ROLES, Present
from monitor.settings import Settings
from notifiers.channels import DeliveryError
from notifiers.channels.email import sign_in
from snapshots.database import Database

DATABASE_DRIFT = timedelta(seconds=10)
"""Leases go by the clocks of those who hold them: they must agree to within a fraction of 45 seconds."""
REGISTRY_DRIFT = timedelta(minutes=2)
"""Receivers of webhooks refuse what is signed at another time than theirs, commonly five minutes off."""
_SET = "set this machine's clock, and let it be kept right (NTP): leases, signatures and digests go by it"
_RESTART = "`trialdelta run` starts one; without one, `trialdelta check --deliver` by a timer does the same"


def mail(conf: Settings) -> Finding:
    """Whether the mail server lets this program sign in; no mail is sent."""
    unset = mail_settings(conf)
    if unset is not None:
        return unset
    shown = settings.mask_url(conf.smtp_url or "")
    try:
        sign_in(wiring.delivery_settings(conf))
    except DeliveryError as error:
        return Finding("mail", "failure", f"{shown}: {error}", _mail_advice(str(error)))
    return Finding("mail", "ok", f"{shown} answers, signed in as far as it asks for it; sender {conf.mail_from}")


def mail_settings(conf: Settings) -> Finding | None:
    """What is missing for mail; None where nothing is."""
    if conf.smtp_url is None:
        return Finding("mail", "note", "no mail server is set: mail cannot be sent", "set TRIALDELTA_SMTP_URL")
    if conf.mail_from is None:
        return Finding("mail", "failure", "mail has no sender", "set TRIALDELTA_MAIL_FROM, such as alerts@example.org")
    return None


def _mail_advice(words: str) -> str:
    if " at sign-in" in words:
        return "the server refuses the user name or the password: correct TRIALDELTA_SMTP_URL (a # is written %23)"
    if "STARTTLS" in words or " at starttls" in words:
        return "encryption failed: see TRIALDELTA_SMTP_URL, whose ?starttls= is required, opportunistic or never"
    if words.startswith("mail cannot be sent"):
        return "correct TRIALDELTA_SMTP_URL and TRIALDELTA_MAIL_FROM"
    return "is the mail server running, its name right, its port open from here?"


def database_clock(database: Database, clock: wiring.Clock) -> Iterator[Finding]:
    """Whether the database's clock and this machine's agree; nothing on SQLite, which has none."""
    if database.is_sqlite:
        return
    with database.read() as connection:
        theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one().astimezone(UTC)
    yield drift("the database server's", theirs - clock(), DATABASE_DRIFT)


def registry_clock(told: str | None, clock: wiring.Clock) -> Iterator[Finding]:
    """Whether the registry's clock, as its answer's header Date says, and this machine's agree."""
    try:
        theirs = parsedate_to_datetime(told or "")
    except ValueError:
        return
    yield drift("the registry's", theirs.replace(tzinfo=theirs.tzinfo or UTC) - clock(), REGISTRY_DRIFT)


def drift(whose: str, by: timedelta, most: timedelta) -> Finding:
    """The finding about a clock that is `by` so much ahead of ours."""
    seconds = round(by.total_seconds())
    if abs(by) <= most:
        return Finding("clock", "ok", f"agrees with {whose}")
    words = f"this machine's clock is {_long(abs(seconds))} {'behind' if seconds > 0 else 'ahead of'} {whose}"
    return Finding("clock", "failure", words, _SET)


def _long(seconds: int) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def disk(database: Database, free: silence.FreeBytes = silence.free_bytes) -> Iterator[Finding]:
    """How much room a SQLite file has left; nothing where that is little, which is trouble and told as such."""
    if database.file is None or not database.file.parent.is_dir():
        return
    left = free(database.file.parent)
    if left >= silence.LEAST_FREE:
        yield Finding("disk", "ok", f"{left / 1_000_000_000:,.1f} GB free where the database is")


def daemons(found: Sequence[Present], now: datetime) -> Iterator[Finding]:
    """Who is there, who has fallen silent, and which work nobody does."""
    there = [each for each in found if each.is_there(now)]
    if not there:
        yield Finding("daemons", "note", "none is running", _RESTART)
    for each in there:
        yield Finding("daemons", "ok", presence.in_words(each))
    for each in found:
        if each not in there:
            yield Finding("daemons", "note", _silent(each), f"is it stopped, or cut off from the database? {_RESTART}")
    yield from _together(there, now)


def _together(there: Sequence[Present], now: datetime) -> Iterator[Finding]:
    done = {role for each in there for role in each.roles}
    for role in ROLES[:2]:
        if there and role not in done:
            advice = f"start one with `trialdelta run --only {role}`, or without --only"
            yield Finding("daemons", "failure", f"none of those that run has the role {role}", advice)
    for name in presence.twins(there, now):
        yield Finding("daemons", "note", f"several go by the name {name}", "give each its own: trialdelta run --name")
    versions = sorted({each.version for each in there})
    if len(versions) > 1:
        words = f"versions {', '.join(versions)} work side by side"
        yield Finding("daemons", "note", words, "that does no harm; restart the older ones to end the upgrade")


def _silent(each: Present) -> str:
    return f"{each.name} was last heard at {each.heard_at:%Y-%m-%d %H:%M} UTC, and did not say that it ended"
