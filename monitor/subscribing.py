"""What goes beside keeping a subscription, wherever that is asked: what stays as it was, and what is worth a note."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from monitor import wiring
from monitor.settings import Settings
from notifiers import addresses
from notifiers.subscriptions import Subscription
from notifiers.watchlist_file import Watchlist, plan


def at_rest_as(wanted: Subscription, before: Subscription) -> Subscription:
    """What is wanted now, paused or snoozed as it was before."""
    return replace(
        wanted,
        paused=before.paused,
        snooze_until=before.snooze_until,
        snooze_until_critical=before.snooze_until_critical,
        silenced_by=before.silenced_by,
        silence_reason=before.silence_reason,
    )


EXAMPLE_SMTP = "smtp://user:password@mail.example.org:587"
SET_A_MAIL_SERVER = f"export TRIALDELTA_SMTP_URL={EXAMPLE_SMTP}"
SET_A_SENDER = "export TRIALDELTA_MAIL_FROM=alerts@example.org"
"""What to type, as an example, where a setting is missing that mail needs."""


def unsendable(uris: Iterable[str], conf: Settings) -> str | None:
    """Why mails to these addresses cannot leave as things are set, and what to do; None where there is none, or all is
    set that mail needs.
    """
    if not any(uri.startswith("mailto:") for uri in uris):
        return None
    missing = [
        command
        for command, value in ((SET_A_MAIL_SERVER, conf.smtp_url), (SET_A_SENDER, conf.mail_from))
        if value is None
    ]
    what = "no mail server is set" if conf.smtp_url is None else "no sender of mails is set"
    words = f"{what}, so no mail can leave and messages wait. For example: {'; '.join(f'`{each}`' for each in missing)}"
    return words if missing else None


def notes(connection: Connection, wanted: Subscription, now: datetime, conf: Settings | None = None) -> tuple[str, ...]:
    """What can be meant and is probably not, as of a watchlist file; which of its addresses are switched off; and, of
    the settings, what is missing to tell it. Raises InvalidValue for a search that is not there.
    """
    found = plan(connection, Watchlist(registry=wiring.REGISTRY, subscriptions=(wanted,)), now).notes
    told = [addresses.find(connection, uri, now) for uri in wanted.to]
    off = [each for each in told if each is not None and each.state == "off"]
    again = f"`trialdelta subscription test {wanted.name}` tries it again"
    lacking = unsendable(wanted.to, conf) if conf is not None else None
    first = (lacking,) if lacking else ()
    return (*first, *found, *(f"{each.shown} is switched off: {each.state_reason}; {again}" for each in off))
