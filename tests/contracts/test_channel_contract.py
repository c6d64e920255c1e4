"""The promises that every channel keeps, whatever it speaks. A new one is an entry of `CHANNELS_UNDER_TEST`."""

import base64
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from notifiers.channels import CHANNELS, Channel, DeliveryError, DeliverySettings, channel_for
from notifiers.message import Message
from notifiers.rendering import Rendered, render
from tests.notifiers.messages import BEIJING, DELAYED, alert, digest, message, news, step

NOW = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


class Place(msgspec.Struct, frozen=True):
    uri: str
    secrets: tuple[str, ...] = (SECRET,)


class Receiver(msgspec.Struct):
    """A channel with somebody at the other end. `accept(False)` makes that one refuse from now on; `ids` are the
    delivery ids of what it took.
    """

    uri: str
    settings: DeliverySettings
    ids: list[str]
    accept: Callable[[bool], None]

    def send(self, told: Message) -> str:
        channel = channel_for(self.uri)
        rendered = render(told) if channel.READS_WORDS else Rendered("", "", "")
        return channel.send(told, rendered, Place(self.uri), self.settings, NOW)


@contextmanager
def web(httpserver: HTTPServer) -> Iterator[Receiver]:
    ids: list[str] = []
    willing = [True]

    def handle(request: Request) -> Response:
        if willing[0]:
            ids.append(request.headers["webhook-id"])
        return Response("said\r\nsomething", status=200 if willing[0] else 500)

    httpserver.expect_request("/hook").respond_with_handler(handle)
    settings = DeliverySettings(allow_private_networks=True, total_seconds=5)
    yield Receiver(httpserver.url_for("/hook"), settings, ids, lambda yes: willing.__setitem__(0, yes))


class Inbox:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.willing = True

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if not self.willing:
            return "451 said something"
        header = next(line for line in envelope.content.splitlines() if line.startswith(b"Message-ID:"))
        self.ids.append(header.split(b"<")[1].split(b"@")[0].decode())
        return "250 said something"


@contextmanager
def mail(httpserver: HTTPServer) -> Iterator[Receiver]:
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    settings = DeliverySettings(
        smtp_url=f"smtp://127.0.0.1:{port}", mail_from="news@example.org", allow_private_networks=True, total_seconds=5
    )
    yield Receiver("mailto:bob@example.org", settings, inbox.ids, lambda yes: setattr(inbox, "willing", yes))
    controller.stop()


@contextmanager
def chat(httpserver: HTTPServer) -> Iterator[Receiver]:
    """A chat service as Apprise tells it, but for the one call that would leave this machine."""
    pytest.importorskip("apprise", reason="the extra trialdelta[apprise] is not installed")
    from notifiers.channels import apprise

    ids: list[str] = []
    willing = [True]

    def notify(plugin: Any, title: str, body: str) -> bool:
        if willing[0]:
            ids.append(body.splitlines()[-1].strip("()"))
        else:
            logging.getLogger("apprise").warning("said\r\nsomething, error=500")
        return willing[0]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(apprise, "notify", notify)
        yield Receiver(TELEGRAM, DeliverySettings(total_seconds=5), ids, lambda yes: willing.__setitem__(0, yes))


TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345678/55501"
CHANNELS_UNDER_TEST = {
    "notifiers.channels.apprise": chat,
    "notifiers.channels.webhook": web,
    "notifiers.channels.email": mail,
}


@pytest.fixture(params=CHANNELS_UNDER_TEST.values(), ids=CHANNELS_UNDER_TEST.keys())
def receiver(request: pytest.FixtureRequest, httpserver: HTTPServer) -> Iterator[Receiver]:
    with request.param(httpserver) as made:
        yield made


def test_every_channel_there_is_keeps_these_promises() -> None:
    assert set(CHANNELS.values()) == set(CHANNELS_UNDER_TEST)


@pytest.mark.parametrize(
    "told",
    [
        alert(BEIJING, DELAYED),
        digest(),
        digest(news(step(DELAYED))),
        message(type="test"),
        message(news(step(DELAYED, record=None)), type="registry.notice"),
        message(news(step(DELAYED)), type="search.changed"),
    ],
    ids=lambda told: told.type,
)
def test_it_delivers_every_type_of_message_once_and_gives_a_receipt(receiver: Receiver, told: Message) -> None:
    receipt = receiver.send(told)

    assert receiver.ids == [told.delivery_id]
    assert receipt
    assert receipt.isprintable()


def test_the_receiver_can_tell_a_retry_from_a_new_message(receiver: Receiver) -> None:
    for delivery_id in ("dlv_1", "dlv_1", "dlv_2"):
        receiver.send(alert(BEIJING, delivery_id=delivery_id))

    assert receiver.ids == ["dlv_1", "dlv_1", "dlv_2"]


def test_a_refusal_is_a_delivery_error_in_one_line_with_the_receivers_words(receiver: Receiver) -> None:
    receiver.accept(False)

    with pytest.raises(DeliveryError, match="said something") as trouble:
        receiver.send(alert(BEIJING))
    assert str(trouble.value).isprintable()
    assert not trouble.value.permanent


def test_after_a_refusal_the_same_message_can_be_delivered(receiver: Receiver) -> None:
    receiver.accept(False)
    with pytest.raises(DeliveryError):
        receiver.send(alert(BEIJING))
    receiver.accept(True)

    receiver.send(alert(BEIJING))

    assert receiver.ids == ["dlv_0190aa"]


def test_text_that_a_registry_should_never_send_is_delivered_all_the_same(receiver: Receiver) -> None:
    odd = "\u202e\x00\r\n.\r\nQUIT\r\n<script>{{ 7 }}\u2028 é 监测 👩‍🔬"
    of = step(msgspec.structs.replace(BEIJING, summary=odd), title=odd)

    receiver.send(message(news(of)))

    assert receiver.ids == ["dlv_0190aa"]


def test_an_address_of_no_channel_is_refused_for_good() -> None:
    for uri in ("gopher://example.org", "javascript:alert(1)", "", "no address"):
        with pytest.raises(DeliveryError, match="no channel serves") as trouble:
            channel_for(uri)
        assert trouble.value.permanent


@pytest.mark.parametrize("scheme", CHANNELS)
def test_every_scheme_leads_to_a_channel(scheme: str) -> None:
    channel: Channel = channel_for(f"{scheme}:x")

    assert isinstance(channel.READS_WORDS, bool)
    assert callable(channel.send)
