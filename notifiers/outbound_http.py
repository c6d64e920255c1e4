"""The guarded way to POST to addresses that users typed: never into private networks, never elsewhere than checked."""

import base64
import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

import httpcore2
import httpx2
from msgspec import Struct

from notifiers.time_limit import TimeLimit

Resolve = Callable[[str, int], Sequence[str]]
"""Name and port → numeric addresses. Raises OSError where the name is not known."""
Connect = Callable[[str, int, float], httpcore2.NetworkStream]
"""Numeric address, port and seconds → a connection. Raises httpcore2.ConnectError or ConnectTimeout."""


class OutboundError(Exception):
    """No answer came. The text is one line that names no path, query or password of the address."""


class AddressRefused(OutboundError):  # noqa: N818 - a refusal, not a fault
    """The address is none that may be asked; asking again cannot help."""


class NotPublic(AddressRefused):
    """The address is one of this machine's or of a private network."""


class Unreachable(OutboundError):  # noqa: N818 - says what was found
    """Nobody answered this time."""


class Limits(Struct, frozen=True):
    """Seconds for connecting and in all; bytes of the answer's body that are read, the rest is left."""

    connect_seconds: float = 10.0
    total_seconds: float = 45.0
    body_bytes: int = 4096


class Answer(Struct, frozen=True):
    """Status, headers by lower-case name, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# IANA's special-purpose registries, as a table of our own: `ipaddress.is_global` of Python 3.11 lets several pass
NON_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers' NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; cloud metadata lives here
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
"""All global unicast there is. Outside of it: loopback, v4-mapped, NAT64, unique local, link-local, multicast, …"""
NON_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Whether a numeric address is one that anybody on the internet may be asked to serve. Raises ValueError."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in NON_PUBLIC_V4)
    return ip.scope_id is None and ip in PUBLIC_V6 and not any(ip in network for network in NON_PUBLIC_V6)


def post(
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    limits: Limits,
    allow_private_networks: bool = False,
    resolve: Resolve | None = None,
    connect: Connect | None = None,
) -> Answer:
    """POST once: resolve once, check every answer, connect to a checked one; no redirects, no proxy, no cookies.

    Whatever status comes is an answer. Raises AddressRefused, Unreachable.
    """
    target = _target(url, allow_private_networks)
    with TimeLimit(limits.total_seconds) as limit:
        addresses = _addresses(target, limits, allow_private_networks, resolve or system_resolve)
        backend = _CheckedBackend(addresses, limits, limit, connect or _connect)
        try:
            return _exchange(target, content, headers, backend, limits)
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError) as error:
            raise Unreachable(_why(target.host, error, limit)) from error


def check(url: str, allow_private_networks: bool = False) -> None:
    """Raises AddressRefused for an address that could never be asked, as far as its text tells; nobody is asked."""
    host = _target(url, allow_private_networks).raw_host.decode("ascii")
    try:
        public = is_public(host)
    except ValueError:
        return  # a name; who it leads to is known when it is asked
    if not (public or allow_private_networks):
        raise NotPublic(f"{host} is not a public address")


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The numeric addresses that the system's resolver knows for a name, each once, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_NUMBER = re.compile(r"(0[xX][0-9A-Fa-f]*|[0-9]+)")


def _target(url: str, allow_private_networks: bool) -> httpx2.URL:
    try:
        target = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise AddressRefused("the address is not a valid URL") from error
    if target.scheme not in (("https", "http") if allow_private_networks else ("https",)):
        raise AddressRefused(f"only https addresses are asked, this one begins with “{target.scheme[:20]}:”")
    host = target.raw_host.decode("ascii")
    if not _is_host(host):
        raise AddressRefused(f"“{host[:100]}” is not a host name or a plainly written address")
    if target.port is not None and not 0 < target.port < 65536:
        raise AddressRefused(f"there is no port {target.port}")
    return target


def _is_host(host: str) -> bool:
    """A name, or a numeric address in its one standard spelling: systems read "0x7f.1" or "2130706433" as loopback."""
    if "%" in host:  # names an interface of this machine
        return False
    if ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return str(ipaddress.ip_address(host)) == host.lower() or ":" in host
        except ValueError:
            return False
    return bool(_HOST.fullmatch(host)) and all(len(label) < 64 for label in host.split("."))


def _addresses(target: httpx2.URL, limits: Limits, allow_private: bool, resolve: Resolve) -> list[str]:
    host = target.raw_host.decode("ascii")
    port = target.port or (443 if target.scheme == "https" else 80)
    found = _resolved_within(limits.connect_seconds, resolve, host, port)
    if not found:
        raise Unreachable(f"the name {host} has no address")
    refused = [] if allow_private else [address for address in found if not is_public(address)]
    if refused:
        raise AddressRefused(f"{host} leads to {refused[0]}, which is not a public address")
    return found


def _resolved_within(seconds: float, resolve: Resolve, host: str, port: int) -> list[str]:
    """The resolver's answer; its thread is left behind where it does not answer in time, for it cannot be stopped."""
    answer: list[str] = []
    trouble: list[Exception] = []

    def ask() -> None:
        try:
            answer.extend(resolve(host, port))
        except (OSError, UnicodeError) as error:
            trouble.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Unreachable(f"the name {host} was not resolved within {seconds:g} s")
    if trouble:
        raise Unreachable(f"the name {host} cannot be resolved: {trouble[0]}") from trouble[0]
    return list(answer)


