"""Which channel serves an address, what every channel is given, and how it says that a message did not arrive."""

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast
from urllib.parse import urlsplit

from msgspec import Struct

from notifiers.apprise_services import SERVICES
from notifiers.message import Message
from notifiers.rendering import Rendered
from notifiers.retries import Whose

CHANNELS: dict[str, str] = {
    "mailto": "notifiers.channels.email",
    "https": "notifiers.channels.webhook",
    "http": "notifiers.channels.webhook",
    **dict.fromkeys(SERVICES, "notifiers.channels.apprise"),
}
"""The scheme of an address → the module of its channel, loaded when first used. A new channel is one line here."""


class DeliveryError(Exception):
    """A message did not arrive. The text is one line fit for the delivery log: no secrets, no control characters.

    `permanent`: trying this delivery again cannot help. `retry_after`: seconds the receiver asked to wait.
    `whose` trouble it is: the "address" (with `permanent`, that address is dead), the "operator" (sign-in, connection,
    settings: never a reason to give an address up), or this one "message".
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None, whose: Whose = "address"
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.whose = whose


class DeliverySettings(Struct, frozen=True, kw_only=True):
    """What sending needs to know of the installation; see the settings of the same names. Times in seconds.

    `total_seconds` bounds one attempt from connection to answer; `lease_seconds` is how long a claim holds unless it
    is renewed, and by so much a message is late whose worker died.
    """

    smtp_url: str | None = None
    mail_from: str | None = None
    base_url: str | None = None
    operator: str | None = None
    allow_private_networks: bool = False
    user_agent: str = "trialdelta"
    connect_seconds: float = 10.0
    total_seconds: float = 45.0
    lease_seconds: float = 30.0

    def __repr__(self) -> str:
        """Without the SMTP password: settings end up in logs."""
        return f"DeliverySettings(mail_from={self.mail_from!r}, base_url={self.base_url!r})"


class Addressee(Protocol):
    """One place to tell: its URI, and for webhooks the secrets to sign with (two while one replaces the other)."""

    @property
    def uri(self) -> str: ...

    @property
    def secrets(self) -> Sequence[str]: ...


class Channel(Protocol):
    """What every channel module offers. `READS_WORDS`: people read what it sends; else `rendered` is empty."""

    READS_WORDS: bool

    def send(
        self, message: Message, rendered: Rendered, address: Addressee, settings: DeliverySettings, now: datetime
    ) -> str:
        """Deliver once and return the receiver's words, one line. Raises DeliveryError, and nothing else, where the
        receiver did not take the message. `now` is aware UTC: it dates and signs this attempt.
        """
        ...


def channel_for(uri: str) -> Channel:
    """The channel of an address. Raises DeliveryError (permanent) where no channel serves its scheme."""
    scheme = urlsplit(uri).scheme.lower()
    if scheme not in CHANNELS:
        known = ", ".join(f"{known}:" for known in CHANNELS)
        raise DeliveryError(f"no channel serves addresses of the scheme “{scheme}:” (known: {known})", permanent=True)
    return cast("Channel", import_module(CHANNELS[scheme]))
