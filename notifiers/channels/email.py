"""Mail: one multipart/alternative message to one address over SMTP, each failure judged by where it happened."""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from io import BufferedReader
from typing import Any, Literal, cast, get_args
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from msgspec import Struct

from notifiers import verdicts
from notifiers.channels import Addressee, DeliveryError, DeliverySettings
from notifiers.clean_text import one_line
from notifiers.mailboxes import mailbox
from notifiers.message import Message
from notifiers.rendering import Rendered
from notifiers.time_limit import TimeLimit

READS_WORDS = True

LONGEST_LINE = 8192
"""Bytes of a line of a mail server's reply that are kept."""
LONGEST_REPLY = 50
"""Lines of a reply that are kept."""

Encryption = Literal["implicit", "required", "opportunistic", "never"]


class SmtpServer(Struct, frozen=True):
    """Where mail is handed in. `encryption`: TLS from the start, or what is done about STARTTLS."""

    host: str
    port: int
    encryption: Encryption
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Without the password: it ends up in logs."""
        return f"SmtpServer({self.host!r}, {self.port}, {self.encryption!r})"


def send(message: Message, rendered: Rendered, address: Addressee, settings: DeliverySettings, now: datetime) -> str:
    """Hand the mail to the server; returns what the server said on taking it. See `channels.Channel`."""
    server, sender = _configured(settings)
    recipient = _recipient(address.uri)
    handed = _Handed(compose(message, rendered, sender, recipient, now), sender.addr_spec, recipient)
    with TimeLimit(settings.total_seconds) as limit:
        return _hand_in(handed, server, settings, limit)


def smtp_server(url: str) -> SmtpServer:
    """The server that an SMTP URL names: `smtps://…`, or `smtp://user:pass@host:587?starttls=required`.

    STARTTLS is required where there is a sign-in, else taken when offered ("opportunistic"), unless the URL says which,
    or "never". Port: 465, 587 with a sign-in, else 25. Raises ValueError that says what is wrong, never the password.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("an SMTP URL looks like smtp://user:password@host:587 or smtps://user:password@host")
    if parts.fragment or parts.path not in ("", "/"):
        raise ValueError("nothing follows the host of an SMTP URL; in a password # is written %23 and / is written %2F")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port of the SMTP URL is no number up to 65535") from None
    user = unquote(parts.username) if parts.username else None
    encryption = _encryption(parts, signs_in=user is not None)
    usual = 465 if encryption == "implicit" else 587 if user else 25
    return SmtpServer(parts.hostname, port or usual, encryption, user, unquote(parts.password or "") if user else None)


def _encryption(parts: SplitResult, signs_in: bool) -> Encryption:
    options = parse_qs(parts.query, keep_blank_values=True)
    unknown = sorted(options.keys() - {"starttls"})
    if unknown:
        raise ValueError(f"the SMTP URL has an option nobody knows: {unknown[0]}")
    if parts.scheme == "smtps":
        return "implicit"
    wish = options.get("starttls", ["required" if signs_in else "opportunistic"])[-1]
    for known in get_args(Encryption)[1:]:
        if wish == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"starttls of the SMTP URL is required, opportunistic or never, not “{wish}”")


# --- the mail -------------------------------------------------------------------------------------------------------


class _Policy(EmailPolicy):
    """As the standard one, but ASCII headers stand on one line: folding would encode ids and links into gibberish."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        line = f"{name}: {value}"
        if line.isascii() and len(line) < 900 and line.isprintable():
            return f"{line}\r\n".encode("ascii")
        return bytes(super().fold_binary(name, value))


_POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=SMTP.max_line_length)


def compose(message: Message, rendered: Rendered, sender: Address, recipient: str, now: datetime) -> EmailMessage:
    """The mail itself. Its id comes from the delivery, so that a mail sent twice is one mail; all mails about one
    trial are one thread.
    """
    domain = sender.domain
    mail = EmailMessage(_POLICY)
    mail["From"] = sender
    mail["To"] = _address("", recipient)
    mail["Subject"] = one_line(rendered.subject, 250).replace("=?", "= ?")  # else read as an encoded word
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{_id_part(message.delivery_id)}@{domain}>"
    for name, value in _list_headers(message, sender, domain).items():
        mail[name] = value
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return mail


def _list_headers(message: Message, sender: Address, domain: str) -> dict[str, str]:
    thread = f"<{_id_part(message.thread)}@{domain}>"
    unsubscribe = f"<mailto:{quote(sender.addr_spec, safe='@')}?subject={quote(_unsubscribe_words(message))}>"
    headers = {
        "References": thread,
        "In-Reply-To": thread,
        "List-Id": f"trialdelta <trialdelta.{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Feedback-ID": f"{_id_part(message.type)}:trialdelta:{domain}",
        "List-Unsubscribe": unsubscribe,
    }
    page = message.unsubscribe_url
    if page:
        headers["List-Unsubscribe"] = f"<{quote(page, safe=_URL_SAFE)}>, {unsubscribe}"
    if page and page.startswith("https://"):  # RFC 8058 allows one-click over https only
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


_URL_SAFE = ":/?#[]@!$&'()*+,;=-._~%"


def _unsubscribe_words(message: Message) -> str:
    names = ", ".join(one_line(why.name, 60) for why in message.subscriptions[:3])
    return f"unsubscribe {names}".strip()


def _id_part(text: str) -> str:
    """The text as the left side of a message id: plain words with single dots between (RFC 5322, dot-atom)."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    return re.sub(r"\.{2,}", ".", plain)[:80].strip(".") or "-"


