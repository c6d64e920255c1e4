"""What a campaign was, how often it ran, and what came out of it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Result(Struct, kw_only=True):
    """One campaign on one database. `failures` are sentences, none where it held; `counts` are what it counted;
    `picture`: the drawing's path below docs/, where it drew one.
    """

    name: str
    database: str
    claim: str
    counts: Mapping[str, int]
    failures: Sequence[str]
    seconds: float = 0.0
    picture: str = ""

    @property
    def held(self) -> bool:
        """Whether the claim held throughout."""
        return not self.failures
