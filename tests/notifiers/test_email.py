"""Mail, handed to a real SMTP server on loopback."""

import contextlib
import email
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP as PARSING
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channels import DeliveryError, DeliverySettings
from notifiers.channels.email import SmtpServer, compose, mail_address, send, smtp_server
from notifiers.message import Message, Why
from notifiers.rendering import Rendered, render
from tests.notifiers.messages import BEIJING, DELAYED, SEEN, alert, digest, message, news, step


class Place(msgspec.Struct, frozen=True):
    uri: str
    secrets: tuple[str, ...] = ()


BOB = Place("mailto:bob@example.org")


class Mailbox:
    """Keeps what it is sent, and answers at chosen stages as told: {"RCPT": "550 5.1.1 no such user"}."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.signed_in: list[tuple[bytes, bytes]] = []

    def mail(self) -> EmailMessage:
        content = self.received[-1].content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=PARSING)
        assert isinstance(parsed, EmailMessage)
        return parsed

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, host: str, responses: list[str]
    ) -> Any:
        session.host_name = host
        return [self.answers["EHLO"]] if "EHLO" in self.answers else responses

    async def handle_HELO(self, server: SMTP, session: Session, envelope: Envelope, host: str) -> str:
        return self.answers.get("EHLO", "250 hello")

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" not in self.answers:
            self.received.append(envelope)
        return self.answers.get("DATA", "250 2.0.0 queued as 42")

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.signed_in.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss", handled=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def serve(mailbox: Mailbox) -> Iterator[Callable[..., int]]:
    """Starts an SMTP server on loopback with the given aiosmtpd options; gives its port."""
    running: list[Controller] = []

    def start(implicit_tls: ssl.SSLContext | None = None, **options: Any) -> int:
        port = free_port()
        controller = Controller(
            mailbox, hostname="127.0.0.1", port=port, ssl_context=implicit_tls,
            **{"enable_SMTPUTF8": True, "authenticator": mailbox.authenticate, **options},
        )  # fmt: skip
        controller.start()
        running.append(controller)
        return port

    yield start
    for controller in running:
        controller.stop()


def settings(port: int, sign_in: str = "", more: str = "", **others: Any) -> DeliverySettings:
    url = f"smtp://{sign_in}127.0.0.1:{port}{more}"
    given: dict[str, Any] = {"smtp_url": url, "mail_from": "Trial News <news@example.org>", "total_seconds": 5.0}
    return DeliverySettings(**{**given, **others})


def deliver(told: Message, to: DeliverySettings, place: Place = BOB) -> str:
    return send(told, render(told), place, to, SEEN)


# --- the mail itself --------------------------------------------------------------------------------------------------


def test_a_mail_arrives_with_subject_text_and_page(serve: Callable[..., int], mailbox: Mailbox) -> None:
    told = alert(BEIJING, DELAYED)

    receipt = deliver(told, settings(serve()))

    mail, rendered = mailbox.mail(), render(told)
    assert receipt == "250 2.0.0 queued as 42"
    assert (mailbox.received[0].mail_from, mailbox.received[0].rcpt_tos) == ("news@example.org", ["bob@example.org"])
    assert mail["Subject"] == rendered.subject
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == rendered.text  # type: ignore[union-attr]
    assert mail.get_body(("html",)).get_content().split() == rendered.html.split()  # type: ignore[union-attr]


def test_its_headers_say_what_it_is(serve: Callable[..., int], mailbox: Mailbox) -> None:
    deliver(alert(BEIJING), settings(serve()))

    mail = mailbox.mail()
    thread = "<trial.ctgov.NCT99000001@example.org>"
    assert mail["From"] == "Trial News <news@example.org>"
    assert mail["To"] == "bob@example.org"
    assert mail["Date"] == "Tue, 03 Mar 2026 14:05:09 +0000"
    assert mail["Message-ID"] == "<dlv_0190aa@example.org>"
    assert (mail["References"], mail["In-Reply-To"]) == (thread, thread)
    assert mail["List-Id"] == "trialdelta <trialdelta.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<mailto:news@example.org?subject=unsubscribe%20beijing-sites>"
    assert mail["List-Unsubscribe-Post"] is None


def composed(told: Message, sender: str = "news@example.org") -> EmailMessage:
    mail = compose(told, render(told), mail_address(sender), "bob@example.org", SEEN)
    parsed = email.message_from_bytes(mail.as_bytes(), policy=PARSING)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_retry_has_the_same_message_id_and_another_delivery_has_not() -> None:
    ids = [composed(alert(BEIJING, delivery_id=one))["Message-ID"] for one in ("dlv_1", "dlv_1", "dlv_2")]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(("scheme", "one_click"), [("https", "List-Unsubscribe=One-Click"), ("http", None)])
def test_unsubscribing_is_one_click_over_https_only(scheme: str, one_click: str | None) -> None:
    page = f"{scheme}://trials.example.org/unsubscribe/{'t' * 120}"

    mail = composed(alert(BEIJING, unsubscribe_url=page))

    assert mail["List-Unsubscribe"].startswith(f"<{page}>, <mailto:")
    assert mail["List-Unsubscribe-Post"] == one_click


def test_a_long_id_and_a_long_link_are_not_folded_into_gibberish() -> None:
    told = alert(BEIJING, delivery_id="d" * 80, unsubscribe_url=f"https://example.org/{'x' * 300}")

    mail = compose(told, render(told), mail_address("news@example.org"), "bob@example.org", SEEN).as_bytes()

    assert b"Message-ID: <" + b"d" * 80 + b"@example.org>\r\n" in mail
    assert b"=?utf-8?" not in mail.partition(b"\r\nSubject:")[0]
    assert max(map(len, mail.split(b"\r\n"))) < 998


def test_no_line_of_a_mail_is_beyond_ascii_or_too_long_for_any_server() -> None:
    told = alert(BEIJING, subscriptions=(Why("Überwachung 监测 " * 9, "é" * 2000),))

    content = compose(
        told, render(told), mail_address("Österreich <news@example.org>"), "b@example.org", SEEN
    ).as_bytes()

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) < 998


evil = st.text(max_size=60) | st.sampled_from(
    ["x\r\nBcc: eve@example.org", "x\nBcc: eve@example.org\n\nbody", "x\r\n\r\n.\r\nQUIT",
     "\u2028Bcc: a@b", "\x0bBcc:", "\x00", "\ud83d",
     "=?utf-8?q?=0D=0ABcc=3A_eve=40example.org?=", "=?utf-8?b?4oCu?="]
)  # fmt: skip


@given(evil)
def test_no_text_can_add_a_header(text: str) -> None:
    told = message(
        news(step(BEIJING, record="NCT99000001", title=text)), subscriptions=(Why(text, text),), delivery_id=text
    )

    mail = compose(
        told, Rendered(text, "text", "<p>page</p>"), mail_address("news@example.org"), "bob@example.org", SEEN
    )

    raw = mail.as_bytes()
    names = [line.split(b":")[0].lower() for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] not in b" \t"]
    assert b"bcc" not in names
    assert "\u202e" not in str(email.message_from_bytes(raw, policy=PARSING)["Subject"])
    assert len(names) == len(set(names))
    assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r")


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "recipient"),
    [
        ("mailto:bob@example.org", "bob@example.org"),
        ("MAILTO:bob%2Btrials@example.org", "bob+trials@example.org"),
        ("mailto:bob@B%C3%BCcher.example", "bob@xn--bcher-kva.example"),
        ("mailto:j%C3%B6rg@example.org", "jörg@example.org"),
    ],
)  # fmt: skip
def test_an_address_is_delivered_to_as_it_is_meant(
    serve: Callable[..., int], mailbox: Mailbox, uri: str, recipient: str
) -> None:
    deliver(alert(BEIJING), settings(serve()), Place(uri))

    assert mailbox.received[0].rcpt_tos == [recipient]
    assert f"\r\nTo: {recipient}\r\n".encode() in bytes(mailbox.received[0].content or b"")


@pytest.mark.parametrize(
    "uri",
    [
        "mailto:", "mailto:bob", "mailto:@example.org", "mailto:bob@", "mailto:bob@example.org,eve@example.org",
        "mailto:bob@example.org?subject=x", "mailto:bob@example.org%0D%0ABcc:eve@example.org", "mailto:a@b@example.org",
        "mailto:bob@exa mple.org", "mailto:%22a%20b%22@example.org", "mailto:bob@example.org%3E",
        "mailto:bob@" + "x" * 80 + ".org",
    ],
)  # fmt: skip
def test_what_is_no_single_mail_address_is_refused_for_good_before_connecting(uri: str) -> None:
    with pytest.raises(DeliveryError) as trouble:
        deliver(alert(BEIJING), settings(free_port()), Place(uri))

    assert (trouble.value.permanent, trouble.value.whose) == (True, "address")


def test_an_address_beyond_ascii_is_refused_where_the_server_cannot_take_it(serve: Callable[..., int]) -> None:
    port = serve(enable_SMTPUTF8=False)

    with pytest.raises(DeliveryError, match="SMTPUTF8") as trouble:
        deliver(alert(BEIJING), settings(port), Place("mailto:j%C3%B6rg@example.org"))
    assert trouble.value.permanent


# --- failures, by stage -----------------------------------------------------------------------------------------------

BY_STAGE = [
    ("EHLO", "554 5.7.1 not you", "hello", False, "operator"),
    ("EHLO", "421 too busy", "hello", False, "operator"),
    ("MAIL", "550 5.1.8 sender unknown", "MAIL FROM", False, "operator"),
    ("MAIL", "451 try later", "MAIL FROM", False, "operator"),
    ("RCPT", "550 5.1.1 no such user", "RCPT TO", True, "address"),
    ("RCPT", "550 5.7.1 relaying denied", "RCPT TO", False, "operator"),
    ("RCPT", "552 5.2.2 mailbox full", "RCPT TO", False, "address"),
    ("RCPT", "450 4.2.0 greylisted", "RCPT TO", False, "address"),
    ("RCPT", "421 4.3.2 closing", "RCPT TO", False, "address"),
    ("DATA", "554 5.6.0 looks like spam", "DATA", True, "message"),
    ("DATA", "552 5.3.4 too big", "DATA", True, "message"),
    ("DATA", "452 4.3.1 disk full", "DATA", False, "address"),
]


@pytest.mark.parametrize(("command", "answer", "stage", "permanent", "whose"), BY_STAGE)
def test_a_refusal_is_judged_by_its_stage_and_told_with_the_servers_words(
    serve: Callable[..., int], mailbox: Mailbox, command: str, answer: str, stage: str, permanent: bool, whose: str
) -> None:
    mailbox.answers[command] = answer

    with pytest.raises(DeliveryError) as trouble:
        deliver(alert(BEIJING), settings(serve()))

    assert (trouble.value.permanent, trouble.value.whose) == (permanent, whose)
    assert str(trouble.value) == f"mail server at {stage}: {answer}"
    assert mailbox.received == []


@pytest.mark.parametrize("answer", ["250 " + "kept " * 3000, "250-kept\r\n250 " + "x" * 70_000])
def test_a_mail_that_was_taken_with_very_many_words_is_delivered(
    serve: Callable[..., int], mailbox: Mailbox, answer: str
) -> None:
    mailbox.answers["DATA"] = answer

    receipt = deliver(message(type="test"), settings(serve()))

    assert receipt.startswith("250 kept")
    assert len(receipt) < 300


def test_a_wrong_password_is_the_operators_trouble(serve: Callable[..., int], mailbox: Mailbox) -> None:
    port = serve(auth_require_tls=False)

    with pytest.raises(DeliveryError, match="mail server at sign-in: 535") as trouble:
        deliver(alert(BEIJING), settings(port, "me:wrong@", "?starttls=never"))
    assert (trouble.value.permanent, trouble.value.whose) == (False, "operator")
    assert "wrong" not in str(trouble.value)


def test_a_sign_in_is_made_with_the_decoded_password(serve: Callable[..., int], mailbox: Mailbox) -> None:
    port = serve(auth_require_tls=False)

    deliver(alert(BEIJING), settings(port, "me%40example.org:p%40ss@", "?starttls=never"))

    assert mailbox.signed_in == [(b"me@example.org", b"p@ss")]
    assert len(mailbox.received) == 1


def test_nobody_at_the_port_is_the_operators_trouble() -> None:
    with pytest.raises(DeliveryError, match="mail server at connect") as trouble:
        deliver(alert(BEIJING), settings(free_port()))
    assert (trouble.value.permanent, trouble.value.whose) == (False, "operator")


@pytest.mark.parametrize("missing", ["smtp_url", "mail_from"])
def test_mail_that_is_not_set_up_is_the_operators_trouble(missing: str) -> None:
    unset = msgspec.structs.replace(settings(25), **{missing: None})

    with pytest.raises(DeliveryError, match=f"{missing.upper()} is not set") as trouble:
        deliver(alert(BEIJING), unset)
    assert (trouble.value.permanent, trouble.value.whose) == (False, "operator")


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """A server on loopback whose one connection a function handles; gives its port."""
    opened: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def run() -> None:
            connection, _ = listener.accept()
            opened.append(connection)
            with contextlib.suppress(OSError):  # the client has gone, as it should
                handle(connection)

        threading.Thread(target=run, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for each in opened:
        each.close()


GREETING = b"220 hello\r\n"


def test_a_server_that_refuses_at_once_is_the_operators_trouble(raw_server: Callable[..., int]) -> None:
    port = raw_server(lambda connection: connection.sendall(b"554 5.3.2 no mail today\r\n"))

    with pytest.raises(DeliveryError, match=r"mail server at connect: 554 5\.3\.2 no mail today") as trouble:
        deliver(alert(BEIJING), settings(port))
    assert trouble.value.whose == "operator"


def test_a_server_that_breaks_off_after_the_data_is_asked_again(raw_server: Callable[..., int]) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        for answer in (b"250 hello\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n"):
            connection.recv(65536)
            connection.sendall(answer)
        connection.recv(65536)
        connection.close()

    with pytest.raises(DeliveryError, match="mail server at DATA") as trouble:
        deliver(alert(BEIJING), settings(raw_server(handle)))
    assert (trouble.value.permanent, trouble.value.whose) == (False, "address")


def test_a_server_that_drips_is_left_when_the_total_time_is_up(raw_server: Callable[..., int]) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(b"220-")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    port, began = raw_server(handle), time.monotonic()

    with pytest.raises(DeliveryError, match=r"took longer than 0.4 s"):
        deliver(alert(BEIJING), settings(port, total_seconds=0.4))
    assert time.monotonic() - began < 2


# --- encryption -------------------------------------------------------------------------------------------------------


def test_required_starttls_that_is_not_offered_sends_nothing(serve: Callable[..., int], mailbox: Mailbox) -> None:
    port = serve()

    with pytest.raises(DeliveryError, match="offers no STARTTLS, which is required") as trouble:
        deliver(alert(BEIJING), settings(port, more="?starttls=required"))
    assert trouble.value.whose == "operator"
    assert mailbox.received == []


def test_a_password_is_never_sent_in_the_clear_unasked(serve: Callable[..., int], mailbox: Mailbox) -> None:
    port = serve(auth_require_tls=False)

    for wish in ("", "?starttls=opportunistic"):
        with pytest.raises(DeliveryError, match="STARTTLS"):
            deliver(alert(BEIJING), settings(port, "me:p%40ss@", wish))
    assert mailbox.signed_in == []


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, made by the system's openssl; skipped where there is none."""
    import shutil
    import subprocess

    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("STARTTLS is NOT tested here: no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return folder


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    return context


def test_starttls_with_a_trusted_certificate_carries_sign_in_and_mail(
    serve: Callable[..., int], mailbox: Mailbox, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate.pem"))
    port = serve(tls_context=tls, require_starttls=True)

    deliver(alert(BEIJING), settings(port, "me:p%40ss@"))

    assert mailbox.signed_in == [(b"me", b"p@ss")]
    assert len(mailbox.received) == 1


def test_a_certificate_nobody_vouches_for_stops_a_required_starttls(
    serve: Callable[..., int], mailbox: Mailbox, tls: ssl.SSLContext
) -> None:
    port = serve(tls_context=tls)

    with pytest.raises(DeliveryError, match=r"mail server at starttls: .*CERTIFICATE_VERIFY_FAILED") as trouble:
        deliver(alert(BEIJING), settings(port, more="?starttls=required"))
    assert (trouble.value.whose, mailbox.received) == ("operator", [])


def test_opportunistic_starttls_is_taken_when_offered(
    serve: Callable[..., int], mailbox: Mailbox, tls: ssl.SSLContext
) -> None:
    port = serve(tls_context=tls, require_starttls=True)

    deliver(alert(BEIJING), settings(port))

    assert len(mailbox.received) == 1


def test_smtps_is_encrypted_from_the_start_and_checked(
    serve: Callable[..., int], mailbox: Mailbox, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate.pem"))
    port = serve(implicit_tls=tls)

    deliver(alert(BEIJING), settings(port, smtp_url=f"smtps://127.0.0.1:{port}"))

    assert len(mailbox.received) == 1


# --- the URL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 25, "opportunistic")),
        ("smtp://u:p%40@mail.example.org", SmtpServer("mail.example.org", 587, "required", "u", "p@")),
        ("smtp://u:p@h:2525?starttls=never", SmtpServer("h", 2525, "never", "u", "p")),
        ("smtp://u:p@h?starttls=opportunistic", SmtpServer("h", 587, "opportunistic", "u", "p")),
        ("smtp://h?starttls=required", SmtpServer("h", 25, "required")),
        ("smtps://u:p@h", SmtpServer("h", 465, "implicit", "u", "p")),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525, "opportunistic")),
    ],
)
def test_an_smtp_url_names_server_port_and_encryption(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.org", "http://h", "smtp://", "smtp://u:hunter2@h:99999", "smtp://u:hunter2@h?starttls=maybe",
     "smtp://u:hunter2@h?starttls=implicit", "smtp://u:hunter2@h?tls=1", "smtp://u:hunter2@h:x"],
)  # fmt: skip
def test_a_wrong_smtp_url_is_told_in_one_line_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"SMTP URL") as trouble:
        smtp_server(url)
    assert "hunter2" not in str(trouble.value)
    assert "\n" not in str(trouble.value)


def test_a_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(smtp_server("smtp://u:hunter2@h")) + repr(settings(25, "u:hunter2@"))


def test_a_digest_is_a_thread_of_its_own() -> None:
    assert composed(digest())["References"] == "<digest.team-weekly@example.org>"


@pytest.mark.parametrize("url", ["smtp://me:12#hunter2@mail.example.org", "smtps://me:12/hunter2@mail.example.org:465"])
def test_a_password_that_cuts_the_url_short_is_explained_and_never_another_server_asked(url: str) -> None:
    with pytest.raises(ValueError, match="%23") as refused:
        smtp_server(url)

    assert "hunter2" not in str(refused.value)
