"""Auditing from the command line: export, verify, and from a mail back to what it told of."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import trialdelta
from notifiers import ledger, subscriptions
from notifiers.acknowledgements import acknowledge
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, copied, lived_in_file, trial
from tests.registries import nct

ONE = nct(1)
Run = Callable[..., Result]


def live(stage: Stage) -> None:
    """One record that changed once, of which Alice is to be told."""
    stage.watch(ONE)
    stage.subscribe(subscriptions.from_table({"name": "all", "to": ["mailto:alice@example.org"], "watches": "all"}))
    stage.day(DAYS[0], trial(ONE, title="A Trial of Tea"))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1], title="A Trial of Tea"))


lived_in = lived_in_file(live)


@pytest.fixture
def database(lived_in: Path, tmp_path: Path) -> Iterator[Database]:
    yield from copied(lived_in, tmp_path)


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line beside the database."""
    monkeypatch.chdir(tmp_path)
    environ = {"TRIALDELTA_DATABASE_URL": database.url, "NO_COLOR": "1"}

    def invoke(*words: str, exits: int = 0, **other: str) -> Result:
        result = CliRunner(env=environ | other).invoke(trialdelta, list(words))
        assert result.exit_code == exits, result.output
        return result

    return invoke


def test_what_is_exported_can_be_checked_where_there_is_no_database(run: Run, tmp_path: Path) -> None:
    told = run("audit", "export", ONE, "--out", "a.zip")
    head = told.stdout.split("head ")[1][:12]

    nowhere = {"TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/nothing/here.sqlite3"}
    checked = run("audit", "verify", "a.zip", "--head", head, **nowhere)

    assert "Addresses are hashed" in told.stderr
    assert "holds together" in checked.stdout
    assert "all versions are as they were" in checked.stdout
    assert not (tmp_path / "nothing").exists()


def test_what_does_not_fit_ends_with_exit_2_and_says_what(run: Run, tmp_path: Path) -> None:
    run("audit", "export", ONE, "--out", "a.zip", "--with-addresses")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"A Trial of Tea")] ^= 1
    (tmp_path / "b.zip").write_bytes(content)

    assert "report.html: its content is damaged" in run("audit", "verify", "b.zip", exits=2).stdout
    verdict = json.loads(run("audit", "verify", "b.zip", "--format", "json", exits=2).stdout)
    assert verdict["problems"]
    assert "is none that the chain had" in " ".join(
        run("audit", "verify", "a.zip", "--head", "0" * 12, exits=2).stdout.split()
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit", "export", nct(404), "--out", "x.zip"), "nothing is stored of"),
        (("audit", "export", ONE, "--out", "."), "exists already"),
        (("audit", "export", ONE, "--out", "no/such/folder/x.zip"), "cannot be written"),
        (("audit", "verify", "a.zip", "--head", "hello"), "not the head of an archive"),
    ],
)
def test_wrong_use_is_one_clear_line(run: Run, words: tuple[str, ...], said: str) -> None:
    result = run(*words, exits=2)

    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_mails_id_tells_what_it_told_of_and_between_which_versions(run: Run, database: Database) -> None:
    with database.read() as connection:
        (entry,) = ledger.of_record(connection, "ctgov", ONE)

    by_id = run("deliveries", "show", entry.delivery_id).stdout
    by_mail = run("deliveries", "show", f"<{entry.delivery_id}@example.org>").stdout

    assert by_id == by_mail
    assert "archive no. 1 to 2" in by_id
    assert "Site recruiting" in by_id


def test_a_change_leads_to_its_deliveries_their_attempts_and_who_acknowledged_them(
    run: Run, database: Database
) -> None:
    with database.write() as connection:
        (entry,) = ledger.of_record(connection, "ctgov", ONE)
        acknowledge(connection, entry.delivery_id, "Alice", entry.created_at)
    change = str(entry.change_ids[0])

    by_change = json.loads(run("deliveries", "list", "--change", change, "--format", "json").stdout)
    by_record = json.loads(run("deliveries", "list", "--record", ONE, "--format", "json").stdout)

    assert by_change == by_record
    assert [(one["id"], one["acknowledged_by"]) for one in by_change] == [(entry.delivery_id, "Alice")]
    assert "seen by Alice" in run("deliveries", "show", entry.delivery_id).stdout
    assert json.loads(run("deliveries", "list", "--change", "999999", "--format", "json").stdout) == []
    assert json.loads(run("deliveries", "list", "--record", "NCT99999999", "--format", "json").stdout) == []


def test_the_archive_is_checked_by_the_doctor(run: Run, database: Database) -> None:
    assert "each byte as it was received" in " ".join(run("doctor", "--archive").stdout.split())
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE versions SET release = '2020-01-01' WHERE number = 1")

    assert "append 1" in run("doctor", "--archive", exits=2).stdout


def test_a_database_is_copied_by_one_command(run: Run, tmp_path: Path) -> None:
    said = run("db", "copy", f"sqlite:///{tmp_path}/other.sqlite3").stdout

    assert "the same in both" in said
    assert "is not empty" in run("db", "copy", f"sqlite:///{tmp_path}/other.sqlite3", exits=2).stderr
