"""The services that are told through Apprise: those whose host stands in Apprise itself and in no address.

A service is on this list when no address of its scheme makes Apprise ask any other host (shown in its tests). What
follows `?` in an Apprise address can switch off the check of certificates or name a file or another host to read from,
so none of it is taken.
"""

from hashlib import sha256
from importlib.util import find_spec

from msgspec import Struct


class Service(Struct, frozen=True):
    """A service's name, the hosts that are asked for it, and how many characters one message of it may have."""

    name: str
    hosts: frozenset[str]
    longest: int = 1500


SERVICES: dict[str, Service] = {
    "discord": Service("Discord", frozenset({"discord.com"})),
    "gchat": Service("Google Chat", frozenset({"chat.googleapis.com"})),
    "pagerduty": Service("PagerDuty", frozenset({"events.pagerduty.com"}), 900),
    "pbul": Service("Pushbullet", frozenset({"api.pushbullet.com"})),
    "pover": Service("Pushover", frozenset({"api.pushover.net"}), 900),
    "slack": Service("Slack", frozenset({"hooks.slack.com", "slack.com"})),
    "tgram": Service("Telegram", frozenset({"api.telegram.org"})),
    "twilio": Service("Twilio", frozenset({"api.twilio.com"}), 450),
    "wxteams": Service("Webex", frozenset({"api.ciscospark.com", "webexapis.com"})),
}
"""By the scheme of their addresses."""

EXTRA = "pip install 'trialdelta[apprise]'"


def is_installed() -> bool:
    """Whether the extra is there; it is not loaded for the question."""
    return find_spec("apprise") is not None


def problem(uri: str) -> str | None:
    """What is wrong with an address of one of these services, in words that do not repeat it; None: nothing."""
    scheme, _, rest = uri.partition("://")
    if scheme not in SERVICES:
        return "is of no service that is told"
    if not rest.isascii() or not rest.isprintable() or " " in rest or len(rest) > 500:
        return "holds characters that no such address has, or too many"
    if "?" in rest or "%3f" in rest.lower():
        return "has options after a ?, of which none is taken"
    return None if rest.strip("/@:#") else "names nobody"


def masked(uri: str) -> str:
    """The address as it may be shown: its scheme, and a mark by which it is known again; all the rest is secret."""
    scheme, _, _ = uri.partition(":")
    return f"{scheme}://masked-{sha256(uri.encode('utf-8', 'replace')).hexdigest()[:8]}"
