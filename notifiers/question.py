"""The one message that a new mail address gets before any other: does its reader want what is told there?"""

from sqlalchemy import Connection, select

from notifiers import links
from notifiers.confirmations import WAITS
from notifiers.message import Action, Message
from notifiers.outbox import Told
from notifiers.tables import subscription_addresses, subscriptions


def question(connection: Connection, told: Told, base_url: str | None) -> Message:
    """The question, with the link to the page whose button answers it; where the page has no address, with the command
    that answers it for the reader.
    """
    names = _names(connection, told.address.id)
    url = links.confirm_url(connection, base_url, told.address.id)
    mailbox = told.address.uri.partition(":")[2]
    return Message(
        delivery_id=told.delivery_id,
        type="confirmation",
        created=told.created_at,
        title="Do you want these messages about clinical trials?",
        notice="\n\n".join(_paragraphs(mailbox, names, has_page=url is not None)),
        action=Action("Open the page to say yes or no", url) if url else None,
        base_url=base_url,
    )


def _paragraphs(mailbox: str, names: list[str], *, has_page: bool) -> list[str]:
    asked = f" ({', '.join(names)})" if names else ""
    how = (
        "Until you say yes, nothing else is sent to you."
        if has_page
        else f"To say yes, ask who runs trialdelta for you to run: trialdelta address confirm mailto:{mailbox}"
    )
    return [
        f"Somebody asked trialdelta to tell {mailbox} when clinical trials that they follow change{asked}.",
        how,
        f"If you did not ask for this, do nothing: what waits for you is thrown away after {WAITS.days} days.",
    ]


def _names(connection: Connection, address_id: int) -> list[str]:
    link = subscription_addresses
    found = (
        select(subscriptions.c.name)
        .join(link, link.c.subscription_id == subscriptions.c.id)
        .where(link.c.address_id == address_id)
        .order_by(subscriptions.c.name)
    )
    return list(connection.execute(found).scalars())
