"""Webhooks, posted to a real server on loopback and verified as a receiver would."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from freezegun import freeze_time
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from werkzeug import Request

from notifiers.channels import DeliveryError, DeliverySettings
from notifiers.channels.webhook import send
from notifiers.message import Message, webhook_body
from notifiers.rendering import Rendered
from tests.notifiers.messages import BEIJING, SEEN, alert

OLD, NEW, FOREIGN = (f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"o", b"n", b"f"))
WORDLESS = Rendered("", "", "")
NOW = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)


class Place(msgspec.Struct, frozen=True):
    uri: str
    secrets: tuple[str, ...] = (NEW,)


def settings(**more: Any) -> DeliverySettings:
    return DeliverySettings(allow_private_networks=True, total_seconds=5.0, user_agent="trialdelta/1.2", **more)


def post(told: Message, httpserver: HTTPServer, *secrets: str, now: datetime = NOW) -> str:
    return send(told, WORDLESS, Place(httpserver.url_for("/hook"), secrets or (NEW,)), settings(), now)


def received(httpserver: HTTPServer) -> Request:
    return httpserver.log[-1][0]


def verified(request: Request, secret: str) -> Any:
    headers: Mapping[str, str] = dict(request.headers)
    with freeze_time(NOW):
        return Webhook(secret).verify(request.data, dict(headers))


@pytest.fixture
def hook(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request("/hook", method="POST").respond_with_data("thank you", status=200)
    return httpserver


def test_a_receiver_can_verify_what_it_gets(hook: HTTPServer) -> None:
    told = alert(BEIJING)

    receipt = post(told, hook)

    assert receipt == "HTTP 200: thank you"
    assert verified(received(hook), NEW) == msgspec.to_builtins(webhook_body(told))


def test_its_headers_are_those_of_standard_webhooks(hook: HTTPServer) -> None:
    post(alert(BEIJING), hook)

    headers = received(hook).headers
    assert headers["webhook-id"] == "dlv_0190aa"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"].startswith("v1,")
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "trialdelta/1.2"


def test_while_a_secret_is_replaced_either_one_verifies_and_no_other(hook: HTTPServer) -> None:
    post(alert(BEIJING), hook, NEW, OLD)

    for secret in (NEW, OLD):
        verified(received(hook), secret)
    with pytest.raises(WebhookVerificationError):
        verified(received(hook), FOREIGN)


def test_a_retry_has_the_same_id_and_body_and_a_fresh_signature(hook: HTTPServer) -> None:
    told = alert(BEIJING)

    post(told, hook, now=SEEN)
    post(told, hook, now=NOW)

    first, second = (request for request, _ in hook.log)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.data == second.data
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    verified(second, NEW)


def failure(httpserver: HTTPServer, status: int, body: str = "", **headers: str) -> DeliveryError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    httpserver.expect_oneshot_request("/hook").respond_with_data(body, status=status, headers=named)
    with pytest.raises(DeliveryError) as trouble:
        post(alert(BEIJING), httpserver)
    return trouble.value


def test_410_is_final_and_the_addresss(httpserver: HTTPServer) -> None:
    gone = failure(httpserver, 410, "we moved")

    assert (str(gone), gone.permanent, gone.whose) == ("HTTP 410: we moved", True, "address")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_any_other_answer_is_tried_again(httpserver: HTTPServer, status: int) -> None:
    refused = failure(httpserver, status, Location=httpserver.url_for("/elsewhere"))

    assert (refused.permanent, len(httpserver.log)) == (False, 1)


@pytest.mark.parametrize(
    ("value", "seconds"), [("90", 90.0), ("Wed, 04 Mar 2026 08:10:00 GMT", 600.0), ("whenever", None)]
)
def test_retry_after_is_honoured(httpserver: HTTPServer, value: str, seconds: float | None) -> None:
    assert failure(httpserver, 503, Retry_After=value).retry_after == seconds


def test_what_the_receiver_says_is_clipped_and_harmless_in_a_log(httpserver: HTTPServer) -> None:
    said = str(failure(httpserver, 500, "line\r\nline\x1b[31m\u202e " + "x" * 100_000))

    assert said.startswith("HTTP 500: line line [31m x")
    assert len(said) < 250
    assert said.isprintable()


def test_an_answer_that_is_no_text_does_no_harm(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data(b"\xff\xfe\x00", status=204)

    assert post(alert(BEIJING), httpserver).startswith("HTTP 204")


@pytest.mark.parametrize("secrets", [(), ("whsec_!!!",), ("whsec_",), ("whsec_ä",)])
def test_without_a_usable_secret_nothing_is_sent(httpserver: HTTPServer, secrets: tuple[str, ...]) -> None:
    with pytest.raises(DeliveryError) as trouble:
        send(alert(BEIJING), WORDLESS, Place(httpserver.url_for("/hook"), secrets), settings(), NOW)

    assert (trouble.value.whose, httpserver.log) == ("operator", [])
    assert "!!!" not in str(trouble.value)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:1/hook", "https://127.0.0.1/hook", "https://2130706433/", "ftp://x.example"]
)
def test_an_address_that_may_not_be_asked_is_refused_for_good(uri: str) -> None:
    guarded = DeliverySettings(total_seconds=5.0)

    with pytest.raises(DeliveryError) as trouble:
        send(alert(BEIJING), WORDLESS, Place(uri), guarded, NOW)
    assert (trouble.value.permanent, trouble.value.whose) == (True, "address")


def test_nobody_at_the_port_is_tried_again() -> None:
    with pytest.raises(DeliveryError) as trouble:
        send(alert(BEIJING), WORDLESS, Place("http://127.0.0.1:9/hook"), settings(), NOW)
    assert (trouble.value.permanent, trouble.value.whose) == (False, "address")
