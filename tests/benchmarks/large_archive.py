"""An archive as large as one that has run for a year: written straight into the tables, in seconds."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Table, insert, update

from monitor import schema
from monitor.access.tokens import OWN
from monitor.copying import go_on_counting
from notifiers import feeds, links, outlook, subscriptions, watches
from notifiers.tables import (
    attempts,
    confirmations,
    deliveries,
    delivery_changes,
    delivery_subscriptions,
    search_members,
    seen_steps,
    subscription_addresses,
    wanted_changes,
)
from notifiers.tables import watches as watch_rows
from snapshots import related
from snapshots.archive import codec
from snapshots.archive.coverage import ALL
from snapshots.archive.tables import (
    chain,
    changes,
    record_ids,
    records,
    steps,
    sweeps,
    versions,
)
from snapshots.changes import Change, to_json
from snapshots.database import Database
from snapshots.kinds import RULES_VERSION
from snapshots.registries.ctgov import parse
from snapshots.rules import changes_between
from tests.snapshots.whole_record import SITES, STATUS, whole

TRIALS, STEPS, CHANGES = 5_000, 8, 5
"""Watched trials, steps of each after its first look, changes of each step: 200,000 changes."""
TEMPLATES, SPREAD, ADDRESSES, SUBSCRIPTIONS = 12, 31, 20, 100
GROUP = 100
"""Trials of a group, however many are watched: what is asked of a group costs what the group has."""
TOLD_EVERY = 10
"""Every tenth step was told to somebody."""
CONFIRMED = 20
"""The number of an address that was asked whether it wants to be told, and said yes."""
UNSEEN = 5
"""Whoever looks at the page has marked everything as seen but what came with so many releases last."""
NEWS = 9
"""The week's digest tells of so many trials a day, of however many that are watched: of 63 in all."""
FIRST = datetime(2025, 7, 1, 13, tzinfo=UTC)
RELEASES = SPREAD * (STEPS + 1)
NOW = FIRST + timedelta(days=RELEASES)
PLACE = b"NCT00000000"
AT_ONCE = 5_000
Rows = Iterator[dict[str, Any]]


class _Template(Struct, frozen=True):
    """One invented trial: its title, its contents one after the other, and what is told between them."""

    title: str
    contents: Sequence[bytes]
    told: Sequence[Sequence[Change]]


class _Moment(Struct, frozen=True, order=True):
    """The `nth` content of a trial, at a release; both counted from 0."""

    release: int
    trial: int
    nth: int


def trial_id(trial: int) -> str:
    """The invented id of a trial, counted from 0."""
    return f"NCT{99_200_000 + trial}"


def fill(url: str, trials: int = TRIALS) -> Database:
    """Make the tables at `url` and an archive of so many watched trials in them."""
    database = Database(url)
    schema.upgrade(database)
    links.ensure_key(database, FIRST)
    templates = [_template(number) for number in range(TEMPLATES)]
    moments = sorted(
        _Moment(nth * SPREAD + trial % SPREAD, trial, nth) for trial in range(trials) for nth in range(STEPS + 1)
    )
    with database.write() as connection:
        _archive(connection, templates, moments, trials)
        _watch(connection, trials)
        _tell(connection, moments)
        for about, name in (("trial", trial_id(0)), ("group", "group 0"), ("subscription", "sub-0")):
            feeds.make(connection, about, name, NOW)  # type: ignore[arg-type]
    # what the daemon does between its sweeps
    while related.catch_up(database, "ctgov", parse.parse):
        pass
    with database.read() as connection:
        unread = outlook.unread_heads(connection, trials)
    outlook.learn(database, {"ctgov": parse.parse}, unread, trials)
    return database


# --- what the registry said -------------------------------------------------------------------------------------------


def _template(number: int) -> _Template:
    studies = [whole((SITES, _sites(number, nth)), (f"{STATUS}.primaryCompletionDateStruct", _date(number, nth)))
               for nth in range(STEPS + 1)]  # fmt: skip
    named = [{**study, "protocolSection": {**study["protocolSection"]}} for study in studies]
    title = ""
    for study in named:
        identity = {**study["protocolSection"]["identificationModule"], "nctId": PLACE.decode()}
        title = identity["briefTitle"] = f"Tea number {number} against {_WORDS[number]} in adults"
        study["protocolSection"]["identificationModule"] = identity
        study["protocolSection"]["conditionsModule"] = {"conditions": [_WORDS[number], _WORDS[(number + 1) % 12]]}
    contents = [json.dumps(study, ensure_ascii=False, separators=(",", ":")).encode() for study in named]
    read = [parse.parse(raw) for raw in contents]
    told = [list(changes_between(old, new))[:CHANGES] for old, new in pairwise(read)]
    assert all(len(each) == CHANGES for each in told), [len(each) for each in told]
    return _Template(title, contents, told)


_WORDS = ("asthma", "eczema", "gout", "migraine", "anaemia", "sepsis", "obesity", "psoriasis", "glaucoma", "epilepsy",
          "insomnia", "arthritis")  # fmt: skip


