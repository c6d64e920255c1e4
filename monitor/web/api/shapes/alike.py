"""What all parts of the API say alike: what is wrong, and the kinds of values that come everywhere."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from monitor.lengths import NAME, TEXT

Json = Any
Name = Annotated[str, Meta(min_length=1, max_length=NAME)]
Text = Annotated[str, Meta(max_length=TEXT)]
ChangeNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Severity = Literal["critical", "major", "minor", "admin"]
DeliveryState = Literal["pending", "held", "sending", "delivered", "failed", "cancelled"]


class Problem(Struct):
    """What is wrong, and what to do about it (RFC 9457). `instance` is the id under which the log knows the request."""

    type: str
    title: str
    status: int
    instance: str
    detail: str | None = None
