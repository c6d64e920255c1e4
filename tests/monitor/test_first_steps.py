"""What a newcomer does wrong in the first hour is said at once, with what to type; and nothing is said in JSON."""

import ast
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest
from click.testing import CliRunner, Result

from monitor.cli import trialdelta
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.findings import Finding, worst_first
from monitor.outstanding import outstanding
from monitor.settings import SETTINGS
from monitor.subscribed import asked_in_vain, waiting
from notifiers import addresses, ledger, outbox
from notifiers.calendar import Quiet
from notifiers.channels import DeliverySettings
from notifiers.conditions import Conditions
from notifiers.deliver import deliver_due
from notifiers.subscriptions import Selection, Subscription
from notifiers.watches import Wish, add, remove
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, trial
from tests.registries import nct

ROOT = Path(__file__).parents[2]
ONE, TWO = nct(1), nct(2)
ALICE = "mailto:alice@example.org"
ALL = Subscription(name="all", to=(ALICE,))
COMMAND = re.compile(r"`(?:trialdelta|export|unset|pip|curl|timedatectl|df)\b[^`]+`")

Run = Callable[..., Result]


@pytest.fixture
def environ(tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    standin.publish(DAYS[0], {ONE: trial(ONE)})
    return {
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/first.sqlite3",
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
    }


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    def invoke(*arguments: str, exits: int = 0) -> Result:
        done = CliRunner(env=environ).invoke(trialdelta, list(arguments))
        assert done.exit_code == exits, done.stderr
        return done

    return invoke


def in_one_line(text: str) -> str:
    return " ".join(text.split())


# --- mail without a server --------------------------------------------------------------------------------------------


def test_who_subscribes_a_mail_address_without_a_mail_server_is_warned_at_once_and_told_what_to_type(run: Run) -> None:
    said = run("subscription", "add", "all", "--to", ALICE).stderr

    assert "no mail server is set, so no mail can leave" in said
    assert "`export TRIALDELTA_SMTP_URL=smtp://user:password@mail.example.org:587`" in said


def test_doctor_calls_it_a_failure_once_somebody_is_subscribed_by_mail(run: Run) -> None:
    before = run("doctor", "--quick").stdout
    run("subscription", "add", "all", "--to", ALICE)
    after = in_one_line(run("doctor", "--quick", exits=2).stdout)

    assert "• mail: no mail server is set" in before
    assert "✗ mail: 1 mail address is subscribed, but no mail server is set" in after
    assert "`export TRIALDELTA_SMTP_URL=smtp://user:password@mail.example.org:587`" in after


def test_web_addresses_need_no_mail_server(run: Run) -> None:
    said = run("subscription", "add", "all", "--to", "https://hooks.example.org/x").stderr

    assert "mail server" not in said


# --- what nobody watches ----------------------------------------------------------------------------------------------


def test_a_group_that_was_mistyped_is_noted_with_the_one_that_was_meant(run: Run) -> None:
    run("watch", "add", ONE, "--group", "kidney")

    said = run("subscription", "add", "all", "--to", ALICE, "--group", "kidny").stderr

    assert "nothing is watched in group 'kidny'; did you mean 'kidney'?" in said


def test_who_subscribes_before_anything_is_watched_is_told_how_to_begin(run: Run) -> None:
    said = run("subscription", "add", "all", "--to", ALICE).stderr

    assert "nothing is watched yet; `trialdelta watch add NCT01234567` begins" in said


def test_doctor_names_conditions_that_never_hold_and_countries_that_may_not_be(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(ONE)
    never = Conditions(kinds=("site.recruiting",), becomes=("TERMINATED",))
    stage.subscribe(Subscription(name="never", to=(ALICE,), when=never))
    stage.subscribe(Subscription(name="sunk", to=(ALICE,), when=Conditions(countries=("Atlantis",))))

    with sqlite_database.read() as connection:
        found = list(asked_in_vain(connection))

    assert [(each.verdict, each.found.partition(":")[0]) for each in found] == [("failure", "never"), ("note", "sunk")]
    assert all(COMMAND.search(each.advice) for each in found)


def test_a_dry_run_notes_what_a_subscription_asks_in_vain(run: Run) -> None:
    run("watch", "add", ONE, "--group", "kidney")

    said = run("subscription", "add", "all", "--to", ALICE, "--group", "kidny", "--dry-run").stderr

    assert "Note: subscription 'all': nothing is watched in group 'kidny'; did you mean 'kidney'?" in in_one_line(said)


def test_doctor_names_the_subscriptions_that_ask_in_vain(sqlite_database: Database, standin: StandIn) -> None:
    stage = Stage(sqlite_database, standin)
    with sqlite_database.write() as connection:
        add(connection, Wish(registry="ctgov", record_id=ONE, group="kidney"), stage.now)
    stage.subscribe(ALL)
    stage.subscribe(Subscription(name="typo", to=(ALICE,), watches=Selection(group="kidny")))
    stage.subscribe(Subscription(name="gone", to=(ALICE,), watches=Selection(ids=(TWO,))))
    with sqlite_database.write() as connection:
        add(connection, Wish(registry="ctgov", name="tea", search={"query.cond": "Tea"}), stage.now)
    stage.subscribe(Subscription(name="left", to=(ALICE,), watches=Selection(search="tea")))
    with sqlite_database.write() as connection:
        remove(connection, "ctgov", ["tea"])
        found = list(asked_in_vain(connection))

    assert [each.verdict for each in found] == ["failure", "failure", "failure"]
    assert found.pop(1).found.startswith("left: no saved search is called 'tea'")
    assert found[0].found.startswith(f"gone: {TWO} is not watched")
    assert found[1].found == "typo: nothing is watched in group 'kidny'; did you mean 'kidney'?"
    assert all(COMMAND.search(each.advice) for each in found)


def test_an_id_that_the_registry_does_not_know_is_told_as_that(run: Run) -> None:
    run("watch", "add", TWO)

    checked = in_one_line(run("check").stderr)
    examined = in_one_line(run("doctor", exits=2).stdout)

    for said in (checked, examined):
        assert f"the registry lists no record {TWO} (asked 20" in said
        assert f"`trialdelta watch remove {TWO}` stops watching it" in said
        assert "not checked since" not in said


# --- what waits to be sent --------------------------------------------------------------------------------------------


@pytest.fixture
def due(sqlite_database: Database, standin: StandIn) -> Stage:
    stage = Stage(sqlite_database, standin)
    stage.watch(ONE)
    stage.subscribe(ALL)
    stage.day(DAYS[0], trial(ONE))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))
    return stage