def _sites(number: int, nth: int) -> list[dict[str, Any]]:
    """Twenty hospitals; at each step another six change their status."""
    states = ("NOT_YET_RECRUITING", "RECRUITING", "COMPLETED", "RECRUITING")
    return [
        {
            "facility": f"Example Hospital {number}-{site}",
            "city": f"Town {site}",
            "country": ("Freedonia", "Sylvania", "Ruritania")[site % 3],
            "status": states[(nth * 6 + 19 - site) // 20 % 4],
            "geoPoint": {"lat": 30.0 + site, "lon": 5.0 * number},
        }
        for site in range(20)
    ]


def _date(number: int, nth: int) -> dict[str, str]:
    """Of every twelfth trial the completion is due soon."""
    return {"date": f"2027-{nth + 1:02d}" if number else f"{NOW + timedelta(nth):%Y-%m-%d}", "type": "ESTIMATED"}


def _archive(connection: Connection, templates: Sequence[_Template], moments: Sequence[_Moment], trials: int) -> None:
    """Records, versions, steps and changes, and a finished sweep for each release."""
    numbers = {(each.trial, each.nth): at for at, each in enumerate(moments, start=1)}
    heads = [numbers[trial, STEPS] for trial in range(trials)]
    _insert(connection, sweeps, ({"id": at + 1, "registry": "ctgov", "release": _release(at), "scope": ALL,
                                  "state": "finished", "started_at": _seen(at), "ended_at": _seen(at), "asked": trials,
                                  "answered": trials} for at in range(RELEASES)))  # fmt: skip
    _insert(connection, records, (_record(trial, templates, heads[trial]) for trial in range(trials)))
    _insert(connection, record_ids, ({"registry": "ctgov", "registry_id": trial_id(trial), "record": trial + 1}
                                     for trial in range(trials)))  # fmt: skip
    _insert(connection, versions, (_version(each, templates, numbers) for each in moments))
    last = {"id": 1, "number": len(moments), "hash": _hash(f"chain {len(moments)}")}
    connection.execute(insert(chain), last)
    _insert(connection, steps, (_step(each, numbers) for each in moments))
    _insert(connection, changes, _changes(moments, templates))


def _record(trial: int, templates: Sequence[_Template], head: int) -> dict[str, Any]:
    digest = _hash(f"{trial} {STEPS}")
    return {
        "id": trial + 1,
        "registry": "ctgov",
        "registry_id": trial_id(trial),
        "title": templates[trial % TEMPLATES].title,
        "first_seen_at": FIRST,
        "head_version": head,
        "head_raw_hash": digest,
        "head_content_hash": digest,
    }


def _version(at: _Moment, templates: Sequence[_Template], numbers: dict[tuple[int, int], int]) -> dict[str, Any]:
    raw, base = _content(templates, at.trial, at.nth), codec.base_position(at.nth)
    number = numbers[at.trial, at.nth]
    return {
        "number": number,
        "record": at.trial + 1,
        "registry_id": trial_id(at.trial),
        "source": "v2",
        "release": _release(at.release),
        "observed_at": _seen(at.release),
        "content_hash": _hash(f"{at.trial} {at.nth}"),
        "raw_sha256": hashlib.sha256(raw).digest(),
        "raw_size": len(raw),
        "chain_hash": _hash(f"chain {number}"),
        "position": at.nth,
        "base": None if base is None else numbers[at.trial, base],
        "data": codec.encode(raw, None if base is None else _content(templates, at.trial, base), level=1),
    }


def _content(templates: Sequence[_Template], trial: int, nth: int) -> bytes:
    return templates[trial % TEMPLATES].contents[nth].replace(PLACE, trial_id(trial).encode())


def _step(at: _Moment, numbers: dict[tuple[int, int], int]) -> dict[str, Any]:
    number = numbers[at.trial, at.nth]
    return {
        "id": number,
        "registry": "ctgov",
        "record": at.trial + 1,
        "from_version": numbers.get((at.trial, at.nth - 1)),
        "to_version": number,
        "release": _release(at.release),
        "observed_at": _seen(at.release),
        "cause": "observed",
    }


def _changes(moments: Sequence[_Moment], templates: Sequence[_Template]) -> Rows:
    """Of the nth step of a moment (in the order of moments): ids follow each other, `CHANGES` a step."""
    rows = [[[_change(change) for change in told] for told in template.told] for template in templates]
    for step, at in enumerate(moments, start=1):
        if at.nth:
            for position, row in enumerate(rows[at.trial % TEMPLATES][at.nth - 1]):
                yield {"id": step * CHANGES + position, "step": step, "position": position, **row}


def _change(change: Change) -> dict[str, Any]:
    said = msgspec.json.encode(to_json(change)).decode()
    return {"rules_version": RULES_VERSION, "kind": change.kind, "severity": change.severity, "change": said}


# --- what people asked for and were told ------------------------------------------------------------------------------


def _watch(connection: Connection, trials: int) -> None:
    _insert(connection, watch_rows, ({"id": trial + 1, "registry": "ctgov", "record_id": trial_id(trial),
                                      "group_name": f"group {trial // GROUP}", "created_at": FIRST,
                                      "baseline_sweep": 1} for trial in range(trials)))  # fmt: skip
    search = watches.Wish(registry="ctgov", search={"query.cond": "gout"}, name="gout", group="searches")
    watches.add(connection, search, FIRST)
    number = trials + 1
    _insert(connection, search_members, ({"watch_id": number, "record_id": trial_id(trial), "is_found": True}
                                         for trial in range(2, trials, trials // 50)))  # fmt: skip
    for each in range(SUBSCRIPTIONS):
        subscriptions.save(connection, subscriptions.from_table(_subscription(each, max(trials // GROUP, 1))), FIRST)
    connection.execute(insert(confirmations).values(address_id=CONFIRMED, added_at=FIRST, asked_at=FIRST,
                                                    confirmed_at=FIRST))  # fmt: skip
    # as if they had asked before all this was stored
    connection.execute(update(subscription_addresses).values(added_after=None))


def _subscription(number: int, groups: int) -> dict[str, Any]:
    told: dict[str, Any] = {"name": f"sub-{number}", "to": [f"mailto:reader{number % ADDRESSES}@example.org"]}
    if number == 0:
        return {**told, "deliver": {"digest": "weekly", "on": "monday", "timezone": "Europe/Berlin"}}
    about = {"group": f"group {number % groups}"} if number % 2 else {"ids": [trial_id(number), trial_id(number + 1)]}
    return {**told, "watches": about, "when": {"kinds": ["site.*"]}}


def _tell(connection: Connection, moments: Sequence[_Moment]) -> None:
    """Who was told of every tenth step: one address of one subscription; what the digest will tell is its wants."""
    told = [(step, at) for step, at in enumerate(moments, start=1) if at.nth and step % TOLD_EVERY == 0]
    _insert(connection, deliveries, (_delivery(step, at) for step, at in told))
    _insert(connection, delivery_changes, ({"delivery_id": _name(step), "change_id": change}
                                           for step, _ in told for change in _ids(step)))  # fmt: skip
    _insert(connection, delivery_subscriptions, ({"delivery_id": _name(step), "name": f"sub-{_asker(at)}",
                                                  "subscription_id": _asker(at) + 1, "wanted": list(_ids(step))}
                                                 for step, at in told))  # fmt: skip
    _insert(connection, attempts, ({"delivery_id": _name(step), "number": 1, "worker": "bench", "outcome": "delivered",
                                    "started_at": _seen(at.release), "finished_at": _seen(at.release),
                                    "answer": "250 taken"} for step, at in told))  # fmt: skip
    _insert(connection, wanted_changes, _wanted(moments))
    _insert(connection, seen_steps, ({"by": OWN, "step": step, "at": NOW} for step, at in enumerate(moments, start=1)
                                     if at.release < RELEASES - UNSEEN))  # fmt: skip


def _wanted(moments: Sequence[_Moment]) -> Rows:
    for step, at in enumerate(moments, start=1):
        is_news = at.release >= RELEASES - 7 and at.trial < NEWS * SPREAD
        if at.nth and (step % TOLD_EVERY == 0 or is_news):
            for change in _ids(step):
                asker = 1 if is_news else _asker(at) + 1
                yield {"subscription_id": asker, "change_id": change, "step_id": step, "registry": "ctgov",
                       "record_id": trial_id(at.trial), "observed_at": _seen(at.release)}  # fmt: skip


def _delivery(step: int, at: _Moment) -> dict[str, Any]:
    return {
        "id": _name(step),
        "type": "trial.changed",
        "address_id": _asker(at) % ADDRESSES + 1,
        "due_key": f"step:{step}",
        "thread": f"record:ctgov/{trial_id(at.trial)}",
        "step_id": step,
        "state": "delivered",
        "created_at": _seen(at.release),
        "planned_at": _seen(at.release),
        "finished_at": _seen(at.release),
        "tries": 1,
        "last_answer": "250 taken",
        "as_of": {"head": "0123456789ab", "records": {str(step): [trial_id(at.trial), "A Trial of Tea"]}},
    }


def delivery_ids(trials: int, count: int) -> list[str]:
    """Some of the deliveries."""
    found = range(TOLD_EVERY * 1000 * trials // TRIALS, trials * STEPS, TOLD_EVERY)
    return [_name(step) for step in found[:count]]


def _name(step: int) -> str:
    return f"dlv_{step:032x}"


def _asker(at: _Moment) -> int:
    return at.trial % (SUBSCRIPTIONS - 1) + 1


def _ids(step: int) -> range:
    return range(step * CHANGES, step * CHANGES + CHANGES)


def _release(at: int) -> str:
    return f"{_seen(at):%Y-%m-%dT09:00:05}"


def _seen(at: int) -> datetime:
    return FIRST + timedelta(days=at)


def _hash(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()


def _insert(connection: Connection, table: Table, rows: Rows) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)
    go_on_counting(connection, table)
