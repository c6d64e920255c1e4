"""Trouble that somebody must hear of who does not wait for it: told once when it begins, and once when it is over.

What is trouble is decided elsewhere and said anew at every look; here it is remembered who was told. The decision is
pure (`after`), and slow to believe that trouble is over: what comes and goes is told seldom.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Connection, RowMapping, bindparam, select, update

from notifiers import addresses
from notifiers.outbox.rows import Due, put
from notifiers.tables import addresses as address_rows
from notifiers.tables import troubles
from snapshots.database import insert_if_absent

HOLD = timedelta(hours=1)
"""So long must nothing be seen of a trouble before it is over; twice as long for each time that it came back."""
LONGEST_HOLD = timedelta(days=1)
SOON = timedelta(days=2)
"""Trouble that begins again within this time after its end came back; else it is another one."""
SHOWN = 30
"""Troubles that one message tells in full."""

Saying = Literal["began", "over"]

log = structlog.get_logger()


class Seen(Struct, frozen=True, kw_only=True):
    """A trouble as a look finds it: `key` is the same at every look, `words` are a sentence that says what to do too.
    `concerns` are addresses that are to hear of it besides the operator, `dead` those that cannot.
    """

    key: str
    words: str
    concerns: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()


class Trouble(Struct, frozen=True, kw_only=True):
    """A trouble as it is remembered; `told_to` are the addresses that heard of it. Times are aware UTC."""

    key: str
    words: str
    told_to: tuple[str, ...]
    began_at: datetime
    well_since: datetime | None = None
    ended_at: datetime | None = None
    returns: int = 0

    @property
    def hold(self) -> timedelta:
        """For how long nothing must be seen of it until it is over."""
        return min(HOLD * (1 << min(self.returns, 10)), LONGEST_HOLD)


def after(
    known: Trouble | None, seen: Seen | None, reachable: Sequence[str], now: datetime
) -> tuple[Trouble | None, Saying | None]:
    """What is remembered of a trouble after a look, and what is to be said to whom it names in `told_to`: pure.

    `reachable` are the addresses that can hear of what is `seen`; while there are none, nothing counts as said.
    """
    if known is None or known.ended_at is not None:
        return (known, None) if seen is None else _begun(known, seen, reachable, now)
    if seen is not None:
        return _goes_on(known, seen, reachable)
    if known.well_since is None:
        return msgspec.structs.replace(known, well_since=now), None
    if now - known.well_since < known.hold:
        return known, None
    return msgspec.structs.replace(known, ended_at=now), "over" if known.told_to else None


def _begun(known: Trouble | None, seen: Seen, reachable: Sequence[str], now: datetime) -> tuple[Trouble, Saying | None]:
    came_back = known is not None and known.ended_at is not None and now - known.ended_at < SOON
    returns = known.returns + 1 if known is not None and came_back else 0
    begun = Trouble(key=seen.key, words=seen.words, told_to=tuple(reachable), began_at=now, returns=returns)
    return begun, "began" if reachable else None


def _goes_on(known: Trouble, seen: Seen, reachable: Sequence[str]) -> tuple[Trouble, Saying | None]:
    is_news = bool(reachable) and not known.told_to
    told_to = tuple(reachable) if is_news else known.told_to
    found = msgspec.structs.replace(known, words=seen.words, well_since=None, told_to=told_to)
    return found, "began" if is_news else None


# --- kept and told ----------------------------------------------------------------------------------------------------


def note(connection: Connection, seen: Iterable[Seen], operator: str | None, now: datetime) -> list[str]:
    """Remember what a look found, and put into the outbox what is to be said of it; the deliveries' ids.

    `operator` is the address that hears of all of it. Several daemons may look at once: each trouble's row is held
    until the caller commits, so one of them tells it.
    """
    found = {each.key: each for each in seen}
    known = _known(connection)
    off = _off(connection)
    said: dict[str, list[tuple[Saying, Trouble]]] = defaultdict(list)
    for key in sorted(found.keys() | known.keys()):
        reachable = _reachable(found.get(key), operator, off)
        trouble, saying = after(known.get(key), found.get(key), reachable, now)
        if trouble is None or trouble == known.get(key) or not _keep(connection, known.get(key), trouble):
            continue
        _log(known.get(key), trouble)
        for uri in trouble.told_to if saying else ():
            said[uri].append((saying, trouble))  # type: ignore[arg-type]  # a saying, as the line above says
    return [written for uri, sayings in said.items() if (written := _tell(connection, uri, sayings, now))]


def _log(before: Trouble | None, trouble: Trouble) -> None:
    """Also where nobody can be told: then the log is the only place that says it."""
    if before is None or (before.ended_at is not None and trouble.ended_at is None):
        log.warning("trouble", what=_PATH.sub(r"\1/…", trouble.words), told=len(trouble.told_to))
    elif before.ended_at is None and trouble.ended_at is not None:
        log.info("trouble is over", what=_PATH.sub(r"\1/…", trouble.words))


_PATH = re.compile(r"(https?://[^/\s]+)/[^\s`]+")
"""A web address, whose path may be its secret."""


def standing(connection: Connection) -> list[Trouble]:
    """The troubles that are not over, the oldest first."""
    here = select(troubles).where(troubles.c.ended_at.is_(None)).order_by(troubles.c.began_at, troubles.c.key)
    return [_from_row(row._mapping) for row in connection.execute(here)]


def _known(connection: Connection) -> dict[str, Trouble]:
    rows = connection.execute(select(troubles).order_by(troubles.c.key).with_for_update())
    return {row.key: _from_row(row._mapping) for row in rows}


def _from_row(row: RowMapping) -> Trouble:
    # "key" is a word of SQL: its name comes as a string of another class
    return msgspec.convert({str(name): value for name, value in row.items()}, Trouble)


def _off(connection: Connection) -> set[str]:
    return set(connection.execute(select(address_rows.c.uri).where(address_rows.c.state == "off")).scalars())


def _reachable(seen: Seen | None, operator: str | None, off: set[str]) -> tuple[str, ...]:
    if seen is None:
        return ()
    wanted = dict.fromkeys(uri for uri in (operator, *seen.concerns) if uri)
    return tuple(uri for uri in wanted if uri not in off and uri not in seen.dead)


_UPDATE = (
    update(troubles)
    .where(troubles.c.key == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in Trouble.__struct_fields__ if name != "key"})
)


def _keep(connection: Connection, before: Trouble | None, trouble: Trouble) -> bool:
    """Whether it is ours to tell: of two that begin to remember it at once, the second finds it there."""
    row = msgspec.structs.asdict(trouble)
    if before is None:
        return insert_if_absent(connection, troubles, row)
    values = {f"new_{name}": value for name, value in row.items() if name != "key"}
    return connection.execute(_UPDATE, {"of": trouble.key, **values}).rowcount == 1


def _tell(connection: Connection, uri: str, said: Sequence[tuple[Saying, Trouble]], now: datetime) -> str | None:
    address_id, _ = addresses.ensure(connection, uri, now)
    key = f"troubles:{now.isoformat()}"
    facts = {"title": title(said), "notice": notice(said)}
    # a thread of its own: what was said before and did not arrive yet keeps nothing back
    due = Due(type="operator.notice", address_id=address_id, due_key=key, thread=key, facts=facts, planned_at=now)
    return put(connection, due, now)


_BREAK = re.compile(r"[:;.] ")


def title(said: Sequence[tuple[Saying, Trouble]]) -> str:
    """The heading of the message that says these."""
    begun = [trouble for saying, trouble in said if saying == "began"]
    if len(said) == 1:
        return ("Trouble: " if begun else "Over: ") + _BREAK.split(said[0][1].words)[0]
    words = [f"{len(begun)} new"] if begun else []
    over = len(said) - len(begun)
    return "Trouble: " + ", ".join([*words, f"{over} over"] if over else words)


def notice(said: Sequence[tuple[Saying, Trouble]]) -> str:
    """The paragraphs of the message that says these, what began before what is over."""
    ordered = sorted(said, key=lambda each: (each[0] == "over", each[1].began_at, each[1].key))
    told = [_paragraph(saying, trouble) for saying, trouble in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        told.append(f"And {len(ordered) - SHOWN} more: `trialdelta doctor` lists them all.")
    return "\n\n".join([*told, "You hear of each once, and once more when it is over."])


def _paragraph(saying: Saying, trouble: Trouble) -> str:
    if saying == "began":
        return trouble.words
    return f"Over since {trouble.well_since:%Y-%m-%d %H:%M} UTC (told on {trouble.began_at:%Y-%m-%d}): {trouble.words}"