def refused(database: Database, now: object) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    conf = DeliverySettings(smtp_url=f"smtp://127.0.0.1:{port}?starttls=never", mail_from="alerts@example.org")
    deliver_due(database, conf, "test", lambda: now, Random(1))  # type: ignore[arg-type, return-value]


def found_at(stage: Stage, **later: int) -> Finding:
    now = stage.now + timedelta(**later)
    with stage.database.read() as connection:
        return waiting(outstanding(connection, now), (), now)


def test_what_was_put_off_is_not_called_due_but_said_with_its_answer_and_its_next_try(due: Stage) -> None:
    refused(due.database, due.now)

    found = found_at(due, minutes=3)

    assert found.verdict == "note"
    assert "oldest due" not in found.found
    assert found.found.startswith(
        "1 to be sent; 1 tried in vain and put off, the oldest meant to be sent 3 minutes ago"
    )
    assert "and answered: mail server at connect" in found.found
    assert found.found.endswith("the next try is in 2 minutes")


def test_what_was_tried_in_vain_for_an_hour_is_a_failure(due: Stage) -> None:
    for minutes in range(0, 70, 6):
        refused(due.database, due.now + timedelta(minutes=minutes))

    found = found_at(due, minutes=67)

    assert found.verdict == "failure"
    assert "`trialdelta deliveries retry ID`" in found.advice


def test_what_waits_for_quiet_hours_is_neither_due_nor_a_failure(sqlite_database: Database, standin: StandIn) -> None:
    stage = Stage(sqlite_database, standin)
    quiet = msgspec.convert({"from": "13:00", "to": "23:00"}, Quiet)
    stage.watch(ONE)
    stage.subscribe(Subscription(name="all", to=(ALICE,), quiet=quiet))
    stage.day(DAYS[0], trial(ONE))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))

    found = found_at(stage, hours=2)

    assert found == Finding("deliveries", "ok", "1 to be sent; 1 waits for its time, the first comes in 7 hours")


def test_what_waits_for_an_address_that_is_off_is_not_due(due: Stage) -> None:
    with due.database.write() as connection:
        addresses.switch(connection, ALICE, "off", "gone", due.now)

    assert found_at(due, hours=30) == Finding("deliveries", "ok", "1 to be sent")


# --- a test message ---------------------------------------------------------------------------------------------------


def test_a_test_that_fails_is_over_and_does_not_arrive_later(run: Run, environ: dict[str, str]) -> None:
    run("subscription", "add", "all", "--to", ALICE)

    failed = run("subscription", "test", "all", exits=2).stderr
    with MailSink() as mail:
        environ |= {"TRIALDELTA_SMTP_URL": mail.url, "TRIALDELTA_MAIL_FROM": "alerts@example.org"}
        run("check", "--deliver")
        later = len(mail.letters)
        run("subscription", "test", "all")

    assert f"{ALICE}: failed: mail cannot be sent: TRIALDELTA_SMTP_URL is not set (a test is tried once" in failed
    assert (later, len(mail.letters)) == (0, 1)


