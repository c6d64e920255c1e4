"""A subscription, what it would have told, and why it wants a change, as JSON."""

from typing import Any

import msgspec

from monitor.shown.deliveries import at, change_json
from notifiers.addresses import shown
from notifiers.backtest import Alert, Backtest
from notifiers.subscriptions import Stored
from notifiers.why import Answer

Json = Any


def subscription_json(stored: Stored) -> dict[str, Json]:
    """A subscription under the keys of the watchlist file, with when it began and its digests; addresses that are
    secrets are masked (`addresses.whole` knows them again).
    """
    plain: dict[str, Json] = msgspec.to_builtins(stored.subscription)
    plain["to"] = [shown(uri) for uri in stored.subscription.to]
    return plain | {key: at(getattr(stored, key)) for key in ("created_at", "next_digest_at", "last_digest_at")}


def backtest_json(name: str, result: Backtest) -> dict[str, Json]:
    """What a subscription would have told since a day."""
    return {
        "subscription": name,
        "since": result.since,
        "known_since": result.known_since,
        "known_later": len(result.later),
        "trials": result.trials,
        "steps": result.steps,
        "alerts": [_alert_json(alert) for alert in result.alerts],
    }


def why_json(name: str, answer: Answer) -> dict[str, Json]:
    """Why a subscription wants a change or does not, check by check."""
    return {
        "subscription": name,
        "change": change_json(answer.step, answer.stored),
        "wanted": answer.wanted,
        "checks": msgspec.to_builtins(answer.checks),
        "when": list(answer.when),
        "told": [msgspec.to_builtins(each) | {"uri": shown(each.uri)} for each in answer.told],
    }


def _alert_json(alert: Alert) -> dict[str, Json]:
    return {
        "date": alert.date,
        "step": alert.step.id,
        "cause": alert.step.cause,
        "changes": [change_json(alert.step, stored) for stored in alert.changes],
    }
