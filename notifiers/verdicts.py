"""What a receiver's answer means for a delivery: pure tables over SMTP stages and replies, and HTTP statuses."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from msgspec import Struct

from notifiers.retries import Whose

Outcome = Literal["delivered", "retry", "failed"]
Stage = Literal["connect", "hello", "starttls", "sign-in", "MAIL FROM", "RCPT TO", "DATA"]
STAGES: tuple[Stage, ...] = ("connect", "hello", "starttls", "sign-in", "MAIL FROM", "RCPT TO", "DATA")

LONGEST_WAIT = timedelta(hours=24).total_seconds()
"""A receiver's wish to wait is believed up to the longest step of the retry schedule."""


class Verdict(Struct, frozen=True):
    """What becomes of the delivery, and whose trouble it is (see `channels.DeliveryError`; moot when delivered)."""

    outcome: Outcome
    whose: Whose = "address"


DELIVERED = Verdict("delivered")
LATER = Verdict("retry", "address")
LATER_OPERATOR = Verdict("retry", "operator")
DEAD_ADDRESS = Verdict("failed", "address")
BAD_MESSAGE = Verdict("failed", "message")

_OURS: frozenset[Stage] = frozenset({"connect", "hello", "starttls", "sign-in", "MAIL FROM"})
_SIGN_IN_CODES = frozenset({530, 534, 535, 538})  # RFC 4954: the server wants (another) sign-in, at whatever stage
_POLICY = re.compile(r"\b5\.7\.\d+|\brelay", re.IGNORECASE)
"""RFC 3463: refused by policy, which says nothing of the mailbox; several servers say it of relaying in words alone."""
_MISUNDERSTOOD = frozenset({500, 502, 503, 504, 555})
"""RFC 5321, 4.2.2: commands, their order and their parameters, not who they name."""


def smtp(stage: Stage, code: int | None, text: str = "") -> Verdict:
    """The verdict on a reply at a stage of a mail's way (RFC 5321); `code` None: the connection broke there.

    Up to MAIL FROM nobody has looked at the recipient: whatever goes wrong is the operator's, and tried again. At RCPT
    a 5xx is a dead address, but 552 is a full mailbox (RFC 5321, 4.5.3.1.10), and neither a policy between servers
    (5.7.x, relaying) nor a command that was not understood speaks of the recipient. At DATA a 5xx is about this message
    alone.
    """
    if code in _SIGN_IN_CODES or stage in _OURS:
        return LATER_OPERATOR
    if code is None or code < 500:
        return DELIVERED if stage == "DATA" and code is not None and 200 <= code < 300 else LATER
    if stage == "DATA":
        return BAD_MESSAGE
    if code in _MISUNDERSTOOD or _POLICY.search(text):
        return LATER_OPERATOR
    return LATER if code == 552 else DEAD_ADDRESS


def http(status: int) -> Verdict:
    """The verdict on a webhook's status (Standard Webhooks 1.0): 2xx took it, 410 wants no more, all else is retried;
    a redirect is a failure like any other, for the address was checked and the target was not.
    """
    if 200 <= status < 300:
        return DELIVERED
    return DEAD_ADDRESS if status == 410 else LATER


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header (RFC 9110: a number of seconds, or a date), at most a day; None where
    it is absent or says nothing readable. A date in the past is 0.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:  # "-0000": the sender's zone is unknown, the time is UTC
        date = date.replace(tzinfo=UTC)
    return min(max((date - now).total_seconds(), 0.0), LONGEST_WAIT)
