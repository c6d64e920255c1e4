"""Links in messages that let who holds the message act: each opens one page for one thing, and cannot be guessed.

A link ends in a token: what it is about, and an HMAC over its purpose and that, with a key that is made once for the
database. So a link works at every replica, survives restarts, needs no row of its own, and a token of one purpose opens
nothing of another. A link never acts by being followed: the page asks, and its button acts.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection, select

from notifiers.tables import installation_keys
from snapshots.database import Database, insert_if_absent

Purpose = Literal["unsubscribe", "acknowledge", "confirm", "feed"]

KEY_NAME = "links"
KEY_BYTES = 32
MAC_BYTES = 24
"""192 bits of the HMAC stand in a link: nobody guesses them, and the link stays short."""


def ensure_key(database: Database, now: datetime) -> None:
    """Make the key where there is none yet; before that, messages carry no links. Two at once: one makes it."""
    with database.read() as connection:
        if key(connection) is not None:
            return
    with database.write() as connection:
        row = {"name": KEY_NAME, "key": secrets.token_bytes(KEY_BYTES), "made_at": now}
        insert_if_absent(connection, installation_keys, row)


def key(connection: Connection) -> bytes | None:
    """The key that signs links; None before it is made."""
    return connection.execute(select(installation_keys.c.key).where(installation_keys.c.name == KEY_NAME)).scalar()


def unsubscribe_url(connection: Connection, base_url: str | None, delivery_id: str) -> str | None:
    """Where the reader of a delivery stops the subscriptions that it came for; it holds for ever. RFC 8058 one-click
    posts to it. None where the page's address (the setting BASE_URL) or the key is missing.
    """
    return _url(connection, base_url, "unsubscribe", delivery_id)


def acknowledge_url(connection: Connection, base_url: str | None, delivery_id: str) -> str | None:
    """Where the reader of a delivery says that it was seen. None as for `unsubscribe_url`."""
    return _url(connection, base_url, "acknowledge", delivery_id)


def confirm_url(connection: Connection, base_url: str | None, address_id: int) -> str | None:
    """Where the reader at an address says that it may be told. None as for `unsubscribe_url`."""
    return _url(connection, base_url, "confirm", str(address_id))


def verified(connection: Connection, purpose: Purpose, token: str) -> str | None:
    """What a token is about (the delivery's id; for "confirm" the address's id, for "feed"
    its number and generation), None where it is none of ours.
    """
    signing = key(connection)
    subject, dot, _ = token.rpartition(".")
    if signing is None or not dot or len(token) > 200 or not token.isascii():
        return None
    return subject if hmac.compare_digest(token_of(signing, purpose, subject), token) else None


def token_of(signing: bytes, purpose: str, subject: str) -> str:
    """`subject`, a dot, and what proves that we made it for this purpose."""
    mac = hmac.new(signing, f"trialdelta link\0{purpose}\0{subject}".encode(), sha256).digest()[:MAC_BYTES]
    return f"{subject}.{urlsafe_b64encode(mac).decode()}"


def _url(connection: Connection, base_url: str | None, purpose: Purpose, subject: str) -> str | None:
    signing = key(connection) if base_url else None
    if base_url is None or signing is None:
        return None
    return f"{base_url.rstrip('/')}/{purpose}/{token_of(signing, purpose, subject)}"
