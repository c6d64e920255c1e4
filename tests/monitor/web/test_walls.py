"""By which names the site answers, where a form may come from, how large a request may be, what trouble looks like."""

import socket
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from threading import Event, Semaphore

import pytest
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from monitor.settings import SettingsError, load
from monitor.web import cursor, doors, forms, hosts
from monitor.web.answering import OTHERS
from monitor.web.attempts import ALLOWED, MOST_CLIENTS, Attempts
from monitor.web.doors import Door
from monitor.web.hosts import Client, Hosts, client_of, networks
from monitor.web.problems import Problem
from monitor.web.server import Server
from monitor.web.visit import Visit
from notifiers import subscriptions, watches
from notifiers.subscriptions import Subscription
from notifiers.watches import Wish
from snapshots.database import Database
from tests.monitor.web.browsing import NOW, OWN_TOKEN, Clock, SiteUnderTest, csrf, free_port, serving


@pytest.mark.parametrize(
    "name", ["evil.example.org", "evil.example.org:8383", "127.0.0.1.evil.example.org", "10.0.0.7"]
)
def test_a_name_that_is_not_ours_is_answered_nothing(site: SiteUnderTest, name: str) -> None:
    answer = site.signed_in().get("/signin", headers={"Host": name})

    assert answer.status_code == 421
    assert "Sign in" not in answer.text


def test_by_another_name_a_right_token_is_let_in_and_a_wrong_one_shuts_nobody_out(site: SiteUnderTest) -> None:
    elsewhere = {"Host": "evil.example.org"}
    wrong = {**elsewhere, "Authorization": "Bearer wrong"}

    said = [site.client().get(path, headers=wrong) for path in ["/api/v1/health", "/signin"] * 6]

    assert {answer.status_code for answer in said[:ALLOWED]} == {421}
    assert said[0].json()["title"] == "This site is not known by that name"
    assert site.client().get("/api/v1/health", headers={**elsewhere, "Authorization": "Basic dTpw"}).status_code == 421
    assert site.client(OWN_TOKEN).get("/api/v1/health").status_code == 200
    assert site.client().post("/signin", data={"token": OWN_TOKEN}).status_code == 303


def test_programs_by_another_name_may_show_their_token(site: SiteUnderTest) -> None:
    assert site.client(OWN_TOKEN).get("/metrics", headers={"Host": "scraped.internal:8383"}).status_code == 200


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:1234", "127.0.0.1", "[::1]:8383", "trials.example.org"])
def test_our_own_names_are_answered(sqlite_database: Database, name: str) -> None:
    with serving(sqlite_database, base_url="https://trials.example.org") as site:
        assert site.client().get("/signin", headers={"Host": name}).status_code == 200


def test_who_asks_whether_we_live_may_use_any_name(site: SiteUnderTest) -> None:
    for path in ("/healthz", "/readyz"):
        assert site.client().get(path, headers={"Host": "10.1.2.3:8383"}).status_code == 200


def test_where_it_listens_everywhere_bare_addresses_are_names_too() -> None:
    everywhere = Hosts("0.0.0.0", None)

    assert everywhere.accepts("192.0.2.7:8383")
    assert not everywhere.accepts("evil.example.org")
    assert not Hosts("127.0.0.1", None).accepts("192.0.2.7")


@pytest.mark.parametrize("name", [None, "", "a/b", "user@127.0.0.1", "127.0.0.1:port", "[::1", "a b", "127.0.0.1#x"])
def test_what_is_no_host_is_refused(name: str | None) -> None:
    assert not Hosts("127.0.0.1", None).accepts(name)


# --- where forms come from --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_site_does_nothing_even_with_the_right_token(
    site: SiteUnderTest, headers: dict[str, str]
) -> None:
    browser = site.signed_in()
    token = csrf(browser.get("/"))

    assert browser.post("/signout", data={"csrf": token}, headers=headers).status_code == 403
    assert site.client().post("/signin", data={"token": OWN_TOKEN}, headers=headers).status_code == 403
    assert browser.get("/").status_code == 200


def test_a_form_of_this_site_is_taken_as_a_browser_sends_it(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}

    assert browser.post("/signout", data={"csrf": csrf(browser.get("/"))}, headers=headers).status_code == 303


