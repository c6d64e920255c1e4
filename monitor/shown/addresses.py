"""An address as JSON: never its secrets."""

from typing import Any

from monitor.shown.deliveries import at
from notifiers.addresses import Address

Json = Any


def address_json(found: Address) -> dict[str, Json]:
    """An address: its state, who answers for it, when it last took a message, how many secrets sign now."""
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