# --- addresses ------------------------------------------------------------------------------------------------------


def _configured(settings: DeliverySettings) -> tuple[SmtpServer, Address]:
    if not settings.smtp_url or not settings.mail_from:
        missing = "TRIALDELTA_SMTP_URL" if not settings.smtp_url else "TRIALDELTA_MAIL_FROM"
        raise DeliveryError(f"mail cannot be sent: {missing} is not set", whose="operator")
    try:
        return smtp_server(settings.smtp_url), mail_address(settings.mail_from)
    except ValueError as error:
        raise DeliveryError(f"mail cannot be sent: {one_line(str(error), 200)}", whose="operator") from error


def mail_address(text: str) -> Address:
    """The one address in "Name <local@domain>" or "local@domain". Raises ValueError naming what is no address."""
    name, spec = parseaddr(text)
    return _address(one_line(name, 100).replace("=?", "= ?"), mailbox(spec or text))


def _address(name: str, spec: str) -> Address:
    local, _, domain = spec.rpartition("@")
    return Address(name, local, domain)


def _recipient(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.query or parts.fragment:
        raise DeliveryError("a mailto: address here has no subject and no other headers", permanent=True)
    try:
        return mailbox(unquote(parts.path))
    except ValueError as error:
        raise DeliveryError(one_line(str(error), 200), permanent=True) from error


# --- the conversation -----------------------------------------------------------------------------------------------


class _Handed(Struct, frozen=True):
    """A mail and the addresses of its envelope."""

    mail: EmailMessage
    sender: str
    recipient: str


class _Session(smtplib.SMTP):
    """smtplib's client over a socket that a time limit watches, encrypted from the start where asked."""

    def __init__(self, server: SmtpServer, greets_as: str, seconds: float, limit: TimeLimit) -> None:
        self._server = server
        self._limit = limit
        super().__init__(local_hostname=greets_as, timeout=seconds)  # its own guess would ask the name service
        self._host = server.host  # what TLS checks the certificate against

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        self._limit.watch(plain)
        if self._server.encryption != "implicit":
            return plain
        return _tls(verified=True).wrap_socket(plain, server_hostname=host)

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, but a line that is too long is cut and not an error: its code was said, and may mean that the
        mail was taken.
        """
        if self.file is None:
            assert self.sock is not None
            self.file = self.sock.makefile("rb")
        said: list[bytes] = []
        while True:
            line = self._line()
            said = [*said, line[4:].strip()][-LONGEST_REPLY:]
            if line[3:4] != b"-" or not line[:3].isdigit():
                return int(line[:3]) if line[:3].isdigit() else -1, b"\n".join(said)

    def _line(self) -> bytes:
        """The next line of a reply, its beginning where it is too long. Raises smtplib.SMTPServerDisconnected."""
        read = cast("BufferedReader", self.file).readline
        first = part = read(LONGEST_LINE)
        while part and not part.endswith(b"\n"):
            part = read(LONGEST_LINE)
        if not first:
            self.close()
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        return first


def _tls(verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def sign_in(settings: DeliverySettings) -> None:
    """Everything up to the first mail: connect, encrypt, sign in, and leave. Raises DeliveryError that says at which
    stage it ended.
    """
    server, sender = _configured(settings)
    with TimeLimit(settings.total_seconds) as limit, _signed_in(server, sender.domain, settings, limit):
        pass


def _hand_in(handed: _Handed, server: SmtpServer, settings: DeliverySettings, limit: TimeLimit) -> str:
    with _signed_in(server, handed.sender.rpartition("@")[2], settings, limit) as session:
        return _transaction(session, handed, limit)


@contextmanager
def _signed_in(
    server: SmtpServer, greets_as: str, settings: DeliverySettings, limit: TimeLimit
) -> Iterator["_Session"]:
    session = _Session(server, greets_as, settings.connect_seconds, limit)
    try:
        with _stage("connect", limit):
            _expect(session.connect(server.host, server.port), "connect")
            assert session.sock is not None
            session.sock.settimeout(settings.total_seconds)
        with _stage("hello", limit):
            session.ehlo_or_helo_if_needed()
        _encrypt(session, server, limit)
        _sign_in(session, server, limit)
        yield session
    finally:
        _leave(session)


def _encrypt(session: _Session, server: SmtpServer, limit: TimeLimit) -> None:
    offered = session.has_extn("starttls")
    if server.encryption not in ("required", "opportunistic") or (not offered and server.encryption == "opportunistic"):
        return
    if not offered:
        raise DeliveryError(f"{server.host} offers no STARTTLS, which is required", whose="operator")
    with _stage("starttls", limit):
        # who would also send in the clear has no use for a refused certificate; who signs in has
        verified = server.encryption == "required" or server.user is not None
        _expect(session.starttls(context=_tls(verified)), "starttls")
        session.ehlo_or_helo_if_needed()


def _sign_in(session: _Session, server: SmtpServer, limit: TimeLimit) -> None:
    if server.user is None:
        return
    if server.encryption == "opportunistic" and not isinstance(session.sock, ssl.SSLSocket):
        raise DeliveryError(
            f"{server.host} offers no STARTTLS: the password is not sent in the clear (starttls=never allows it)",
            whose="operator",
        )
    with _stage("sign-in", limit):
        session.login(server.user, server.password or "")


def _transaction(session: _Session, handed: _Handed, limit: TimeLimit) -> str:
    international = not (handed.sender.isascii() and handed.recipient.isascii())
    if international and not session.has_extn("smtputf8"):
        raise DeliveryError("the mail server takes no addresses beyond ASCII (SMTPUTF8)", permanent=True)
    content = handed.mail.as_bytes(policy=_POLICY.clone(utf8=international))
    with _stage("MAIL FROM", limit):
        _expect(session.mail(handed.sender, ["SMTPUTF8"] if international else []), "MAIL FROM")
    with _stage("RCPT TO", limit):
        _expect(session.rcpt(handed.recipient), "RCPT TO")
    with _stage("DATA", limit):
        code, text = session.data(content)
        _expect((code, text), "DATA")
    return f"{code} {_reply(text)}".strip()


@contextmanager
def _stage(stage: verdicts.Stage, limit: TimeLimit) -> Iterator[None]:
    """Whatever breaks within is a DeliveryError that names the stage and is judged by it."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise _refusal(stage, error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        verdict = verdicts.smtp(stage, None)
        why = f"took longer than {limit.seconds:g} s" if limit.expired else one_line(str(error), 200)
        raise DeliveryError(f"mail server at {stage}: {why}", whose=verdict.whose) from error


def _expect(reply: tuple[int, bytes], stage: verdicts.Stage) -> None:
    code, text = reply
    if not 200 <= code < 300:
        raise _refusal(stage, code, text)


def _refusal(stage: verdicts.Stage, code: int, text: bytes | str) -> DeliveryError:
    words = _reply(text)
    verdict = verdicts.smtp(stage, code, words)
    return DeliveryError(
        f"mail server at {stage}: {code} {words}".rstrip(), permanent=verdict.outcome == "failed", whose=verdict.whose
    )


def _reply(text: bytes | str) -> str:
    return one_line(text.decode("utf-8", "replace") if isinstance(text, bytes) else text, 200)


def _leave(session: _Session) -> None:
    """Say goodbye to whom we greeted; whatever was decided is decided, so nobody waits long for the answer."""
    greeted = session.ehlo_resp is not None or session.helo_resp is not None
    try:
        if session.sock is not None and greeted:
            session.sock.settimeout(5)
            session.quit()
    except (smtplib.SMTPException, OSError):
        pass
    finally:
        session.close()
