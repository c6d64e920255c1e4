"""Upkeep from the command line: repack, prune; and every answer about what was pruned says so."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor import audit, copying
from monitor.cli import trialdelta
from monitor.pruning import told_versions
from notifiers import subscriptions
from notifiers.outbox import Delivered
from snapshots import archive
from snapshots.database import Database
from tests.databases import PostgresqlServer
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, Stage, copied, lived_in_file, trial
from tests.notifiers.cast import send_next
from tests.registries import nct

ONE, TWO = nct(1), nct(2)
Run = Callable[..., Result]
ALL = ("archive", "prune", "--all", "--before", "2030-01-01")


def live(stage: Stage) -> None:
    """Two records of five versions each; Alice was told of what became of the second."""
    stage.watch(ONE, TWO)
    only = {"ids": [TWO]}
    stage.subscribe(subscriptions.from_table({"name": "all", "to": ["mailto:alice@example.org"], "watches": only}))
    for number, day in enumerate(DAYS[:5]):
        status = RECRUITING if number % 2 else NOT_YET
        told = RECRUITING if number > 2 else NOT_YET
        stage.day(
            day,
            trial(ONE, status, day, title="A Trial of Tea"),
            trial(TWO, told, day if number > 2 else DAYS[number], title="Bob's Trial"),
        )


lived_in = lived_in_file(live)


@pytest.fixture
def database(lived_in: Path, tmp_path: Path) -> Iterator[Database]:
    yield from copied(lived_in, tmp_path)


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line beside the database, as alice."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getuser", lambda: "alice")
    environ = {"TRIALDELTA_DATABASE_URL": database.url, "NO_COLOR": "1"}

    def invoke(*words: str, exits: int = 0, **other: str) -> Result:
        result = CliRunner(env=environ | other).invoke(trialdelta, list(words))
        assert result.exit_code == exits, result.output
        return result

    return invoke


def of_record(database: Database, record: str = ONE) -> list[archive.VersionInfo]:
    with database.read() as connection:
        return archive.versions(connection, "ctgov", record)


def pruned(database: Database, record: str = ONE) -> list[int]:
    return [each.number for each in of_record(database, record) if each.pruned]


def test_repack_says_before_and_after(run: Run, database: Database) -> None:
    text = run("archive", "repack").stdout
    as_json = json.loads(run("archive", "repack", "--no-vacuum", "--format", "json").stdout)

    assert "each gives its bytes back" in text
    assert "The database's files: " in text
    assert as_json["after"] == as_json["before"] > 0
    assert as_json["file"] is None
    assert run("doctor", "--archive").stdout.count("each byte as it was received") == 1


def test_repack_of_nothing_says_what_to_do(run: Run, tmp_path: Path) -> None:
    nowhere = {"TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}

    assert "trialdelta watch add" in run("archive", "repack", **nowhere).stdout


def test_pruning_needs_a_day_and_records(run: Run) -> None:
    assert "--before" in run("archive", "prune", "--all", exits=2).output
    assert "--all" in run("archive", "prune", "--before", "2026-01-01", exits=2).output
    assert "is no date" in run("archive", "prune", "--all", "--before", "soon", exits=2).output
    assert "nothing is stored" in run("archive", "prune", nct(9), "--before", "2026-01-01", exits=2).output


def test_pruning_says_what_would_go_and_refuses_where_nobody_can_be_asked(run: Run, database: Database) -> None:
    dry = run(*ALL, "--dry-run")
    refused = run(*ALL, exits=2)

    assert "their bytes go, which frees" in dry.stderr
    assert ONE in dry.stderr
    assert "--yes" in refused.stderr
    assert pruned(database) == []


def test_pruning_says_so_where_there_is_nothing_to_prune(run: Run) -> None:
    assert "Nothing to prune" in run("archive", "prune", ONE, "--before", "2001-01-01", "--yes").stderr


def test_pruning_in_json_is_one_value(run: Run, database: Database) -> None:
    plan = json.loads(run(*ALL, "--dry-run", "--format", "json").stdout)
    done = json.loads(run(*ALL, "--yes", "--format", "json").stdout)

    assert plan == {**done, "done": None}
    assert done["done"]["versions"] == [each["number"] for each in plan["versions"]] != []
    assert done["done"]["freed"] == plan["frees"]


def test_what_a_message_tells_of_stays_unless_it_may_go_and_what_is_still_to_be_told_always(
    run: Run, database: Database, lived_in: Path
) -> None:
    with database.read() as connection:
        told = told_versions(connection)
    second = [each.number for each in of_record(database, TWO)]
    assert told & set(second[1:-1])

    run(*ALL, "--yes", "--also-told")
    assert not told & set(pruned(database, TWO))

    now = of_record(database)[-1].observed_at
    assert "nothing" in [send_next(database, Delivered(answer="250 taken"), now) for _ in range(20)]
    run(*ALL, "--yes")
    assert not told & set(pruned(database, TWO))

    run(*ALL, "--yes", "--also-told")
    assert set(pruned(database, TWO)) == set(second[1:-1])


def test_every_answer_says_what_was_pruned_when_and_by_whom(run: Run, database: Database) -> None:
    run(*ALL, "--yes")
    versions = of_record(database)
    gone = pruned(database)
    by = versions[1].pruned
    assert gone == [each.number for each in versions[1:-1]]
    assert by
    assert by.endswith(" by alice")

    assert f"archive no. {gone[0]} was {by}" in run("history", ONE).stdout.replace("\n", " ")
    assert json.loads(run("history", ONE, "--format", "json").stdout)[1]["pruned"]
    assert f"3 versions {by}" in " ".join(run("timeline", ONE).stdout.split())
    assert json.loads(run("timeline", ONE, "--format", "json").stdout)[0]["pruned"] == [f"3 versions {by}"]
    for question in ("slips", "outcomes", "compliance"):
        run(question, ONE)
    on_day = run("show", ONE, "--as-of", str(versions[2].release)[:10])
    assert by in " ".join(on_day.stdout.split())
    assert by in run("show", ONE, "--version", str(gone[0]), exits=2).stderr
    assert by in run("diff", ONE, str(gone[0]), exits=2).stderr
    run("diff", ONE)
    found = run("doctor", "--archive")
    assert f"3 versions {by}" in " ".join(found.stdout.split())
    assert "✗" not in found.stdout
    assert "today's rules say" in run("reclassify", ONE).stderr


def test_an_exported_file_states_the_gap_and_verifies(run: Run, database: Database) -> None:
    run(*ALL, "--yes")
    with database.read() as connection:
        head = archive.chain_head(connection).short

    run("audit", "export", ONE, "--out", "a.zip")
    checked = run("audit", "verify", "a.zip", "--head", head)
    verdict = audit.verify(Path("a.zip"), head)

    assert "the bytes of 3 were pruned" in " ".join(checked.stdout.split())
    assert (verdict.problems, verdict.versions, verdict.pruned, verdict.proven) == ((), 5, 3, 5)


def test_a_copied_database_has_dictionaries_and_gaps(
    run: Run, database: Database, postgresql: PostgresqlServer
) -> None:
    run("archive", "repack")
    run(*ALL, "--yes")

    with postgresql.url(tables=False) as url:
        target = Database(url)
        copying.copy(database, target)
        try:
            assert pruned(target) == pruned(database) != []
            with target.read() as connection:
                assert list(archive.verify_chain(connection)) == []
        finally:
            target.dispose()