def test_behind_a_proxy_the_origin_is_that_of_base_url(sqlite_database: Database) -> None:
    with serving(sqlite_database, base_url="https://trials.example.org/ct", trusted_proxies="127.0.0.1") as site:
        headers = {"Origin": "https://trials.example.org", "X-Forwarded-Proto": "https"}

        answer = site.client().post("/ct/signin", data={"token": OWN_TOKEN}, headers=headers)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/ct/"
    assert answer.headers["set-cookie"].startswith("__Host-trialdelta_session=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


# --- proxies ----------------------------------------------------------------------------------------------------------

PROXIES = networks(["127.0.0.1", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("127.0.0.1", "not an address", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        # of a socket that listens to both kinds of address
        ("::ffff:10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("::ffff:127.0.0.1", "203.0.113.9, ::ffff:10.1.1.1", "203.0.113.9"),
        ("::ffff:192.0.2.1", "203.0.113.9", "192.0.2.1"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, False, {"x-forwarded-for": forwarded}, PROXIES) == Client(client, False)


def test_a_proxy_that_adds_a_line_of_its_own_is_believed_and_not_its_client(sqlite_database: Database) -> None:
    with serving(sqlite_database, trusted_proxies="127.0.0.1") as site:
        said = [
            site.client().get(
                "/metrics",
                headers=[
                    ("Authorization", "Bearer wrong"),
                    ("X-Forwarded-For", f"203.0.113.{number}"),
                    ("X-Forwarded-For", "198.51.100.7"),
                ],
            )
            for number in range(ALLOWED + 1)
        ]

    assert [answer.status_code for answer in said] == [401] * ALLOWED + [429]


def test_nobody_else_is_believed_about_https_or_where_it_came_from(site: SiteUnderTest) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}

    answer = site.client().post("/signin", data={"token": OWN_TOKEN}, headers=headers)

    assert "Secure" not in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers


def test_attempts_count_by_client_and_an_ipv6_network_is_one() -> None:
    attempts = Attempts()
    for _ in range(ALLOWED):
        attempts.note_failure("2001:db8::1", NOW)

    assert attempts.seconds_to_wait("2001:db8::ffff", NOW) == 300
    assert attempts.seconds_to_wait("2001:db8:0:1::1", NOW) == 0


def test_no_number_of_clients_fills_the_memory() -> None:
    attempts = Attempts()
    for number in range(MOST_CLIENTS + 10):
        attempts.note_failure(f"client {number}", NOW)

    assert len(attempts._failed) == MOST_CLIENTS


# --- size, time, trouble ----------------------------------------------------------------------------------------------


def test_files_of_the_page_are_packed_for_who_takes_that_and_pages_never_are(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    page = browser.get("/", headers={"Accept-Encoding": "gzip"})
    name = page.text.partition('href="/assets/page.')[2].partition('"')[0]
    answers = {
        said: browser.get(f"/assets/page.{name}", headers={"Accept-Encoding": said})
        for said in ("gzip, br", "GZIP;q=0.5", "identity", "gzip;q=0", "br, gzip; q=0.0", "")
    }

    assert "content-encoding" not in page.headers, "the proof of its forms could be guessed from its length"
    packed = [said for said, answer in answers.items() if answer.headers.get("content-encoding") == "gzip"]
    assert packed == ["gzip, br", "GZIP;q=0.5"]
    assert len({answer.text for answer in answers.values()}) == 1
    assert {answer.headers["vary"] for answer in answers.values()} == {"Accept-Encoding"}
    assert int(answers["gzip, br"].headers["content-length"]) < 5000


def test_a_request_that_is_too_large_is_refused_before_it_is_read(site: SiteUnderTest) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as large:
        large.sendall(f"POST /signin HTTP/1.1\r\nHost: {host}\r\nContent-Length: {10**9}\r\n\r\nx".encode())

        assert large.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_form_that_is_too_large_leads_back_to_it(site: SiteUnderTest) -> None:
    answer = site.signed_in().post("/watchlist/add", data={"ids": "NCT01234567 " * 30_000})

    assert answer.status_code == 413
    assert "Send it in several parts." in answer.text
    assert '<a href="/watchlist/add">Back to the form</a>' in answer.text


def test_so_is_one_that_does_not_say_how_large_it_is(site: SiteUnderTest) -> None:
    def endless() -> object:
        for _ in range(20):
            yield b"x" * 64 * 1024

    assert site.client().post("/signin", content=endless()).status_code == 413  # type: ignore[arg-type]


def test_a_connection_that_brings_no_request_is_closed(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.server.HEAD_SECONDS", 0.2)
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        began = time.monotonic()

        assert slow.recv(10) == b""
        assert time.monotonic() - began < 3


def test_a_body_that_never_ends_is_given_up(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.answering.BODY_SECONDS", 0.2)
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as slow:
        slow.sendall(f"POST /signin HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n\r\nto".encode())

        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.fixture
def breaking(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> object:
    """A site with doors whose handlers fail, or take their time."""

    def fails(_: object) -> None:
        raise RuntimeError("a secret of ours")

    def takes_long(_: object) -> None:
        time.sleep(0.5)

    broken = (
        Door("/broken", access="open", get=fails),  # type: ignore[arg-type]
        Door("/api/v1/broken", access="open", kind="api", get=fails),  # type: ignore[arg-type]
        Door("/slow", access="open", get=takes_long),  # type: ignore[arg-type]
    )
    every = (*doors.doors(), *broken)
    monkeypatch.setattr("monitor.web.application.doors", lambda: every)
    monkeypatch.setattr("monitor.web.answering.HANDLER_SECONDS", 0.1)
    with serving(sqlite_database) as site:
        yield site


@pytest.mark.parametrize(
    ("path", "way", "lead"),
    [
        ("/addresses/99", "/addresses", "The list of addresses shows those there are."),
        ("/templates/bogus", "/templates", "There are: alert, alert of a search, digest"),
        ("/trials/hello", "/watchlist", "Not a ClinicalTrials.gov id: 'hello'"),
        ("/nowhere", "/watchlist", "The address may be mistyped"),
    ],
)
def test_what_is_not_there_leads_back_and_says_so_in_a_sentence(
    site: SiteUnderTest, path: str, way: str, lead: str
) -> None:
    answer = site.signed_in().get(path)
    stranger = site.client().get("/nowhere")

    assert answer.status_code == 404
    assert f'href="{way}"' in answer.text
    assert f'<p class="lead">{lead}' in unescape(answer.text)
    assert 'aria-label="Pages"' in answer.text
    assert 'aria-label="Pages"' not in stranger.text


def test_a_failure_is_one_clear_line_with_an_id_that_the_log_has(breaking: SiteUnderTest) -> None:
    for path in ("/broken", "/api/v1/broken"):
        with capture_logs() as log:
            answer = breaking.client().get(path)

        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["x-request-id"] in answer.text
        assert [entry["id"] for entry in log if entry["log_level"] == "error"] == [answer.headers["x-request-id"]]


def test_who_asks_for_too_much_does_not_wait_for_ever(breaking: SiteUnderTest) -> None:
    answer = breaking.client().get("/slow")

    assert answer.status_code == 503
    assert "took too long" in answer.text


FOR_EVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}


def test_a_question_that_nobody_waits_for_any_more_is_ended_in_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Event()

    def asks(here: Visit) -> PlainTextResponse:
        try:
            with here.database.read() as connection:
                connection.exec_driver_sql(FOR_EVER[connection.dialect.name])
        finally:
            ended.set()
        raise AssertionError("it has an end")

    every = (*doors.doors(), Door("/for-ever", access="open", get=asks))  # type: ignore[arg-type]
    monkeypatch.setattr("monitor.web.application.doors", lambda: every)
    with serving(database) as site:
        monkeypatch.setattr("monitor.web.answering.HANDLER_SECONDS", 0.3)
        answer = site.client().get("/for-ever", timeout=30)
        assert ended.wait(30)
        monkeypatch.undo()

        assert site.client().get("/readyz").status_code == 200  # its connection serves others as before
    assert answer.status_code == 503


def test_whoever_waits_for_a_silent_registry_all_else_is_answered(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, released = Semaphore(0), Event()

    def waits(_: object) -> PlainTextResponse:
        waiting.release()
        released.wait(60)
        return PlainTextResponse("at last")

    slow = Door("/waits", access="open", post=waits, asks_others=("POST",))
    every = (*doors.doors(), slow)
    monkeypatch.setattr("monitor.web.application.doors", lambda: every)
    with serving(sqlite_database) as site, ThreadPoolExecutor(20) as askers:
        asked = [askers.submit(site.client().post, "/waits", timeout=60) for _ in range(20)]
        for _ in range(OTHERS):
            assert waiting.acquire(timeout=30)
        said = [site.client().get(path, timeout=30).status_code for path in ("/healthz", "/readyz", "/signin")]
        too_many = waiting.acquire(timeout=0.2)
        released.set()

        assert [each.result().text for each in asked] == ["at last"] * 20
    assert said == [200] * 3
    assert not too_many


def test_a_database_that_is_gone_is_said_clearly(site: SiteUnderTest) -> None:
    assert site.client().get("/readyz").status_code == 200
    with site.database.schema_change() as connection:
        connection.exec_driver_sql("DROP TABLE sessions")

    answer = site.client().get("/", headers={"Cookie": "trialdelta_session=x"})

    assert answer.status_code == 503
    assert "The database does not answer" in answer.text


# --- forms ------------------------------------------------------------------------------------------------------------


HEAD = b"--x\r\nContent-Disposition: form-data; "


@pytest.mark.parametrize(
    "body",
    [
        HEAD + b";" * 200_000 + b"\r\n\r\n1\r\n--x--\r\n",
        HEAD + b"name=a; a=" + b"(" * 200_000 + b"\r\n\r\n1\r\n--x--\r\n",
        b"".join(b"--x\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % number for number in range(3000)),
        HEAD + b'name="a"\r\n\r\n1\r\n' + HEAD + b'name="cut o',
    ],
    ids=["semicolons", "brackets", "nested", "cut off"],
)
def test_no_form_of_a_stranger_costs_more_than_its_length(site: SiteUnderTest, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    assert site.client().post("/signin", content=body, headers=headers, timeout=5).status_code == 400


def test_a_form_with_a_file_is_read() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="group"\r\n\r\nd\xc3\xbck\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../list.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\nid\r\nNCT99000001\r\n\r\n--x--\r\n"
    )

    form = forms.read("multipart/form-data; boundary=x", body)
    upload = form.file("file")

    assert form.text("group") == "dük"
    assert upload is not None
    assert upload.content == b"id\r\nNCT99000001\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"x", 415),
        ("application/x-www-form-urlencoded", b"a=%ff", 400),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 2001), 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nnobody\r\n--x--\r\n", 400),
    ],
)
def test_what_is_no_form_is_refused(kind: str, body: bytes, status: int) -> None:
    with pytest.raises(Problem) as refused:
        forms.read(kind, body)

    assert refused.value.status == status


# --- what no database can keep, and numbers that no row has -----------------------------------------------------------

HUGE = 2**70


UNSAYABLE = (
    "/watchlist?words=%00",
    "/watchlist?group=a%00b",
    "/watchlist.csv?words=%00",
    "/?group=%00",
    f"/api/v1/records?cursor={cursor.encode(chr(0))}",
    f"/api/v1/watches?cursor={cursor.encode(0, chr(0), 1)}",
    f"/api/v1/watches?cursor={cursor.encode(0, 'x', 2**40)}",
    f"/api/v1/watches?cursor={cursor.encode(2**40, 'x', 0)}",
    f"/?after={cursor.encode('2026', 0, 2**40)}",
    f"/watchlist?after={cursor.encode(0, 'x', 2**40)}",
    f"/deliveries?after={cursor.encode(2**40)}",
    f"/health?after={cursor.encode(2**40)}",
    f"/health?after={urlsafe_b64encode(f'[{HUGE}]'.encode()).decode()}",
    f"/health?after={urlsafe_b64encode(b'[-1]').decode()}",
)


def test_what_no_row_can_say_is_the_mistake_of_who_asks(site_on_each: SiteUnderTest) -> None:
    browser = site_on_each.signed_in()

    for path in UNSAYABLE:
        answer = browser.get(path)
        assert answer.status_code == 400, (path, answer.text)
        assert "U+0000" in answer.text or "cursor is none of this list" in answer.text
    nothing = browser.get("/deliveries/%00")
    assert (nothing.status_code, "U+0000" in nothing.text) == (404, True)


def test_forms_with_a_character_that_no_database_keeps_change_nothing(site_on_each: SiteUnderTest) -> None:
    browser = site_on_each.signed_in()
    token = csrf(browser.get("/watchlist/add"))
    forms_sent: list[tuple[str, dict[str, str]]] = [
        ("/watchlist/add", {"ids": "NCT99000001", "group": "g\0h", "wish": "watch"}),
        ("/watchlist/search", {"query.term": "x", "name": "a\0b", "wish": "save"}),
        ("/subscriptions/new", {"name": "a\0b", "to": "a@example.org", "wish": "save"}),
    ]

    for path, said in forms_sent:
        answer = browser.post(path, data={"csrf": token, **said})
        assert (answer.status_code, "U+0000" in answer.text) == (400, True), answer.text
    file = {"file": ("list.csv", b"id,note\nNCT99000001,a\x00b\n", "text/csv")}
    answer = browser.post("/watchlist/import", data={"csrf": token}, files=file)
    assert (answer.status_code, "U+0000" in answer.text) == (422, True), answer.text
    assert "Nothing is watched yet" in browser.get("/watchlist").text


def test_marks_of_what_is_no_step_are_passed_over(site_on_each: SiteUnderTest) -> None:
    browser = site_on_each.signed_in()
    token = csrf(browser.get("/"))

    for wish in ("seen", "unseen"):
        for steps in ("7" * 5000, str(2**64), str(2**40)):
            answer = browser.post("/seen", data={"csrf": token, "steps": steps, "wish": wish})
            assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_time_that_cannot_be_meant_is_one_clear_line(site: SiteUnderTest, until: str) -> None:
    browser = site.signed_in()
    with site.database.write() as connection:
        subscriptions.save(connection, Subscription(name="all", to=("mailto:a@example.org",)), NOW)
        watches.add(connection, Wish(registry="ctgov", record_id="NCT99000001"), NOW)

    for path in ("/subscriptions/1/rest", "/watchlist/1"):
        token = csrf(browser.get("/subscriptions/1"))
        answer = browser.post(path, data={"csrf": token, "wish": "snooze", "until": until})
        assert (answer.status_code, "is no time that can be meant" in answer.text) == (422, True), answer.text


# --- where it listens -------------------------------------------------------------------------------------------------


def settings_with(database: Database, **given: str) -> object:
    environ = {f"TRIALDELTA_{name.upper()}": value for name, value in given.items()}
    return load({**environ, "TRIALDELTA_DATABASE_URL": database.url}, Path("no-such.env"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_does_not_listen_to_others_without_a_token_of_the_operator(sqlite_database: Database, host: str) -> None:
    settings = settings_with(sqlite_database, host=host, port=str(free_port()))

    with pytest.raises(SettingsError, match="set TRIALDELTA_ACCESS_TOKEN"):
        Server(settings, sqlite_database, Clock())  # type: ignore[arg-type]


def test_a_token_that_could_be_guessed_is_refused(sqlite_database: Database) -> None:
    settings = settings_with(sqlite_database, access_token="secret", port=str(free_port()))

    with pytest.raises(SettingsError, match=r"fewer than 16 characters"):
        Server(settings, sqlite_database, Clock())  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_one_clear_line(site: SiteUnderTest) -> None:
    settings = settings_with(site.database, port=site.url.rpartition(":")[2], access_token=OWN_TOKEN)

    with pytest.raises(SettingsError, match=r"port \d+ of 127.0.0.1 is taken"):
        Server(settings, site.database, Clock())  # type: ignore[arg-type]


def test_the_token_is_made_once_into_a_file_of_its_owner_alone(sqlite_database: Database) -> None:
    settings = settings_with(sqlite_database, port=str(free_port()))
    first = Server(settings, sqlite_database, Clock())  # type: ignore[arg-type]
    first.start()
    first.stop(5)
    again = Server(settings, sqlite_database, Clock())  # type: ignore[arg-type]
    again.start()
    again.stop(5)

    assert first.own.token == again.own.token
    assert first.own.file is not None
    assert first.own.file.stat().st_mode & 0o777 == 0o600
    assert first.own.token not in repr(first.own)


def test_loopback_is_known_by_its_names() -> None:
    assert all(hosts.is_loopback(name) for name in ("localhost", "127.0.0.1", "127.9.9.9", "::1"))
    assert not any(hosts.is_loopback(name) for name in ("0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.x.org"))
