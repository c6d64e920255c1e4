"""Webhooks by Standard Webhooks 1.0: a signed POST of the message as JSON."""

import binascii
from collections.abc import Sequence
from datetime import datetime

import msgspec
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from notifiers import outbound_http, verdicts
from notifiers.channels import Addressee, DeliveryError, DeliverySettings
from notifiers.clean_text import one_line
from notifiers.message import Message, webhook_body
from notifiers.rendering import Rendered

READS_WORDS = False


def send(
    message: Message,
    rendered: Rendered,  # noqa: ARG001 - programs read the body's JSON, not our words
    address: Addressee,
    settings: DeliverySettings,
    now: datetime,
) -> str:
    """POST the message; returns the status and the beginning of the answer. See `channels.Channel`."""
    content = body(message)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": settings.user_agent,
        "webhook-id": message.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature(address.secrets, message.delivery_id, now, content),
    }
    return _judged(_post(address.uri, content, headers, settings), now)


def body(message: Message) -> bytes:
    """What is posted, and signed."""
    return msgspec.json.encode(webhook_body(message))


def signature(secrets: Sequence[str], webhook_id: str, now: datetime, content: bytes) -> str:
    """The header's value: one signature for each secret, so that a receiver may know either while one replaces the
    other. Raises DeliveryError where there is none to sign with: an unsigned message could be anybody's.
    """
    if not secrets:
        raise DeliveryError("the address has no secret to sign with", permanent=True, whose="operator")
    try:
        return " ".join(Webhook(secret).sign(webhook_id, now, content.decode("utf-8")) for secret in secrets)
    except (binascii.Error, ValueError, EmptyWebhookSecretError) as error:
        raise DeliveryError(
            "a secret of the address is not of the form whsec_… (base64)", permanent=True, whose="operator"
        ) from error


def _post(uri: str, content: bytes, headers: dict[str, str], settings: DeliverySettings) -> outbound_http.Answer:
    limits = outbound_http.Limits(settings.connect_seconds, settings.total_seconds)
    try:
        return outbound_http.post(
            uri,
            content=content,
            headers=headers,
            limits=limits,
            allow_private_networks=settings.allow_private_networks,
        )
    except outbound_http.AddressRefused as error:
        raise DeliveryError(one_line(str(error), 300), permanent=True) from error
    except outbound_http.Unreachable as error:
        raise DeliveryError(one_line(str(error), 300)) from error


def _judged(answer: outbound_http.Answer, now: datetime) -> str:
    said = one_line(answer.body.decode("utf-8", "replace"), 200)
    words = f"HTTP {answer.status}" + (f": {said}" if said else "")
    verdict = verdicts.http(answer.status)
    if verdict.outcome == "delivered":
        return words
    raise DeliveryError(
        words,
        permanent=verdict.outcome == "failed",
        retry_after=verdicts.retry_after(answer.headers.get("retry-after"), now),
        whose=verdict.whose,
    )
