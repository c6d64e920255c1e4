"""An address as JSON: never its secrets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from monitor.shown.deliveries import at
from notifiers import confirmations, ledger, subscriptions
from notifiers.addresses import Address
from notifiers.confirmations import Confirmation

Json = Any


def addresses_json(connection: Connection, found: Sequence[Address]) -> list[dict[str, Json]]:
    """Addresses with what waits for each, whether it was confirmed, and which subscriptions tell it."""
    asked = {each.address_id: each for each in confirmations.waiting(connection)}
    waiting = ledger.waiting(connection)
    kept = [each.subscription for each in subscriptions.listing(connection)]
    return [
        {
            **_plain_json(each),
            "waiting": waiting.get(each.id, 0),
            "subscriptions": [one.name for one in kept if each.uri in one.to],
            **_asked_json(asked.get(each.id)),
        }
        for each in found
    ]


def _asked_json(unconfirmed: Confirmation | None) -> dict[str, Json]:
    return {"is_confirmed": unconfirmed is None, "asked_at": at(unconfirmed.asked_at) if unconfirmed else None}


def _plain_json(found: Address) -> dict[str, Json]:
    """Its state, who answers for it, when it last took a message, how many secrets sign now."""
    return {
        "id": found.id,
        "uri": found.shown,
        "state": found.state,
        "state_reason": found.state_reason,
        "state_since": at(found.state_since),
        "owner": found.owner,
        "last_success_at": at(found.last_success_at),
        "secrets_in_force": len(found.secrets),
    }
