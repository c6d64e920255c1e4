"""When a subscription tells, in words."""

from notifiers.subscriptions import Subscription
from snapshots.kinds import SEVERITIES


def told_when(wanted: Subscription) -> str:
    """At once, or in which digest: "in a weekly digest on Monday at 08:00, Europe/Berlin"."""
    digest = wanted.digest
    if digest is None:
        return "at once"
    at_once = wanted.deliver.immediately if not isinstance(wanted.deliver, str) else None
    on = f" on {_day(digest.on)}" if digest.on is not None else ""
    words = f"{digest.every} digest{on} at {digest.at}, {digest.timezone}"
    if at_once is None:
        return f"in a {words}"
    first = "critical ones" if at_once == SEVERITIES[0] else f"{at_once} or more severe"
    return f"{first} at once, the rest in a {words}"


def _day(on: str | int) -> str:
    return f"day {on}" if isinstance(on, int) else on.capitalize()
