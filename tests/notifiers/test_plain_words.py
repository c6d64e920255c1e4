"""What people asked for, and what they are told, in words instead of names of kinds; and who can stop a message."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from notifiers import addresses
from notifiers.backtest import Alert, Backtest, in_words
from notifiers.conditions import GROUPS, Conditions, InvalidValue, Near, Place, check_kind_pattern
from notifiers.filters import in_words as asked_in_words
from notifiers.for_the_reader import MOVED_IN, as_severe_as_asked
from notifiers.outbox.loading import ToldBecause
from notifiers.rendering import render
from notifiers.subscriptions import Subscription, Timing
from snapshots import kind_titles
from snapshots.archive import StoredChange
from snapshots.kinds import KINDS
from tests.notifiers import messages
from tests.notifiers.cast import BEIJING, MAIL, change, trial

AROUND_BEIJING = Near(place=Place(latitude=39.9, longitude=116.4, name="Beijing"), km=50)


def test_every_group_of_kinds_has_a_title_and_no_code_reaches_a_reader() -> None:
    assert set(kind_titles.GROUPS) == set(GROUPS)
    for pattern in (*(f"{group}.*" for group in GROUPS), *KINDS):
        assert kind_titles.title(pattern) != pattern


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Conditions(kinds=("site.*", "results.posted", "!site.renamed")),
         "all about sites, Results posted, but not Site renamed"),
        (Conditions(kinds=("!site.*",)), "all changes, but not all about sites"),
        (Conditions(min_severity="critical"), "critical only"),
        (Conditions(min_severity="minor", becomes=("NOT_YET_RECRUITING", "2027-05")),
         "minor or more severe; becomes not yet recruiting, 2027-05"),
    ],
)  # fmt: skip
def test_what_is_asked_for_reads_as_people_say_it(asked: Conditions, words: str) -> None:
    assert asked_in_words(asked) == words


def moved_in(when: Conditions, status: str = "RECRUITING") -> StoredChange:
    """A site's move from Lyon to Beijing, as it is told to who asked so."""
    site = replace(BEIJING, position=0, status=status)
    record = replace(trial(sites=(site,)), paths={"sites": "sites"})
    moved = change("site.moved", site=BEIJING, before="Lyon, France", after="Beijing, China", path="sites[0]")
    because = (ToldBecause(name="near", wanted=frozenset({1}), near=when.near, when=when),)
    return as_severe_as_asked([StoredChange(1, moved)], because, lambda: record)[0]


def test_a_recruiting_site_that_moved_in_is_told_as_severe_as_it_is_sent() -> None:
    told = moved_in(Conditions(near=AROUND_BEIJING)).change

    assert (told.kind, told.label, told.severity) == ("site.moved", MOVED_IN, "critical")


@pytest.mark.parametrize(
    ("when", "status"), [(Conditions(near=AROUND_BEIJING), "COMPLETED"), (Conditions(), "RECRUITING")]
)
def test_any_other_move_is_told_as_a_move(when: Conditions, status: str) -> None:
    told = moved_in(when, status).change

    assert (told.label, told.severity) == (KINDS["site.moved"].label, KINDS["site.moved"].severity)


def test_without_a_page_the_foot_names_who_can_stop_it() -> None:
    message = messages.alert(messages.BEIJING)

    named = render(replace(message, operator="mailto:ops@example.org"))
    nobody = render(replace(message, operator="https://hooks.example.org/ops"))

    assert "answer this message or write to ops@example.org: who runs" in " ".join(named.text.split())
    assert 'href="mailto:ops@example.org"' in named.html
    assert "To stop it, answer this message: who runs" in nobody.text
    assert "hooks.example.org" not in nobody.text + nobody.html


def past(*days: str, cause: str = "observed") -> Backtest:
    """One delay in the release of each of these days, noticed in its afternoon."""
    step = messages.step(messages.DELAYED, cause=cause)
    noticed = (replace(step, observed_at=datetime.fromisoformat(f"{day}T14:00:00+00:00")) for day in days)
    told = messages.stored(messages.DELAYED)
    alerts = tuple(Alert(day, each, told) for day, each in zip(days, noticed, strict=True))
    return Backtest(since="2026-01-01", alerts=alerts, trials=1, steps=len(days), known_since="2025-01-01")


def test_what_a_digest_would_have_told_is_counted_in_digests() -> None:
    weekly = Subscription(name="team", to=(MAIL,), deliver=Timing(digest="weekly", on="monday", timezone="UTC"))

    said = in_words(past("2026-03-03", "2026-03-05", "2026-03-10"), "the last year", weekly)

    assert said.startswith("What changed would have been in 2 digests in the last year, 3 changes of 1 trial")
    assert in_words(past(), "the last year", weekly).startswith("Nothing to tell in the last year")


def test_what_a_monday_s_release_told_is_in_the_digest_of_the_monday_after() -> None:
    weekly = Subscription(name="team", to=(MAIL,), deliver=Timing(digest="weekly", on="monday", at="08:00"))

    for cause in ("observed", "back-filled"):
        said = in_words(past("2026-03-02", "2026-03-05", cause=cause), "the last year", weekly)
        assert said.startswith("What changed would have been in 1 digest in the last year")


def test_what_goes_to_several_addresses_says_that_each_gets_it() -> None:
    both = Subscription(name="team", to=(MAIL, "mailto:bob@example.org"))

    said = in_words(past("2026-03-03", "2026-03-05"), "the last year", both)

    assert said.startswith("2 alerts to each of 2 addresses in the last year, 2 changes of 1 trial")


def test_what_goes_at_once_beside_a_digest_is_counted_apart_and_the_past_is_named() -> None:
    both = Timing(digest="weekly", on="monday", timezone="UTC", immediately="major")
    wanted = Subscription(name="team", to=(MAIL,), deliver=both)

    said = in_words(past("2026-03-03", cause="back-filled"), "the last year", wanted)

    assert said.startswith("1 alert at once in the last year, 1 change of 1 trial")
    assert said.endswith("1 of these steps was filled in from the past)")


def test_a_bare_mail_address_is_an_address() -> None:
    assert addresses.canonical("me@Example.org") == "mailto:me@example.org"
    assert addresses.canonical("me") == "me"


@pytest.mark.parametrize(("written", "meant"), [("Site", "site.*"), ("sites", "site.*"), ("Results", "results.*")])
def test_a_group_that_is_named_alone_is_understood_in_the_complaint(written: str, meant: str) -> None:
    with pytest.raises(InvalidValue, match=f"did you mean '{meant}'".replace("*", r"\*")):
        check_kind_pattern("kinds", written)
