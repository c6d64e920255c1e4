"""The guarded client: no packet leaves loopback here, resolvers and connections are stubs or local servers."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import httpcore2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from notifiers.outbound_http import AddressRefused, Answer, Limits, Unreachable, is_public, post

PUBLIC = "93.184.215.14"
LIMITS = Limits(connect_seconds=2, total_seconds=5)


class Net:
    """A resolver that gives the next of its answers each time, and connections that all end at a local server."""

    def __init__(self, *answers: Sequence[str], server: HTTPServer | None = None) -> None:
        self.answers = list(answers)
        self.server = server
        self.asked: list[str] = []
        self.connected: list[str] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0)

    def connect(self, address: str, port: int, seconds: float) -> httpcore2.NetworkStream:
        self.connected.append(address)
        if self.server is None:
            raise httpcore2.ConnectError("refused")
        return httpcore2.SyncBackend().connect_tcp("127.0.0.1", self.server.port, seconds)


def send(url: str, net: Net, allow: bool = False, limits: Limits = LIMITS) -> Answer:
    return post(
        url,
        content=b"{}",
        headers={"Content-Type": "application/json"},
        limits=limits,
        allow_private_networks=allow,
        resolve=net.resolve,
        connect=net.connect,
    )


def local(httpserver: HTTPServer, path: str = "/", limits: Limits = LIMITS) -> Answer:
    return post(httpserver.url_for(path), content=b"{}", headers={}, limits=limits, allow_private_networks=True)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
        "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
        "2606:2800:21f::1%eth0",
    ],
)  # fmt: skip
def test_an_address_that_the_internet_does_not_serve_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
     "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "223.255.255.255", PUBLIC,
     "2001:200::1", "2606:2800:21f::1", "2a00:1450::1"],
)  # fmt: skip
def test_the_neighbours_of_private_networks_are_public(address: str) -> None:
    assert is_public(address)


def test_a_name_that_leads_to_a_private_address_is_refused_without_connecting() -> None:
    net = Net(["10.0.0.5"])

    with pytest.raises(AddressRefused, match=r"hooks.example.org leads to 10.0.0.5, which is not a public address"):
        send("https://hooks.example.org/x", net)
    assert net.connected == []


@pytest.mark.parametrize(
    ("what", "address"),
    [
        ("loopback", "127.0.0.1"), ("loopback", "::1"), ("this network", "0.0.0.0"), ("private", "10.0.0.5"),
        ("private", "172.16.9.9"), ("private", "192.168.0.1"), ("unique local", "fd00::1"),
        ("link-local, cloud metadata", "169.254.169.254"), ("link-local", "fe80::1"), ("CGNAT", "100.64.0.1"),
        ("multicast", "224.0.0.1"), ("multicast", "ff02::1"), ("broadcast", "255.255.255.255"),
        ("NAT64 of loopback", "64:ff9b::7f00:1"), ("local NAT64", "64:ff9b:1::a00:1"),
        ("6to4 of a private network", "2002:0a00:0001::"), ("v4-mapped loopback", "::ffff:127.0.0.1"),
        ("v4-mapped in hex", "::ffff:7f00:1"), ("v4-compatible", "::127.0.0.1"), ("Teredo", "2001::1"),
        ("documentation", "2001:db8::1"),
    ],
)  # fmt: skip
def test_what_no_webhook_may_reach_is_refused_by_name_and_by_number(what: str, address: str) -> None:
    by_name = Net([address])
    by_number = Net([address])

    with pytest.raises(AddressRefused):
        send("https://hooks.example.org/x", by_name)
    with pytest.raises(AddressRefused):
        send(f"https://[{address}]/x" if ":" in address else f"https://{address}/x", by_number)
    assert (by_name.connected, by_number.connected) == ([], []), what


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_into_a_private_network_is_not_followed(httpserver: HTTPServer, status: int) -> None:
    target = httpserver.url_for("/inside")
    httpserver.expect_request("/a").respond_with_data("", status=status, headers={"Location": target})

    assert local(httpserver, "/a").status == status
    assert [request.path for request, _ in httpserver.log] == ["/a"]


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    net = Net([PUBLIC, "127.0.0.1"])

    with pytest.raises(AddressRefused):
        send("https://hooks.example.org/x", net)
    assert net.connected == []


def test_a_resolver_that_changes_its_mind_cannot_move_the_connection() -> None:
    net = Net([PUBLIC], ["127.0.0.1"])

    with pytest.raises(Unreachable):
        send("https://hooks.example.org/x", net)
    assert (net.asked, net.connected) == (["hooks.example.org"], [PUBLIC])


def test_the_next_checked_address_is_tried_when_one_does_not_answer() -> None:
    net = Net(["93.184.215.14", "93.184.215.15"])

    with pytest.raises(Unreachable):
        send("https://hooks.example.org/x", net)
    assert net.connected == ["93.184.215.14", "93.184.215.15"]


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "127.0.0.01", "0177.0.0.1", "127.0.0.1.", "0x", "1",
     "a b", "[fe80::1%25eth0]", "[::1", "-x.example", "ex%61mple.org", "１２７.0.0.1", "x" * 70 + ".example"],
)  # fmt: skip
def test_a_host_in_a_strange_spelling_is_refused_before_anybody_is_asked(host: str) -> None:
    net = Net()

    with pytest.raises(AddressRefused):
        send(f"https://{host}/x", net)
    assert (net.asked, net.connected) == ([], [])


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/", "ftp://hooks.example.org/", "file:///etc/passwd", "hooks.example.org",
            "https:", "https:///x", "https://hooks.example.org:0/", "https://hooks.example.org:70000/", "https://[::1",
            ""],
)  # fmt: skip
def test_only_whole_https_addresses_are_asked(url: str) -> None:
    net = Net([PUBLIC])

    with pytest.raises(AddressRefused):
        send(url, net)
    assert net.connected == []


def test_private_networks_can_be_allowed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook", method="POST", data="{}").respond_with_data("thanks", status=202)

    answer = local(httpserver, "/hook")

    assert (answer.status, answer.body) == (202, b"thanks")


def test_a_redirect_is_an_answer_and_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=307, headers={"Location": httpserver.url_for("/b")})

    assert local(httpserver, "/a").status == 307
    assert [request.path for request, _ in httpserver.log] == ["/a"]


def test_a_proxy_from_the_environment_is_not_used(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_data("direct")

    assert local(httpserver).body == b"direct"


def test_a_password_in_the_address_is_sent_as_basic_sign_in_and_never_told(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/", headers={"Authorization": "Basic dTpwQHNz"}).respond_with_data("in")
    address = httpserver.url_for("/").replace("://", "://u:p%40ss@")

    assert post(address, content=b"", headers={}, limits=LIMITS, allow_private_networks=True).status == 200
    with pytest.raises(Unreachable) as trouble:
        send("https://u:p%40ss@hooks.example.org/secret", Net([PUBLIC]))
    assert "p%40ss" not in str(trouble.value)
    assert "secret" not in str(trouble.value)


def test_the_host_header_and_body_arrive_as_for_any_client(httpserver: HTTPServer) -> None:
    def handler(request: Request) -> Response:
        return Response(f"{request.host} {request.method} {request.data.decode()} {request.query_string.decode()}")

    httpserver.expect_request("/hook").respond_with_handler(handler)

    body = local(httpserver, "/hook?a=%C3%A4").body.decode()

    assert body == f"localhost:{httpserver.port} POST {{}} a=%C3%A4"


def test_of_a_long_answer_only_the_beginning_is_read(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 3_000_000)

    assert local(httpserver, limits=Limits(2, 5, body_bytes=100)).body == b"x" * 100


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Starts a server on loopback that hands its first connection to a function; gives its URL."""
    opened: list[socket.socket] = []

    def start(serve: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def run() -> None:
            connection, _ = listener.accept()
            opened.append(connection)
            with contextlib.suppress(OSError):  # the client has gone, as it should
                serve(connection)

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for each in opened:
        each.close()


def drip(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        connection.sendall(f"X-{number}: y\r\n".encode())
        time.sleep(0.05)


def test_a_server_that_drips_is_left_when_the_total_time_is_up(peer: Callable[..., str]) -> None:
    url = peer(drip)
    began = time.monotonic()

    with pytest.raises(Unreachable, match=r"took longer than 0.4 s"):
        post(url, content=b"", headers={}, limits=Limits(2, 0.4), allow_private_networks=True)
    assert time.monotonic() - began < 2


def test_a_body_that_breaks_off_does_not_unsay_the_status(peer: Callable[..., str]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.close()

    answer = post(peer(serve), content=b"", headers={}, limits=LIMITS, allow_private_networks=True)

    assert answer.status == 200


@pytest.mark.parametrize("bytes_sent", [b"", b"not http at all\r\n\r\n", b"HTTP/1.1 200"])
def test_an_answer_that_is_not_http_is_no_answer(peer: Callable[..., str], bytes_sent: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(bytes_sent)
        connection.close()

    with pytest.raises(Unreachable):
        post(peer(serve), content=b"", headers={}, limits=LIMITS, allow_private_networks=True)


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    answered = threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        answered.wait(10)
        return []

    with pytest.raises(Unreachable, match=r"was not resolved within 0\.1 s"):
        post("https://x.example/", content=b"", headers={}, limits=Limits(0.1, 1), resolve=resolve)
    answered.set()


def test_a_name_nobody_knows_is_tried_again_later() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unreachable, match=r"the name x\.example cannot be resolved"):
        post("https://x.example/", content=b"", headers={}, limits=LIMITS, resolve=resolve)
