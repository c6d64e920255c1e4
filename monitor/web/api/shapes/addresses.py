"""What the API answers and takes about the places that are told."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from monitor.web.api.shapes.alike import Name, Text


class Address(Struct):
    """A place to tell. Where it stands after an Apprise scheme, all of it but that is masked. `waiting` messages are
    still to be sent to it; `asked_at` is when one that is not confirmed was asked whether it wants mails.
    """

    id: int
    uri: str
    state: Literal["on", "off"]
    state_reason: str | None
    state_since: datetime | None
    owner: str | None
    last_success_at: datetime | None
    secrets_in_force: int
    waiting: int
    subscriptions: list[str]
    is_confirmed: bool
    asked_at: datetime | None


class AddressWords(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be changed of an address; what is left out stays. Switched off needs a reason."""

    state: Literal["on", "off"] | None = None
    reason: Text = "switched off by hand"
    owner: Name | UnsetType | None = UNSET


class Rotating(Struct, forbid_unknown_fields=True):
    """How many hours the former secret signs beside the new one; `force`: also while an earlier change is under way."""

    hours: Annotated[float, Meta(ge=0, le=720)] = 24.0
    force: bool = False


class Secret(Struct):
    """The new secret, shown only now, and until when the former one signs beside it."""

    secret: str
    until: datetime | None
