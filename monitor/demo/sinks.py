"""Where the demonstration's messages arrive: a mail server and a web address on loopback that keep what they get."""

import socketserver
import threading
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from msgspec import Struct

LONGEST_LETTER = 10_000_000
"""Bytes of a mail that the sink takes."""


class Letter(Struct, frozen=True):
    """A mail as it arrived."""

    to: tuple[str, ...]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"])

    def part(self, kind: str) -> str:
        """The text of the part "plain" or "html"."""
        body = self.mail.get_body((kind,))
        return "" if body is None else str(body.get_content())


class Post(Struct, frozen=True):
    """What was posted to the web address; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes


class _Sink:
    """A server on 127.0.0.1 in a thread of its own; a context manager."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])


class MailSink(_Sink):
    """A mail server that takes everything and delivers nothing; `letters` in the order they came."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        letters = self.letters

        class Handler(_SmtpHandler):
            kept = letters

        super().__init__(_MailServer(("127.0.0.1", 0), Handler))

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?starttls=never"


class HookSink(_Sink):
    """A web address that takes every post; `posts` in the order they came."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        posts = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                posts.append(Post({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing: `posts` tells."""

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/trials"


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _SmtpHandler(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs to hand in a mail."""

    kept: list[Letter]
    timeout = 30

    def handle(self) -> None:
        recipients: list[str] = []
        self._say(220, "mail.example.org (a demonstration)")
        while line := self.rfile.readline(2000):
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            match verb.upper():
                case "QUIT":
                    self._say(221, "bye")
                    return
                case "DATA":
                    self._take(recipients)
                    recipients = []
                case "RCPT":
                    recipients.append(rest[rest.find("<") + 1 : rest.rfind(">")])
                    self._say(250, "ok")
                case "EHLO" | "HELO" | "MAIL" | "RSET" | "NOOP":
                    self._say(250, "mail.example.org" if verb.upper() in ("EHLO", "HELO") else "ok")
                case _:
                    self._say(502, "not here")

    def _take(self, recipients: list[str]) -> None:
        self._say(354, "end with a dot alone")
        lines: list[bytes] = []
        size = 0
        while (line := self.rfile.readline(100_000)) not in (b".\r\n", b".\n", b""):
            size += len(line)
            if size <= LONGEST_LETTER:
                lines.append(line.removeprefix(b"."))
        self.kept.append(Letter(tuple(recipients), b"".join(lines)))
        self._say(250, "kept")

    def _say(self, code: int, words: str) -> None:
        self.wfile.write(f"{code} {words}\r\n".encode())
