"""The places to tell: which there are, whether they can be told, and the secrets that sign what goes to them."""

import base64
import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, insert, select, update

from notifiers import apprise_services, confirmations
from notifiers.apprise_services import SERVICES, masked
from notifiers.conditions import InvalidValue
from notifiers.mailboxes import is_mailbox, mailbox
from notifiers.tables import addresses, deliveries, subscription_addresses

SCHEMES = frozenset({"mailto", "https"})
"""The schemes that can always be told; `http` and those of other services are the operator's to allow."""

SECRET_PREFIX = "whsec_"  # noqa: S105  # how Standard Webhooks 1.0 marks a secret, no secret itself
SECRET_BYTES = 32
"""Standard Webhooks 1.0 asks for 24 to 64 random bytes."""
CHANGE_OVER = timedelta(hours=24)
"""How long a replaced secret still signs beside the new one."""

State = Literal["on", "off"]


class Address(Struct, frozen=True, kw_only=True):
    """One place to tell. `secrets` sign what is posted to a web address: the present one first, then a replaced one
    as long as it holds. Times are aware UTC.
    """

    id: int
    uri: str
    owner: str | None = None
    secrets: tuple[str, ...] = ()
    state: State = "on"
    state_reason: str | None = None
    state_since: datetime | None = None
    last_success_at: datetime | None = None

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return shown(self.uri)

    @property
    def signs(self) -> bool:
        """Whether what goes there is signed."""
        return _is_web(self.uri)


ALLOWING = "TRIALDELTA_ALLOW_PRIVATE_NETWORKS=true"
"""What the operator sets where webhooks may go to the own network, and unencrypted."""


def allowed_schemes(allow_private_networks: bool = False) -> frozenset[str]:
    """The schemes of addresses that may be told here."""
    services = SERVICES if apprise_services.is_installed() else ()
    return SCHEMES | frozenset(services) | ({"http"} if allow_private_networks else set())


def shown(uri: str) -> str:
    """The address as it may be printed and exported: of a service behind Apprise the scheme and a mark alone, for all
    the rest is secret; so is what may be one that was mistyped. Of a web address with a password the same mark stands
    in the password's place.
    """
    scheme = uri.partition(":")[0].casefold()
    if scheme == "mailto":
        return uri
    if scheme not in ("https", "http"):
        return masked(uri)
    return _PASSWORD.sub(lambda found: f"{found[1]}{masked(uri).rpartition('/')[2]}@", uri)


def whole(connection: Connection, typed: Iterable[str], now: datetime) -> list[str]:
    """These addresses, each that stands as a known one is shown replaced by that one."""
    known = {address.shown: address.uri for address in listing(connection, now)}
    return [known.get(uri, uri) for uri in typed]


_PASSWORD = re.compile(r"^(\w+://[^/?#:@]*:)[^/?#]*@")


def logged(uri: str) -> str:
    """The address as a log may hold it: where it leads, and nobody's name: of a mail address the domain, of a web
    address the host.
    """
    scheme, _, rest = uri.partition(":")
    if scheme.casefold() == "mailto":
        return f"{scheme}:…@{rest.rpartition('@')[2]}"
    if scheme.casefold() in ("https", "http"):
        return f"{scheme}://{rest.lstrip('/').partition('/')[0].partition('?')[0].rpartition('@')[2]}/…"
    return shown(uri)


def canonical(uri: str) -> str:
    """The one spelling of an address: its scheme and host in small letters, no port that goes without saying. So two
    spellings of one place are not told twice. A bare mail address is one. What is no address comes back as it is.
    """
    if ":" not in uri and is_mailbox(uri):
        uri = f"mailto:{uri}"
    scheme, colon, rest = uri.partition(":")
    scheme = scheme.casefold()
    if scheme == "mailto":
        local, at, domain = rest.rpartition("@")
        return f"{scheme}:{local}{at}{domain.lower()}"
    if scheme not in _USUAL_PORTS or not colon:
        return uri
    try:
        parts = urlsplit(uri)
        usual = parts.port == _USUAL_PORTS[scheme]
    except ValueError:
        return uri
    user, at, place = parts.netloc.rpartition("@")
    place = place.removesuffix(f":{parts.port}") if usual else place
    return urlunsplit((scheme, f"{user}{at}{place.lower()}", parts.path or "/", parts.query, parts.fragment))


_USUAL_PORTS = {"https": 443, "http": 80}


def check_uri(uri: str, schemes: Collection[str] = SCHEMES) -> None:
    """Raises InvalidValue where `uri` can never be told: its scheme is unknown, or it names no mailbox or host that
    could be reached. Private networks are where plain `http` is among the `schemes`.
    """
    scheme, colon, rest = uri.partition(":")
    if scheme in SERVICES and scheme not in schemes:
        raise InvalidValue("", f"{scheme}: addresses need the extra: {apprise_services.EXTRA}")
    if not colon or scheme.casefold() not in schemes:
        allowed = ", ".join(f"{name}:" for name in sorted(schemes))
        known = f"it is a mail address, or begins with one of {allowed}"
        if scheme.casefold() == "http":
            known += f"; http: and addresses of one's own network only with {ALLOWING}"
        raise InvalidValue("", f"{quoted(uri)!r} is no address that can be told; {known}")
    if scheme.casefold() == "mailto":
        _check_mailbox(uri, rest)
    elif scheme.casefold() in ("http", "https"):
        _check_web(uri, allow_private_networks="http" in schemes)
    else:
        _check_service(uri)


def check_secret(secret: str) -> None:
    """Raises InvalidValue where `secret` is no Standard Webhooks secret; the message does not repeat it."""
    try:
        decoded = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        decoded = b""
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(decoded) <= 64:
        raise InvalidValue("secret", "a secret is `whsec_` and 24 to 64 bytes in base64")


