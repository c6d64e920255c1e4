"""By which names this site may be asked, from which origin a form may come, and whose word on the client is taken."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound
Network = IPv4Network | IPv6Network


class Client(NamedTuple):
    """Who asks: its network address, and whether it came by https."""

    address: str
    is_https: bool


class Hosts:
    """The names of one installation: that of `base_url`, that of `host` (where it listens), and those of loopback.

    Any other name in a Host header is refused: it is how a foreign page that had its own name point here (DNS
    rebinding) would read ours. Where it listens everywhere, bare addresses count too: no name can be rebound to them.
    """

    def __init__(self, host: str, base_url: str | None) -> None:
        self._names = LOOPBACK_NAMES | {host.lower()}
        self._takes_addresses = host in WILDCARDS
        self._origin = origin_of(base_url) if base_url else None
        self._base_host = urlsplit(base_url).hostname if base_url else None

    def accepts(self, header: str | None) -> bool:
        """Whether a request with this Host header is meant for us."""
        name = _name(header)
        if name is None:
            return False
        return name in self._names or name == self._base_host or (self._takes_addresses and is_address(name))

    def is_same_origin(self, origin: str, scheme: str, host_header: str) -> bool:
        """Whether `Origin` is this site itself, as it was asked for or as BASE_URL names it."""
        return origin.lower() in {self._origin, origin_of(f"{scheme}://{host_header}")}


def origin_of(url: str) -> str | None:
    """Scheme, host and port of an address, as browsers write an origin; None where it has none."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return None
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "") if host else None


def is_loopback(host: str) -> bool:
    """Whether who listens on `host` is reached from this machine only."""
    if host.lower() == "localhost":
        return True
    return is_address(host) and ip_address(host).is_loopback


def is_address(text: str) -> bool:
    """Whether the text is a bare network address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks that these texts name ("10.0.0.0/8", "192.0.2.7"). Raises ValueError."""
    return tuple(ip_network(text, strict=False) for text in texts)


def client_of(peer: str, is_https: bool, headers: Mapping[str, str], trusted: Sequence[Network]) -> Client:
    """Who asks. What X-Forwarded-For and X-Forwarded-Proto say (all lines of each, joined by commas) counts only from
    a trusted proxy: of the addresses the last one that is none itself, which is the first that nobody could have made
    up.
    """
    peer = _plain(peer)
    if not _is_in(peer, trusted):
        return Client(peer, is_https)
    hops = [_plain(hop.strip()) for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    address = next((hop for hop in reversed(hops) if not _is_in(hop, trusted)), peer)
    proto = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    return Client(address if is_address(address) else peer, proto == "https" if proto else is_https)


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """The token that a request shows; None where it shows none. Other schemes are those of proxies before us."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _plain(text: str) -> str:
    """An IPv4 client of a socket that listens to both kinds is seen as "::ffff:192.0.2.1"."""
    address: IPv4Address | IPv6Address | None = ip_address(text) if is_address(text) else None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped) if mapped else text


def _is_in(text: str, trusted: Sequence[Network]) -> bool:
    return is_address(text) and any(ip_address(text) in network for network in trusted)


def _name(header: str | None) -> str | None:
    """The host in a Host header, without its port; None where it is no host."""
    if not header or any(letter in header for letter in "/@\\?#, \t"):
        return None
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname.rstrip(".") if parts.hostname else None