def test_an_address_that_was_off_is_off_again_when_its_test_fails(due: Stage) -> None:
    with due.database.write() as connection:
        addresses.switch(connection, ALICE, "off", "no such mailbox", due.now)
        (test,) = outbox.enqueue_test(connection, "all", due.now)
    refused(due.database, due.now)

    with due.database.read() as connection:
        entry, alice = ledger.show(connection, test), addresses.find(connection, ALICE, due.now)
    assert entry is not None and alice is not None
    assert (entry.state, entry.due_at) == ("failed", None)
    assert (alice.state, alice.state_reason) == ("off", "no such mailbox")


# --- how it is said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("subscription", "test", "all"), ("check", "--deliver")])
def test_a_command_says_what_failed_in_words_and_logs_no_json(run: Run, standin: StandIn, command: tuple[str]) -> None:
    run("watch", "add", ONE)
    run("check")
    run("subscription", "add", "all", "--to", ALICE)
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, DAYS[1])})

    result = run(*command, exits=2 if "test" in command else 0)

    assert "mail cannot be sent: TRIALDELTA_SMTP_URL is not set" in result.stderr
    assert result.stderr.count(f"{ALICE}") == 1
    assert "{" not in result.stderr


def test_what_went_wrong_inside_a_command_is_one_plain_line(tmp_path: Path) -> None:
    program = (
        "from monitor import logging\nimport structlog\n"
        "logging.configure('person', 'error')\nlog = structlog.get_logger()\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: log.exception('a record could not be compared', record='NCT99000001')\n"
        "log.error('not delivered', delivery='dlv_1')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stderr == (
        "trialdelta: a record could not be compared (record NCT99000001): ZeroDivisionError: division by zero\n"
    )


def test_doctor_prints_what_needs_somebody_first_and_how_much_there_is_last(run: Run) -> None:
    run("subscription", "add", "all", "--to", ALICE)

    result = run("doctor", "--quick", exits=2)

    signs = re.findall(r"^([✗•✓]) ", result.stdout, re.MULTILINE)
    assert signs == sorted(signs, key="✗•✓".index)
    assert set(signs) == set("✗•✓")
    assert re.search(r"2 need you \(✗, above\); \d+ to know \(•\)\.", result.stderr)


def test_every_finding_that_is_not_well_comes_with_a_command_to_copy(
    sqlite_database: Database, standin: StandIn, tmp_path: Path
) -> None:
    from monitor.doctor import examine
    from monitor.settings import load

    stage = Stage(sqlite_database, standin)
    stage.watch(ONE, TWO)
    stage.subscribe(Subscription(name="typo", to=(ALICE,), watches=Selection(group="kidny")))
    stage.day(DAYS[0], trial(ONE))
    given = {
        "TRIALDELTA_DATABASE_URL": sqlite_database.url,
        "TRIALDELTA_CTGOV_URL": "http://127.0.0.1:9",
        "TRIALDELTA_SMTP_URL": "smtp://127.0.0.1:9",
        "TRIALDELTA_MAIL_FROM": "alerts@example.org",
    }
    found = list(examine(load(given, tmp_path / "no.env"), at(DAYS[4])))
    wrong = [each for each in found if each.verdict != "ok"]
    assert {"registry", "mail", "record", "subscription", "operator", "base url"} <= {each.check for each in wrong}
    assert [each for each in wrong if not COMMAND.search(each.advice)] == []
    assert worst_first(found)[0].verdict == "failure"


NAMES = [setting.name for setting in SETTINGS if "_" in setting.name]


def texts(path: Path) -> Iterator[str]:
    """The string constants of a module that users may read: not docstrings, but the help of commands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    is_command = "cli" in path.parts
    docs = {
        id(getattr(node.body[0], "value", None))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and _documented(node)
    }
    loose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_read = id(node) not in loose or (is_command and id(node) in docs)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_read:
            yield node.value


def _documented(node: ast.FunctionDef) -> bool:
    """Whether it is a command, whose docstring is its help."""
    return bool(node.decorator_list) and ast.get_docstring(node) is not None


def test_a_message_names_a_setting_as_it_must_be_typed() -> None:
    bare = re.compile(rf"(?<![A-Z_])(?:{'|'.join(NAMES)})\b")
    found = [
        f"{path.relative_to(ROOT)}: {text[:80]}"
        for package in ("snapshots", "notifiers", "monitor")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.relative_to(ROOT) != Path("monitor/settings.py")
        for text in texts(path)
        if bare.search(text) and text not in NAMES
    ]

    assert found == []