def new_secret() -> str:
    """A fresh secret for a web address."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def ensure(connection: Connection, uri: str, now: datetime, secret: str | None = None) -> tuple[int, str | None]:
    """The address's id, and where a secret had to be made for it that secret, to be shown once: for a web address that
    is new and for which no `secret` is given. A new mail address is asked first where the installation decided so.
    """
    known = connection.execute(select(addresses.c.id).where(addresses.c.uri == uri)).scalar()
    if known is not None:
        return known, None
    made = new_secret() if secret is None and _is_web(uri) else None
    values = {"uri": uri, "secret": secret or made, "state": "on", "created_at": now}
    address_id = connection.execute(insert(addresses).values(**values).returning(addresses.c.id)).scalar_one()
    confirmations.ask_new(connection, address_id, uri, now)
    return address_id, made


def set_owner(connection: Connection, uri: str, owner: str | None) -> None:
    """Note who answers for the address."""
    connection.execute(update(addresses).where(addresses.c.uri == uri).values(owner=owner))


def rotate(connection: Connection, uri: str, now: datetime, change_over: timedelta = CHANGE_OVER) -> str:
    """Make a new secret for a web address, in place of the one before, which signs beside it for so long; the new one,
    to be shown once.
    """
    made = new_secret()
    set_secret(connection, uri, made, now, change_over)
    return made


def set_secret(
    connection: Connection, uri: str, secret: str, now: datetime, change_over: timedelta = CHANGE_OVER
) -> None:
    """Sign with `secret` from now on; the one before signs beside it for so long, for the receiver to change over."""
    former = connection.execute(select(addresses.c.secret).where(addresses.c.uri == uri)).scalar()
    if former == secret:
        return
    until = now + change_over if former else None
    values = {"secret": secret, "former_secret": former, "former_secret_until": until}
    connection.execute(update(addresses).where(addresses.c.uri == uri).values(**values))


def switch(connection: Connection, uri: str, state: State, reason: str | None, now: datetime) -> bool:
    """Switch an address on or off, saying why; whether there is one. What is due to it waits while it is off."""
    values = {"state": state, "state_reason": reason, "state_since": now}
    return connection.execute(update(addresses).where(addresses.c.uri == uri).values(**values)).rowcount == 1


def find(connection: Connection, uri: str, now: datetime) -> Address | None:
    """The address, with the secrets that sign now."""
    row = connection.execute(select(addresses).where(addresses.c.uri == uri)).first()
    return from_row(row, now) if row else None


def with_id(connection: Connection, address_id: int, now: datetime) -> Address | None:
    """The address of that number, with the secrets that sign now."""
    row = connection.execute(select(addresses).where(addresses.c.id == address_id)).first()
    return from_row(row, now) if row else None


def listing(connection: Connection, now: datetime) -> list[Address]:
    """All addresses, by URI."""
    return [from_row(row, now) for row in connection.execute(select(addresses).order_by(addresses.c.uri))]


def forget(connection: Connection, uri: str) -> bool:
    """Remove an address that nobody is told at and nothing was ever due to; whether it was removed."""
    unused = (
        ~select(subscription_addresses.c.address_id)
        .where(subscription_addresses.c.address_id == addresses.c.id)
        .exists()
        & ~select(deliveries.c.number).where(deliveries.c.address_id == addresses.c.id).exists()
    )
    return connection.execute(delete(addresses).where(addresses.c.uri == uri, unused)).rowcount == 1


def from_row(row: Row[Any], now: datetime) -> Address:
    """The address in a row of its table."""
    former = row.former_secret if row.former_secret_until and row.former_secret_until > now else None
    return Address(
        id=row.id,
        uri=row.uri,
        owner=row.owner,
        secrets=tuple(secret for secret in (row.secret, former) if secret),
        state=row.state,
        state_reason=row.state_reason,
        state_since=row.state_since,
        last_success_at=row.last_success_at,
    )


def _is_web(uri: str) -> bool:
    return uri.casefold().startswith(("https:", "http:"))


def _check_mailbox(uri: str, rest: str) -> None:
    spec = unquote(rest)
    if "?" in rest or "#" in rest or not is_mailbox(spec):
        raise InvalidValue("", f"{uri!r} is no mail address, mailto:name@example.org")
    try:
        mailbox(spec)
    except ValueError as error:
        raise InvalidValue("", f"{uri!r} is no mail address: {error}") from None


def _check_web(uri: str, *, allow_private_networks: bool) -> None:
    from notifiers import outbound_http  # costs its time only where it is needed

    if not _has_host(uri):
        raise InvalidValue("", f"{uri!r} names no host")
    try:
        outbound_http.check(uri, allow_private_networks)
    except outbound_http.AddressRefused as error:
        inside = isinstance(error, outbound_http.NotPublic)
        allowed = f"; those of one's own network are told only with {ALLOWING}" if inside else ""
        raise InvalidValue("", f"{uri!r} cannot be asked: {error}{allowed}") from None


def _check_service(uri: str) -> None:
    from notifiers.channels import apprise  # costs its time only where it is needed

    trouble = apprise_services.problem(uri)
    if trouble is None and not apprise.understood(uri):
        trouble = "is not written as Apprise reads it"
    if trouble:
        raise InvalidValue("", f"{shown(uri)!r} {trouble}")


def quoted(typed: str) -> str:
    """What was typed, as an error may repeat it: what may be a service's address, mistyped, by its scheme alone."""
    scheme, slashes, _ = typed.partition("://")
    return typed if not slashes or shown(typed) == typed else f"{scheme}://…"


def _has_host(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).hostname)
    except ValueError:
        return False
