"""The watchlist file: read, planned, applied, written; whatever is wrong in it is named."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifiers import addresses, ledger, subscriptions, watches, watchlist_file
from notifiers.calendar import WEEKDAYS, Quiet
from notifiers.conditions import Conditions, InvalidValue, Near, Place
from notifiers.subscriptions import Selection, Subscription, Timing
from notifiers.watches import Wish
from notifiers.watchlist_file import AddressTable, Plan, Watchlist
from snapshots.database import Database
from snapshots.kinds import KINDS, SEVERITIES
from snapshots.registry import Registry
from tests.notifiers.cast import ALICE, BOB, DAY, HOOK, MAIL, NOW, tell


class Ids:
    """What a watchlist asks of a registry: how its ids are written."""

    name = "ctgov"

    def normalise_id(self, text: str) -> str:
        bare = text.strip().upper()
        if len(bare) != 11 or not bare.startswith("NCT") or not bare[3:].isdigit():
            raise ValueError(f"{text!r} is no id of ClinicalTrials.gov")
        return bare


REGISTRY: Registry = Ids()  # type: ignore[assignment]  # nothing else of a registry is needed

EXAMPLE = """
[[watch]]
id = "nct99000001"
group = "dkd"
note = "our comparator"

[[watch]]
name = "dkd-search"
group = "dkd"
search = { "query.cond" = "diabetic kidney disease", "filter.overallStatus" = "RECRUITING" }

[[subscription]]
name = "beijing-sites"
to = ["mailto:coordinator@example.org", "https://hooks.example.org/trials"]
watches = { group = "dkd" }
deliver = "immediately"

[subscription.when]
kinds = ["site.recruiting", "recruitment.*"]
countries = ["China"]
near = { place = { latitude = 39.9, longitude = 116.4 }, km = 50 }

[[subscription]]
name = "team-weekly"
to = ["mailto:team@example.org"]
watches = "all"
when = { min_severity = "minor" }
deliver = { digest = "weekly", on = "monday", at = "08:00", timezone = "Asia/Shanghai" }
severity = { "site.renamed" = "minor" }
quiet = { from = "22:00", to = "07:00", timezone = "Asia/Shanghai" }
max_per_hour = 10
snooze_until = 2026-12-01

