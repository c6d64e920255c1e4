"""Sending what is due from a command, and what became of it."""

from collections.abc import Sequence

from monitor import wiring
from monitor.cli.output import say
from monitor.cli.session import Session
from notifiers import confirmations, ledger
from notifiers.addresses import shown
from notifiers.confirmations import Confirmation
from notifiers.deliver import deliver_due
from snapshots.holders import this_process

SHOWN = 5
"""So many messages that did not arrive are named, one a line."""


def send_due(here: Session) -> list[str]:
    """Try everything that is due; the ids of what was tried."""
    began = wiring.utc_now()
    delivery = wiring.delivery_settings(here.settings)
    deliver_due(here.database, delivery, this_process("command"), wiring.utc_now, wiring.chance())
    with here.database.read() as connection:
        entries = ledger.listing(connection, limit=1000)
    return [entry.delivery_id for entry in entries if entry.tries and entry.tries[-1].started_at >= began]


def send(here: Session, delivery_ids: Sequence[str]) -> bool:
    """Send what is due and say what became of these deliveries; whether all of them arrived."""
    send_due(here)
    with here.database.read() as connection:
        entries = [entry for each in delivery_ids if (entry := ledger.show(connection, each))]
        unconfirmed = {each.uri: each for each in confirmations.waiting(connection)}
    for entry in entries:
        arrived = entry.state == "delivered"
        asked = unconfirmed.get(entry.whole_uri)
        words = _awaited(asked) if asked else f"{entry.state}: {entry.last_answer or 'not tried yet'}"
        say(f"{entry.uri}: {words}", fg="green" if arrived else "yellow" if asked else "red")
    return all(entry.state == "delivered" for entry in entries)


def say_what_did_not_arrive(here: Session, delivery_ids: Sequence[str]) -> None:
    """The first few of these deliveries that were not taken, with what was answered and when they are tried again."""
    with here.database.read() as connection:
        entries = [entry for each in delivery_ids if (entry := ledger.show(connection, each))]
    failed = [entry for entry in entries if entry.state != "delivered"]
    for entry in failed[:SHOWN]:
        again = f"; tried again at {entry.due_at:%Y-%m-%d %H:%M} UTC" if entry.due_at else ""
        say(f"{entry.uri} was not told ({entry.about}): {entry.last_answer or entry.state}{again}", fg="red")
    if len(failed) > SHOWN:
        say(f"and {len(failed) - SHOWN} more were not told; `trialdelta deliveries list` shows them", fg="red")


def _awaited(asked: Confirmation) -> str:
    """What an address that has not confirmed waits for, and how to spare it that."""
    when = f" (asked {asked.asked_at:%Y-%m-%d %H:%M} UTC)" if asked.asked_at else ""
    advice = f"`trialdelta address confirm {shown(asked.uri)}` says yes for it"
    return f"waits until it confirms that it wants mails{when}; {advice}"
