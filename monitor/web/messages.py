"""A message as a visitor may see it: by the page and by the API."""

from sqlalchemy import Connection

from monitor.web.visit import Visit
from notifiers.composing import message_of
from notifiers.message import Message
from notifiers.outbox import Told


def message_for(here: Visit, connection: Connection, told: Told) -> Message:
    """The message as it would be sent now. Its links act without a token: they are for who may act."""
    links_to = here.settings.base_url if here.visitor and here.visitor.may_write else None
    return message_of(connection, told, links_to, operator=here.settings.operator)