[[address]]
uri = "https://hooks.example.org/trials"
owner = "Charlie"
"""


def put(database: Database, text: str, *, prune: bool = False, at: datetime = NOW) -> dict[str, str]:
    with database.write() as connection:
        planned = watchlist_file.plan(connection, watchlist_file.read(text, REGISTRY), at)
        return watchlist_file.apply(connection, planned, at, prune=prune)


def planned(database: Database, text: str) -> Plan:
    with database.read() as connection:
        return watchlist_file.plan(connection, watchlist_file.read(text, REGISTRY), NOW)


def exported(database: Database, **asked: Any) -> str:
    with database.read() as connection:
        return watchlist_file.export(connection, "ctgov", NOW, **asked)


def test_the_example_is_applied(database: Database) -> None:
    secrets = put(database, EXAMPLE)

    with database.read() as connection:
        listed = watches.listing(connection)
        stored = {one.subscription.name: one.subscription for one in subscriptions.listing(connection)}
        hook = addresses.find(connection, HOOK, NOW)
    assert [(one.record_id, one.name, one.group) for one in listed] == [
        (ALICE, None, "dkd"),
        (None, "dkd-search", "dkd"),
    ]
    assert stored["beijing-sites"].when.near == Near(place=Place(latitude=39.9, longitude=116.4), km=50)
    assert stored["team-weekly"].snooze_until == datetime(2026, 12, 1, tzinfo=UTC)
    assert hook is not None and hook.owner == "Charlie"
    assert secrets == {HOOK: hook.secrets[0]}


def test_a_new_name_is_no_records_id_and_an_old_one_stays(database: Database) -> None:
    text = f'[[watch]]\nname = "{ALICE.lower()}"\nsearch = {{ "query.cond" = "x" }}\n'
    with pytest.raises(InvalidValue, match="reads as a record's id") as caught:
        planned(database, text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"watch \"search '{ALICE.lower()}'\".name: ")

    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=ALICE), NOW)
        watches.add(connection, Wish(registry="ctgov", search={"query.cond": "x"}, name=ALICE), NOW)
    assert planned(database, exported(database)).steps == ()

    put(database, f'[[watch]]\nid = "{ALICE}"\n', prune=True)
    with database.read() as connection:
        assert [one.record_id for one in watches.listing(connection)] == [ALICE]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        (r"two\nlines", "'two lines' holds a line break"),
        ("n" * 201, "has 201 characters; a name has at most 200"),
        ("..", "'..' is no name"),
        (r"\u2800\u3164\uFE0F", "it shows nothing"),
        (r"\u200B", "U+200B"),
        (r"cba\u202E", "'cba' holds a line break or another character that does not show (U+202E)"),
        (r"kid\u2068ney\u2069", "U+2068"),
        (r"kid\u00ADney", "U+00AD"),
        (r"kidney\u200D", "U+200D"),
        (r"kidney \u200Cdisease", "U+200C"),
        (r"a\u200C\u200Db", "U+200C"),
    ],
)
def test_a_new_name_that_cannot_be_meant_is_one_clear_line(database: Database, name: str, complaint: str) -> None:
    search = f'[[watch]]\nname = "{name}"\nsearch = {{ "query.cond" = "x" }}\n'
    for text in (search, f'[[subscription]]\nname = "{name}"\nto = ["{MAIL}"]\n'):
        with pytest.raises(InvalidValue, match=re.escape(complaint)) as caught:
            planned(database, text)
        assert len(str(caught.value)) < 250
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["می\u200cخواهم", "क्\u200dष", "क्\u200cष", "❤️ heart", "👩\u200d🔬", "تجربة", " x "])
def test_a_name_is_written_as_its_script_needs_it(sqlite_database: Database, name: str) -> None:
    text = f'[[watch]]\nname = "{name}"\nsearch = {{ "query.cond" = "x" }}\n'

    assert [step.name for step in planned(sqlite_database, text).steps] == [f"search {name!r}"]


def test_a_watchs_new_name_is_more_than_blanks(sqlite_database: Database) -> None:
    with pytest.raises(InvalidValue, match="it shows nothing"):
        planned(sqlite_database, '[[watch]]\nname = "  "\nsearch = { "query.cond" = "x" }\n')


def test_an_old_name_that_would_be_refused_now_is_kept(database: Database) -> None:
    with database.write() as connection:
        subscriptions.save(connection, Subscription(name="two\nlines", to=(MAIL,)), NOW)
        watches.add(connection, Wish(registry="ctgov", search={"query.cond": "x"}, name="n" * 5000), NOW)

    assert planned(database, exported(database)).steps == ()


def test_applying_twice_does_nothing_the_second_time(database: Database) -> None:
    put(database, EXAMPLE)

    assert planned(database, EXAMPLE).steps == ()
    assert put(database, EXAMPLE) == {}


def test_a_dry_run_writes_nothing_and_says_what_would_be_done(database: Database) -> None:
    steps = planned(database, EXAMPLE).steps

    assert [(step.verb, step.kind, step.name) for step in steps] == [
        ("add", "watch", ALICE),
        ("add", "watch", "search 'dkd-search'"),
        ("add", "address", HOOK),
        ("add", "subscription", "beijing-sites"),
        ("add", "subscription", "team-weekly"),
    ]
    assert exported(database) == ""


def test_a_change_is_said_in_words_before_it_is_made(database: Database) -> None:
    put(database, EXAMPLE)
    changed = EXAMPLE.replace('note = "our comparator"', 'note = "theirs"').replace(
        "max_per_hour = 10", "paused = true"
    )

    steps = planned(database, changed).steps

    assert [(step.verb, step.name, step.words) for step in steps] == [
        ("change", ALICE, "note our comparator → theirs"),
        ("change", "team-weekly", "max_per_hour 10 → none; paused false → true"),
    ]
    put(database, changed)
    assert planned(database, changed).steps == ()


def test_what_the_file_does_not_name_stays_unless_it_is_pruned(database: Database) -> None:
    put(database, EXAMPLE)
    less = f'[[watch]]\nid = "{BOB}"\n'

    put(database, less)
    with database.read() as connection:
        assert len(watches.listing(connection)) == 3
        assert len(subscriptions.listing(connection)) == 2

    put(database, less, prune=True)
    with database.read() as connection:
        assert [one.record_id for one in watches.listing(connection)] == [BOB]
        assert subscriptions.listing(connection) == []


def test_pruning_keeps_the_ledger(database: Database) -> None:
    put(database, EXAMPLE.replace("snooze_until = 2026-12-01", ""))
    with database.write() as connection:
        (delivery, *_) = tell(connection, at=NOW + DAY)

    put(database, "", prune=True)

    with database.read() as connection:
        entry = ledger.show(connection, delivery)
    assert entry is not None
    assert (entry.state, [(asker.name, asker.id) for asker in entry.askers]) == ("cancelled", [("beijing-sites", None)])


def test_secrets_are_exported_only_on_demand(database: Database) -> None:
    secrets = put(database, EXAMPLE)

    assert secrets[HOOK] not in exported(database)
    assert secrets[HOOK] in exported(database, with_secrets=True)


def test_a_secret_of_the_file_is_taken_and_none_is_made(database: Database) -> None:
    secret = addresses.new_secret()
    text = EXAMPLE + f'secret = "{secret}"\n'

    assert put(database, text) == {}
    assert planned(database, text).steps == ()
    with database.read() as connection:
        hook = addresses.find(connection, HOOK, NOW)
    assert hook is not None and hook.secrets == (secret,)
    assert secret not in str(planned(database, EXAMPLE + f'secret = "{addresses.new_secret()}"\n').steps[0].words)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[watch", "this is not TOML: Expected ']]' at the end of an array declaration (at end of document)"),
        ("wach = 1", "wach: unknown key; a watchlist has [[watch]], [[subscription]] and [[address]] tables"),
        ("[watch]\nid = 'NCT99000001'", "watch: is written [[watch]], once for each"),
        ("[[watch]]\nid = 'NCT9900000'", "watch[1] \"NCT9900000\".id: 'NCT9900000' is no id of ClinicalTrials.gov"),
        (
            "[[watch]]\nid = 'NCT99000001'\ngrp = 'a'",
            "watch[1] \"NCT99000001\".grp: unknown key; did you mean 'group'?",
        ),
        ("[[watch]]\nnote = 'x'", "watch[1]: a watch has either an id or a search, or all = true"),
        ("[[watch]]\nsearch = { a = 'b' }", "watch[1].name: is missing: a search needs one"),
        ("[[watch]]\nid = 'NCT99000001'\n[[watch]]\nid = 'nct99000001'", "watch: NCT99000001 is there twice"),
        ("[[subscription]]\nto = []", "subscription[1].name: is missing"),
        (
            "[[subscription]]\nname = 'a'\nto = ['mailto:a@example.org']\n[[subscription]]\nname = 'b'\n"
            "to = ['mailto:b@example.org']\nwhen = { kind = ['site.*'] }",
            "subscription[2] \"b\".when.kind: unknown key; did you mean 'kinds'?",
        ),
        (
            "[[subscription]]\nname = 'a'\nto = ['mailto:a@example.org']\nwatches = { ids = ['x'] }",
            "subscription[1] \"a\".watches.ids: 'x' is no id of ClinicalTrials.gov",
        ),
        (
            "[[subscription]]\nname = 'a'\nto = ['mailto:a@example.org']\nwatches = { search = 'x' }",
            "subscription \"a\".watches.search: there is no search named 'x'",
        ),
        (
            "[[address]]\nuri = 'https://example.org/'\nsecret = 'hush'",
            'address[1] "https://example.org/".secret: a secret is `whsec_` and 24 to 64 bytes in base64',
        ),
        (
            "[[address]]\nuri = 'gopher://example.org/'",
            "address[1] \"gopher://…\".uri: 'gopher://…' is no address that can be told; "
            "it is a mail address, or begins with one of https:, mailto:",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_table_and_key(sqlite_database: Database, text: str, complaint: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        planned(sqlite_database, text)

    assert str(refused.value) == complaint


def test_a_name_that_another_watch_has_is_refused(database: Database) -> None:
    put(database, f'[[watch]]\nid = "{ALICE}"\nname = "ours"')

    with pytest.raises(InvalidValue, match=f"'ours' is the name of {ALICE} already"):
        planned(database, f'[[watch]]\nid = "{BOB}"\nname = "ours"')


def test_what_can_be_meant_and_probably_is_not_is_noted(sqlite_database: Database) -> None:
    subscription = "[[subscription]]\nname = 'a'\nto = ['mailto:a@example.org']\nwatches = "

    notes = [
        planned(sqlite_database, f"{EXAMPLE}\n{subscription}{watches_}").notes
        for watches_ in ("{ group = 'dkf' }", f"{{ ids = ['{BOB}'] }}", "{ search = 'dkd-search' }", "'all'")
    ]

    assert notes == [
        ("subscription 'a': nothing is watched in group 'dkf'; did you mean 'dkd'?",),
        (f"subscription 'a': {BOB} is not watched; `trialdelta watch add {BOB}` begins",),
        (),
        (),
    ]


@pytest.mark.parametrize(
    ("when", "note"),
    [
        ("countries = ['Atlantis']", "no country is called 'Atlantis' in the lists known here; nothing is told unless"),
        ("countries = ['Germny']", "no country is called 'Germny' in the lists known here; did you mean 'Germany'?"),
        (
            "kinds = ['site.recruiting'], becomes = ['TERMINATED']",
            "this can never hold: site.recruiting becomes RECRUITING, never TERMINATED",
        ),
        ("kinds = ['site.*'], shift_days_over = 9", "this can never hold: only a date moves by days, and none of the"),
    ],
)
def test_conditions_that_probably_or_surely_never_hold_are_noted(
    when: str, note: str, sqlite_database: Database
) -> None:
    text = (
        f"{EXAMPLE}\n[[subscription]]\nname = 'a'\nto = ['mailto:a@example.org']\nwatches = 'all'\nwhen = {{ {when} }}"
    )

    (noted,) = planned(sqlite_database, text).notes

    assert noted.startswith(f"subscription 'a': {note}")


@pytest.mark.parametrize(
    "when",
    [
        "countries = ['Korea, Republic of', 'CN', 'Türkiye', 'Congo', 'Former Serbia and Montenegro', 'Taiwan']",
        "kinds = ['site.*'], becomes = ['TERMINATED']",
        "kinds = ['site.recruiting', 'site.moved'], becomes = ['RECRUITING']",
        "kinds = ['start_date.*', 'site.*'], shift_days_over = 9",
        "becomes = ['PHASE3', '120', 'Terminator of Fevers']",
    ],
)
def test_conditions_that_may_hold_are_not(when: str, sqlite_database: Database) -> None:
    text = (
        f"{EXAMPLE}\n[[subscription]]\nname = 'a'\nto = ['mailto:a@example.org']\nwatches = 'all'\nwhen = {{ {when} }}"
    )

    assert planned(sqlite_database, text).notes == ()


# --- whatever is in a watchlist, it is the same after writing and applying -------------------------------------------

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12
)
CALLED = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"],
        exclude_characters="\u115f\u1160\u3164\uffa0",
    ),
    min_size=1,
    max_size=12,
).filter(lambda text: any(letter.isalnum() or "!" <= letter <= "~" for letter in text) and text not in (".", ".."))
"""What may be called something new."""
NAMES = TEXTS.filter(lambda text: bool(text.strip()))
WORDS = TEXTS.filter(lambda text: any(letter.isalnum() for letter in text) and len(text) != 2)
MOMENTS = st.integers(0, 400_000_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
IDS = st.integers(0, 20).map(lambda number: f"NCT99{number:06d}")
SEVERITY = st.sampled_from(SEVERITIES)
CONDITIONS = st.builds(
    Conditions,
    kinds=st.lists(st.sampled_from([*KINDS, "site.*", "!site.renamed"]), max_size=3).map(tuple),
    min_severity=st.none() | SEVERITY,
    countries=st.lists(WORDS, max_size=2).map(tuple),
    sites=st.lists(WORDS, max_size=2).map(tuple),
    near=st.none()
    | st.builds(
        Near,
        place=st.builds(Place, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180)),
        km=st.floats(0.1, 20_000),
    ),
    shift_days_over=st.none() | st.integers(0, 1000),
    becomes=st.lists(WORDS, max_size=2).map(tuple),
    sponsor=st.lists(WORDS, max_size=2).map(tuple),
)
TIMINGS = st.just("immediately") | st.builds(
    Timing,
    digest=st.just("weekly"),
    on=st.none() | st.sampled_from(WEEKDAYS),
    immediately=st.none() | SEVERITY,
    at=st.sampled_from(["00:00", "08:00", "23:59"]),
    timezone=st.sampled_from(["UTC", "Asia/Shanghai"]),
) | st.builds(Timing, digest=st.just("monthly"), on=st.integers(1, 31))  # fmt: skip
URIS = st.sampled_from([MAIL, HOOK, "mailto:bob@example.org", "https://hooks.example.net/"])
SUBSCRIPTIONS = st.builds(
    Subscription,
    name=CALLED,
    to=st.lists(URIS, unique=True, max_size=3).map(tuple),
    watches=st.just("all")
    | st.builds(Selection, group=NAMES)
    | st.builds(Selection, ids=st.lists(IDS, unique=True, min_size=1, max_size=3).map(tuple)),
    when=CONDITIONS,
    deliver=TIMINGS,
    severity=st.dictionaries(st.sampled_from([*KINDS, "site.*"]), SEVERITY, max_size=2),
    quiet=st.none() | st.just(Quiet(from_="22:00", to="07:00", timezone="Europe/Berlin")),
    max_per_hour=st.none() | st.integers(1, 100),
    snooze_until=st.none() | MOMENTS,
    templates=st.none() | TEXTS,
    paused=st.booleans(),
)
SAID = {
    "group": st.none() | NAMES,
    "note": st.none() | TEXTS,
    "paused": st.booleans(),
    "snooze_until": st.none() | MOMENTS,
}
RECORDS = st.builds(Wish, registry=st.just("ctgov"), record_id=IDS, **SAID)  # type: ignore[arg-type]
SEARCHES = st.builds(
    Wish,
    registry=st.just("ctgov"),
    name=CALLED,
    search=st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2),
    **SAID,  # type: ignore[arg-type]
)
ADDRESSES = st.builds(
    AddressTable, uri=st.just(HOOK), owner=st.none() | NAMES, secret=st.none() | st.builds(addresses.new_secret)
)
WATCHLISTS = st.builds(
    Watchlist,
    registry=st.just("ctgov"),
    watches=st.tuples(
        st.lists(RECORDS, unique_by=lambda wish: wish.record_id, max_size=3),
        st.lists(SEARCHES, unique_by=lambda wish: wish.name, max_size=2),
    ).map(lambda both: tuple(both[0] + both[1])),
    subscriptions=st.lists(SUBSCRIPTIONS, unique_by=lambda one: one.name, max_size=3).map(tuple),
    addresses=st.lists(ADDRESSES, max_size=1).map(tuple),
)


@given(WATCHLISTS)
def test_what_is_written_is_read_again(watchlist: Watchlist) -> None:
    assert watchlist_file.read(watchlist_file.written(watchlist), REGISTRY) == watchlist


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(WATCHLISTS)
def test_exporting_what_was_applied_and_applying_it_changes_nothing(
    sqlite_database: Database, watchlist: Watchlist
) -> None:
    put(sqlite_database, watchlist_file.written(watchlist), prune=True)
    assert planned(sqlite_database, watchlist_file.written(watchlist)).to_do(prune=True) == ()

    first = exported(sqlite_database, with_secrets=True)

    assert planned(sqlite_database, first).to_do(prune=True) == ()
    put(sqlite_database, first, prune=True)
    assert exported(sqlite_database, with_secrets=True) == first


def test_a_whole_registry_is_watched_in_one_line(database: Database) -> None:
    everything = '[[watch]]\nall = true\ngroup = "all of it"\n'
    subscribed = f'[[subscription]]\nname = "new"\nto = "{MAIL}"\nwatches = {{ search = "everything" }}\n'
    put(database, everything + subscribed)

    with database.read() as connection:
        (watch,) = watches.listing(connection)
    written = exported(database)

    assert (watch.is_everything, watch.name, watch.group) == (True, "everything", "all of it")
    assert "all = true" in written
    assert planned(database, written).steps == ()


def test_a_search_without_a_parameter_is_no_way_to_say_everything() -> None:
    with pytest.raises(InvalidValue, match="all = true"):
        watchlist_file.read('[[watch]]\nname = "x"\nsearch = {}\n', REGISTRY)
