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
from monitor.subscribing import SET_A_MAIL_SERVER, SET_A_SENDER
from notifiers.channels import DeliveryError
from notifiers.channels.email import sign_in
from snapshots.database import Database

DATABASE_DRIFT = timedelta(seconds=10)
"""Leases go by the clocks of those who hold them: they must agree to within a fraction of 45 seconds."""
REGISTRY_DRIFT = timedelta(minutes=2)
"""Receivers of webhooks refuse what is signed at another time than theirs, commonly five minutes off."""
_SET = "`timedatectl set-ntp true` lets NTP keep this machine's clock: leases, signatures and digests go by it"
_RESTART = "`trialdelta run` starts one; without one, `trialdelta check --deliver` by a timer does the same"


def mail(conf: Settings, subscribed: int = 0) -> Finding:
    """Whether the mail server lets this program sign in; no mail is sent. `subscribed`: how many mail addresses are
    told something.
    """
    unset = mail_settings(conf, subscribed)
    if unset is not None:
        return unset
    shown = settings.mask_url(conf.smtp_url or "")
    try:
        sign_in(wiring.delivery_settings(conf))
    except DeliveryError as error:
        return Finding("mail", "failure", f"{shown}: {error}", _mail_advice(str(error)))
    return Finding("mail", "ok", f"{shown} answers, signed in as far as it asks for it; sender {conf.mail_from}")


def mail_settings(conf: Settings, subscribed: int = 0) -> Finding | None:
    """What is missing for mail; None where nothing is. It is a failure where mail addresses are `subscribed`."""
    if conf.smtp_url is None and subscribed:
        are = "mail address is" if subscribed == 1 else "mail addresses are"
        words = f"{subscribed:,} {are} subscribed, but no mail server is set: messages wait"
        return Finding("mail", "failure", words, f"`{SET_A_MAIL_SERVER}` and `{SET_A_SENDER}`, with your own values")
    if conf.smtp_url is None:
        words = "no mail server is set: mail cannot be sent"
        return Finding("mail", "note", words, f"for mail: `{SET_A_MAIL_SERVER}` and `{SET_A_SENDER}`")
    if conf.mail_from is None:
        return Finding("mail", "failure", "mail has no sender", f"`{SET_A_SENDER}`, with your own address")
    return None


def _mail_advice(words: str) -> str:
    if " at sign-in" in words:
        refused = "the server refuses the user name or the password: correct them in"
        return f"{refused} `{SET_A_MAIL_SERVER}` (a # is written %23, a @ %40)"
    if "STARTTLS" in words or " at starttls" in words:
        return f"encryption failed: `{SET_A_MAIL_SERVER}?starttls=…` with required, opportunistic or never"
    if words.startswith("mail cannot be sent"):
        return f"correct them: `{SET_A_MAIL_SERVER}` and `{SET_A_SENDER}`"
    return f"is the server running, its port open from here, its name right in `{SET_A_MAIL_SERVER}`?"


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
            advice = f"`trialdelta run --only {role}` starts one, `trialdelta run` does everything"
            yield Finding("daemons", "failure", f"none of those that run has the role {role}", advice)
    for name in presence.twins(there, now):
        yield Finding(
            "daemons", "note", f"several go by the name {name}", "give each its own: `trialdelta run --name NAME`"
        )
    versions = sorted({each.version for each in there})
    if len(versions) > 1:
        words = f"versions {', '.join(versions)} work side by side"
        yield Finding(
            "daemons",
            "note",
            words,
            "that does no harm; end the older ones and `trialdelta run` them anew to end the upgrade",
        )


def _silent(each: Present) -> str:
    return f"{each.name} was last heard at {each.heard_at:%Y-%m-%d %H:%M} UTC, and did not say that it ended"
