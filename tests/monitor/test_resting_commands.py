"""Commands that let things rest, lay messages out, ask addresses and send again: what they say, print and keep."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.program import trialdelta
from monitor.demo.sinks import MailSink
from notifiers import confirmations
from snapshots.database import Database

ANN = "mailto:ann@example.org"


@pytest.fixture
def mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSink]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIALDELTA_DATABASE_URL", f"sqlite:///{tmp_path}/own.sqlite3")
    monkeypatch.setenv("TRIALDELTA_MAIL_FROM", "alerts@example.org")
    with MailSink() as running:
        monkeypatch.setenv("TRIALDELTA_SMTP_URL", running.url)
        yield running


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(trialdelta, list(words))
    assert result.exit_code == code, result.output
    return result


def one_line(result: Result) -> str:
    (line,) = result.stderr.strip().splitlines()
    return line


def subscription(name: str = "ours") -> dict[str, object]:
    return json.loads(run("subscription", "show", name, "--format", "json").stdout)  # type: ignore[no-any-return]


def test_a_subscription_is_paused_snoozed_and_resumed_with_author_and_reason(mail: MailSink) -> None:
    run("subscription", "add", "ours", "--to", ANN)

    run("subscription", "pause", "ours", "--by", "ann", "--reason", "holidays")
    assert "paused, by ann: holidays" in run("subscription", "list").stdout
    said = run("subscription", "snooze", "ours", "--until", "2999-01-01", "--until-critical", "--by", "bob").stdout
    assert "snoozed until 1 January 2999, 00:00 UTC or the next critical change, by bob" in said
    assert subscription()["snooze_until_critical"] is True
    assert run("subscription", "resume", "ours").stdout == "ours is awake\n"
    assert {"paused", "snooze_until", "silenced_by"}.isdisjoint(subscription())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("pause", "none"), "there is no subscription 'none'"),
        (("snooze", "ours", "--until", "2020-01-01"), "--until: 2020-01-01 is past"),
        (("snooze", "ours", "--until", "soon"), "is no date"),
    ],
)
def test_what_cannot_rest_so_is_said_in_one_line(mail: MailSink, words: tuple[str, ...], complaint: str) -> None:
    run("subscription", "add", "ours", "--to", ANN)

    assert complaint in one_line(run("subscription", *words, code=2))


def test_a_snooze_without_an_end_is_wrong_use(mail: MailSink) -> None:
    assert "say until when" in run("subscription", "snooze", "ours", code=2).stderr


def test_the_help_of_pause_says_that_it_has_no_date_and_what_has(mail: MailSink) -> None:
    said = " ".join(run("subscription", "pause", "--help").stdout.split())

    assert "a pause has no date" in said and "is not told later" in said and "use snooze" in said


def test_templates_are_copied_checked_and_shown(mail: MailSink, tmp_path: Path) -> None:
    folder = tmp_path / "ours"

    assert "trial.changed/subject.txt" in run("templates", "copy", str(folder)).stdout
    assert "can be used for" in run("templates", "check", str(folder)).stdout
    run("templates", "preview", str(folder), "--type", "digest", "--to", "digest.html")
    assert "<html" in (tmp_path / "digest.html").read_text()
    assert "not empty" in one_line(run("templates", "copy", str(folder), code=2))
    (folder / "trial.changed" / "subject.txt").write_text("{{ oh.no() }}")
    assert "subject.txt" in one_line(run("templates", "check", str(folder), code=2))
    assert "neither a folder nor" in one_line(run("templates", "preview", "none", code=2))
    assert "no type of message" in one_line(run("templates", "preview", "--type", "none", code=2))


def test_a_new_address_is_asked_first_and_a_test_says_that_it_waits(mail: MailSink, tmp_path: Path) -> None:
    run("db", "upgrade")
    with Database(f"sqlite:///{tmp_path}/own.sqlite3").write() as connection:
        confirmations.require(connection, True, datetime.now(UTC))
    run("subscription", "add", "ours", "--to", ANN)

    waits = run("subscription", "test", "ours", code=2)
    assert f"{ANN}: waits until it confirms that it wants mails (asked" in " ".join(waits.stderr.split())
    assert "not tried yet" not in waits.stderr
    assert [letter.subject for letter in mail.letters if "est" in letter.subject.split()[0]] == []
    assert "is asked by dlv_" in run("address", "ask", ANN).stdout
    assert run("address", "confirm", ANN).stdout == f"{ANN}: confirmed\n"
    assert "needs no confirmation" in run("address", "ask", ANN).stdout
    assert "delivered" in run("subscription", "test", "ours").stderr
    assert "there is no address" in one_line(run("address", "confirm", "mailto:none@example.org", code=2))


def test_what_was_delivered_is_retried_and_replayed_and_json_stands_alone(mail: MailSink) -> None:
    run("subscription", "add", "ours", "--to", ANN)
    run("subscription", "test", "ours")
    (entry,) = json.loads(run("deliveries", "list", "--format", "json").stdout)

    retried = json.loads(run("deliveries", "retry", entry["id"], "--format", "json").stdout)
    replayed = json.loads(run("deliveries", "replay", "--since", "2020-01-01", "--yes", "--format", "json").stdout)

    assert retried["id"] == entry["id"]
    assert replayed == {"due_again": [entry["id"]]}
    assert "there is no delivery" in one_line(run("deliveries", "retry", "dlv_none", code=2))
    assert "--since" in one_line(run("deliveries", "replay", "--since", "soon", code=2))
