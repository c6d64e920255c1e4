"""What somebody marked as seen, and nothing else, counts as seen: also where it is told anew by better rules."""

from random import Random

import pytest
from sqlalchemy import Connection

from notifiers import acknowledgements, ledger, news, outbox, watches
from notifiers.news import Asked
from notifiers.watched_rows import is_watched, watched_rows
from snapshots import archive
from snapshots.archive import Step, StepFacts, recent
from snapshots.archive.tables import steps as step_rows
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BOB, MAIL, NOW, change, happen, subscribe, tell, trial, watch

ME, OTHER = "me", "other"
WATCHED = {"among": watched_rows()}
WATCHED_ONE_BY_ONE = {**WATCHED, "is_among": is_watched(step_rows.c.record)}


def told_anew(connection: Connection, step: Step) -> Step:
    """The same step as better rules tell it."""
    facts = StepFacts(registry="ctgov", registry_id=step.registry_id, release=step.release, observed_at=NOW)
    return archive.record_step(connection, facts, [change("title.changed")], supersedes=step.id)


def on_the_page(connection: Connection, visitor: str, is_seen: bool) -> set[int]:
    return {item.step.id for item in news.page(connection, Asked(visitor=visitor, is_seen=is_seen), None, 100).items}


def by_the_api(connection: Connection, visitor: str, is_seen: bool, **narrowed: object) -> set[int]:
    wanted = recent.Asked(where=news.is_seen(connection, visitor, is_seen), **narrowed)  # type: ignore[arg-type]
    return {step.id for step in recent.newest(connection, wanted, 100)}


@pytest.mark.parametrize("many", [news.MANY, 0])
def test_a_mark_on_what_is_told_anew_by_now_counts_for_that_alone(
    database: Database, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MANY", many)
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        marked, *rest = [happen(connection, change("title.changed"), record=each) for each in (ALICE, BOB, ALICE)]
        news.mark_seen(connection, ME, [marked.id], NOW)
        anew = told_anew(connection, marked)
        told_anew(connection, rest[0])
        unseen = {step.id for step in recent.newest(connection, recent.Asked(), 100)} - {anew.id}

    with database.read() as connection:
        for asked in (on_the_page, by_the_api):
            assert asked(connection, ME, True) == {anew.id}
            assert asked(connection, ME, False) == unseen
            assert asked(connection, OTHER, True) == set()
            assert asked(connection, OTHER, False) == {anew.id, *unseen}
    assert len(unseen) == 2


@pytest.mark.parametrize("many", [news.MANY, 0])
@pytest.mark.parametrize(("walked", "few"), [(5_000, 2_000), (1, 2_000), (1, 0)])
def test_what_anybody_marked_in_a_message_is_seen_by_all(
    database: Database, walked: int, few: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "WALKED", walked)
    monkeypatch.setattr(recent, "FEW", few)
    monkeypatch.setattr(recent, "WINDOWS", (2, 7))
    monkeypatch.setattr(news, "MANY", many)
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, "all", [MAIL])
        (told,) = tell(connection, change("title.changed"), record=ALICE)
        (other,) = tell(connection, change("title.changed"), record=BOB)
        acknowledgements.acknowledge(connection, told, "alice@example.org", NOW)

    with database.read() as connection:
        seen, unseen = (outbox.load(connection, each, NOW).steps[0].step.id for each in (told, other))
        for narrowed in ({}, WATCHED, WATCHED_ONE_BY_ONE):
            assert by_the_api(connection, ME, True, **narrowed) == {seen}
            assert by_the_api(connection, ME, False, **narrowed) == {unseen}
        assert on_the_page(connection, ME, True) == {seen}
        assert on_the_page(connection, ME, False) == {unseen}


@pytest.mark.parametrize("many", [news.MANY, 0])
def test_of_a_step_that_a_message_told_in_part_that_part_is_seen(
    database: Database, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MANY", many)
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "titles", [MAIL], when={"kinds": ["title.changed"]})
        (told,) = tell(connection, change("title.changed"), change("site.renamed"), change("site.added"))
        acknowledgements.acknowledge(connection, told, "alice@example.org", NOW)

    def kinds(is_seen: bool | None) -> list[str]:
        (item,) = page(is_seen)
        return sorted(stored.change.kind for stored in item.step.changes)

    def page(is_seen: bool | None) -> tuple[news.Item, ...]:
        with database.read() as connection:
            return news.page(connection, Asked(visitor=ME, is_seen=is_seen), None, 9).items

    (item,) = page(None)
    assert (item.seen, item.tally) == (None, news.Tally(1, 3, ("alice@example.org",)))
    assert (kinds(True), kinds(False)) == (["title.changed"], ["site.added", "site.renamed"])
    with database.read() as connection:
        for is_seen in (True, False):
            wanted = recent.Asked(where=news.is_seen(connection, ME, is_seen))
            (step,) = recent.newest(connection, wanted, 9)
            assert sorted(stored.change.kind for stored in step.changes) == kinds(is_seen)

    with database.write() as connection:
        news.mark_seen(connection, ME, [item.step.id], NOW)
    (item,) = page(True)
    assert (item.seen, item.tally.seen) == (news.Seen(None, NOW), 3)
    assert page(False) == ()


@pytest.mark.parametrize("many", [news.MANY, 0])
@pytest.mark.parametrize(("walked", "few"), [(5_000, 2_000), (3, 2_000), (3, 0)])
def test_however_it_is_asked_each_change_is_either_seen_or_not(
    database: Database, walked: int, few: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(7)
    monkeypatch.setattr(recent, "WALKED", walked)
    monkeypatch.setattr(recent, "FEW", few)
    monkeypatch.setattr(recent, "WINDOWS", (2, 7))
    monkeypatch.setattr(news, "MANY", many)
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, "alice", [MAIL], watches={"ids": [ALICE]})
        made = [_happened(connection, chance) for _ in range(40)]
        anew = {step.id: told_anew(connection, step).id for step in chance.sample(made, 10)}
        everything = {step.id for step in recent.newest(connection, recent.Asked(), 1000)}
        marked = chance.sample([step.id for step in made], 15)
        news.mark_seen(connection, ME, marked, NOW)
        news.mark_seen(connection, OTHER, chance.sample([step.id for step in made], 15), NOW)
        told = chance.sample([entry.delivery_id for entry in ledger.listing(connection)], 4)
        for each in told:
            acknowledgements.acknowledge(connection, each, "alice@example.org", NOW)
        in_messages = {outbox.load(connection, each, NOW).steps[0].step.id for each in told}
        watches.remove(connection, "ctgov", [BOB])

    seen = ({anew.get(each, each) for each in marked} | in_messages) & everything
    with database.read() as connection:
        of_alice = {step.id for step in archive.steps(connection, "ctgov", ALICE)}
        watched = everything & of_alice
        for narrowed, among in (({}, everything), (WATCHED, watched), (WATCHED_ONE_BY_ONE, watched)):
            assert by_the_api(connection, ME, True, **narrowed) == seen & among
            assert by_the_api(connection, ME, False, **narrowed) == among - seen
        assert on_the_page(connection, ME, True) == seen & of_alice
        assert on_the_page(connection, ME, False) == of_alice - seen
    assert 8 < len(seen) < 25


def _happened(connection: Connection, chance: Random) -> Step:
    """A change of one of the trials; of Alice's somebody is told."""
    record = chance.choice([ALICE, BOB])
    step = happen(connection, change("title.changed"), record=record)
    outbox.enqueue(connection, step, trial(record), NOW)
    return step