class _CheckedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were checked, whatever name it is asked for; the name still proves itself by TLS."""

    def __init__(self, addresses: Sequence[str], limits: Limits, limit: TimeLimit, connect: Connect) -> None:
        self._addresses = addresses
        self._limits = limits
        self._limit = limit
        self._connect = connect

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - resolved and checked before
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the limits rule
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        for address in self._addresses[:-1]:
            try:
                return self._to(address, port)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._to(self._addresses[-1], port)

    def _to(self, address: str, port: int) -> httpcore2.NetworkStream:
        stream = self._connect(address, port, min(self._limits.connect_seconds, self._limit.remaining))
        self._limit.watch(stream.get_extra_info("socket"))
        return stream


def _connect(address: str, port: int, seconds: float) -> httpcore2.NetworkStream:
    return httpcore2.SyncBackend().connect_tcp(address, port, seconds)


@cache
def _ssl_context() -> Any:
    return httpx2.create_ssl_context()


def _exchange(
    target: httpx2.URL, content: bytes, headers: Mapping[str, str], backend: _CheckedBackend, limits: Limits
) -> Answer:
    each = limits.total_seconds
    timeouts = {"connect": limits.connect_seconds, "read": each, "write": each, "pool": each}
    with (
        httpcore2.ConnectionPool(
            ssl_context=_ssl_context(), max_connections=1, max_keepalive_connections=0, network_backend=backend
        ) as pool,
        pool.stream(
            "POST", _core_url(target), headers=_headers(target, headers), content=content,
            extensions={"timeout": timeouts},
        ) as response,
    ):  # fmt: skip
        return Answer(
            status=response.status,
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers},
            body=_beginning(response, limits.body_bytes),
        )


def _core_url(target: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)


def _headers(target: httpx2.URL, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    own = [("Host", target.netloc.decode("ascii")), ("Accept-Encoding", "identity"), *headers.items()]
    if target.userinfo:
        login = base64.b64encode(unquote_to_bytes(target.userinfo)).decode("ascii")
        own.append(("Authorization", f"Basic {login}"))
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in own]


def _beginning(response: httpcore2.Response, size: int) -> bytes:
    """At most `size` bytes; a body that breaks off does not unsay the status that came before it."""
    body = bytearray()
    try:
        for chunk in response.iter_stream():
            body += chunk
            if len(body) >= size:
                break
    except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError):
        pass
    return bytes(body[:size])


def _why(host: str, error: Exception, limit: TimeLimit) -> str:
    if limit.expired:
        return f"{host} took longer than {limit.seconds:g} s"
    if isinstance(error, httpcore2.TimeoutException):
        return f"{host} did not answer in time"
    words = " ".join(str(error).split())[:200]
    return f"{host} could not be reached: {words}" if words else f"{host} ended the connection without an answer"
