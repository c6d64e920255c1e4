"""The questions of an auditor on the command line: known answers, many trials at once, formats, days without answer."""

import builtins
import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from monitor.as_of import said_on
from monitor.cli import trialdelta
from monitor.cli.output import print_csv
from monitor.questions import QUESTIONS, Wanted, history, recorded
from notifiers import search_members, watches
from notifiers.tables import search_members as members
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive import StepFacts
from snapshots.database import Database
from snapshots.deadlines import verification_lapsed
from snapshots.registries.ctgov.parse import parse
from tests.databases import SqliteFiles
from tests.monitor import courses
from tests.monitor.courses import FORMULA, NOW, RECORD, append, gap, said, seen

TODAY = NOW.date()
OTHER = "NCT99000002"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def template(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the record in it: filled once, copied for each test."""
    folder = tmp_path_factory.mktemp("course")
    database = Database(sqlite_files.url(folder, tables=True))
    with database.write() as connection:
        courses.store(connection)
    database.dispose()
    return folder / "archive.sqlite3"


@pytest.fixture
def stored(template: Path, tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{shutil.copy(template, tmp_path)}")
    yield database
    database.dispose()


@pytest.fixture
def run(stored: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line on the stored record at a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    environ = {"TRIALDELTA_DATABASE_URL": stored.url, "NO_COLOR": "1"}

    def invoke(*words: str, exits: int = 0) -> Result:
        result = CliRunner(env=environ).invoke(trialdelta, list(words))
        assert result.exit_code == exits, result.output
        return result

    return invoke


def asked(run: Run, *words: str) -> Any:
    return json.loads(run(*words, "--format", "json").stdout)


def rows(run: Run, *words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").stdout)))


def put(database: Database, *records: tuple[str, dict[str, Any]]) -> None:
    with database.write() as connection:
        for day, record in records:
            append(connection, seen(record, day))


# --- known answers ---------------------------------------------------------------------------------------------------


def test_timeline_tells_each_period_with_its_length(run: Run) -> None:
    (told,) = asked(run, "timeline", RECORD, "--today", TODAY.isoformat())

    assert [(period["status"], period["days"], period["began_by"]) for period in told["periods"]] == [
        ("NOT_YET_RECRUITING", 69, None),
        ("RECRUITING", 377, "recruitment.opened"),
        ("SUSPENDED", 92, "study.suspended"),
        ("RECRUITING", 943, "recruitment.resumed"),
        ("UNKNOWN", 63, "status.unknown"),
        ("RECRUITING", 63, "status.reverified"),
        ("COMPLETED", 139, "study.completed"),
    ]
    assert told["days_by_status"]["RECRUITING"] == 377 + 943 + 63
    assert told["missing"] == [{"registry_version": 4, "date": "2024-02-01"}]


def test_slips_tell_the_third_delay_and_21_months_in_all(run: Run) -> None:
    told = run("slips", RECORD).stdout
    (answer,) = asked(run, "slips", RECORD)
    closing = answer["slips"][1]

    assert "Primary completion: 3 delays, 638 days (about 21 months) later in all; now" in told
    assert "third delay, +273 days (about 9 months)" in told
    assert "versions just before this one are missing" in told
    assert [move["total_days"] for move in closing["moves"]] == [183, 365, 638, 638]
    assert [move["after_gap"] for move in closing["moves"]] == [False, False, True, False]
    assert (closing["delays"], closing["total_days"]) == (3, 638)


def test_outcomes_tell_a_switch_after_primary_completion(run: Run) -> None:
    (answer,) = asked(run, "outcomes", RECORD)

    assert [(life["first_measure"], life["switched"]) for life in answer["outcomes"]] == [
        ("Pain", True),
        ("Sleep", True),
    ]
    assert [event["what"] for event in answer["outcomes"][0]["events"]] == ["listed", "demoted"]
    assert answer["outcomes"][0]["events"][1]["when"] == "before results"
    assert "● switched after primary completion" in run("outcomes", RECORD).stdout


def test_compliance_names_rule_and_source_and_that_it_is_computed(run: Run) -> None:
    (answer,) = asked(run, "compliance", RECORD, "--today", TODAY.isoformat())
    told = {finding["question"]: finding for finding in answer["findings"]}

    assert answer["computed"] is True
    assert (told["results submitted in time"]["due"], told["results submitted in time"]["days"]) == ("2027-03-20", -118)
    assert told["results in time as trackers count"]["due"] == "2027-04-19"
    assert told["primary completion date updated in time"]["days"] == 12
    assert all(finding["rule"] and finding["source"] for finding in answer["findings"])
    assert "no authority has said any of it" in " ".join(run("compliance", RECORD).stdout.split())


def test_compliance_can_be_counted_to_another_day(run: Run) -> None:
    (answer,) = asked(run, "compliance", RECORD, "--today", "2027-04-20")

    assert [finding["answer"] for finding in answer["findings"][2:4]] == ["no", "no"]


@pytest.mark.parametrize("question", [*QUESTIONS, "history"])
def test_what_a_person_reads_fits_80_columns(run: Run, question: str) -> None:
    lines = run(question, RECORD).stdout.splitlines()

    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("question", [*QUESTIONS, "history"])
def test_what_a_registry_sends_cannot_steer_the_terminal(run: Run, stored: Database, question: str) -> None:
    bell = "\x07bell\x9b"
    dates = dict.fromkeys(("start", "primaryCompletion", "completion"), (bell, bell))
    module = {"whyStopped": bell, "lastKnownStatus": bell}
    hostile = said(bell, bell, record=OTHER, dates=dates, module=module, primary=[bell], count=bell)
    put(stored, ("2026-03-02", said("UNKNOWN", bell, record=OTHER)), ("2026-03-03", hostile))
    put(stored, ("2026-03-04", said("UNKNOWN", bell, record=OTHER, module=module)))

    told = run(question, OTHER, RECORD).stdout

    assert "\x07" not in told
    assert "\x9b" not in told


def test_the_bar_of_the_status_is_as_long_as_the_time(run: Run) -> None:
    bar = run("timeline", RECORD).stdout.partition("Recruitment status\n")[2].splitlines()[0].strip()

    assert re.fullmatch("░+█+▚+█+·+█+▒+", bar)
    assert len(bar) <= 76
    assert bar.count("█") > 5 * bar.count("▚")


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_dates_what_was_filled_in_by_the_registrys_own_date(run: Run) -> None:
    told = asked(run, "history", RECORD, "--kind", "primary_completion_date.*")

    assert [(row["date"], row["dated_by"], row["origin"]) for row in told] == [
        ("2023-05-02", "registry date", "back-filled"),
        ("2023-08-02", "registry date", "back-filled"),
        ("2025-01-02", "registry date", "back-filled"),
        ("2026-05-04", "release", "observed"),
    ]


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("--severity", "critical", "--since", "2026-01-01"), ["primary_outcome.demoted", "primary_outcome.promoted"]),
        (
            ("--family", "recruitment", "--since", "2026-03-02", "--until", "2026-05-04"),
            ["status.reverified", "status.unknown"],
        ),
        (("--family", "Dates", "--kind", "study.*"), []),
        (("--kind", "study.*", "--kind", "status.unknown", "--severity", "minor"), ["status.unknown"]),
    ],
    ids=" ".join,
)
def test_history_is_narrowed_by_kind_severity_family_and_day(
    run: Run, words: tuple[str, ...], kinds: list[str]
) -> None:
    assert sorted({row["kind"] for row in asked(run, "history", RECORD, *words)}) == kinds


def test_a_family_that_is_none_is_an_error_that_lists_them(run: Run) -> None:
    assert "the families are: Recruitment status, Sites" in run("history", RECORD, "--family", "x", exits=2).stderr


def test_a_step_that_finer_ones_cover_is_marked(stored: Database) -> None:
    with stored.write() as connection:
        first, _, third = (version.number for version in archive.versions(connection, "ctgov", RECORD)[:3])
        coarse = StepFacts(registry="ctgov", registry_id=RECORD, from_version=first, to_version=third, observed_at=NOW)
        told = [stored for step in archive.steps(connection, "ctgov", RECORD) for stored in step.changes]
        archive.record_step(connection, coarse, [told[0].change])

        found = history(connection, "ctgov", RECORD, Wanted())

    assert [(each.step.from_version, each.step.to_version) for each in found if each.is_covered] == [(first, third)]


# --- many trials -----------------------------------------------------------------------------------------------------


def test_all_and_groups_ask_for_many_trials_at_once(run: Run, stored: Database) -> None:
    put(stored, ("2026-03-02", said("RECRUITING", "2026-03-01", record=OTHER)))
    with stored.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=OTHER, group="tea"), NOW)

    assert {row["id"] for row in rows(run, "timeline", "--all")} == {RECORD, OTHER}
    assert {row["id"] for row in rows(run, "timeline", "--group", "tea")} == {OTHER}
    assert [told["id"] for told in asked(run, "compliance", OTHER, RECORD)] == [OTHER, RECORD]


def test_a_group_holds_what_its_searches_found(run: Run, stored: Database) -> None:
    search = Wish(registry="ctgov", search={"query.cond": "tea"}, name="teas", group="tea")
    with stored.write() as connection:
        watches.add(connection, search, NOW)
        (watch,) = watches.listing(connection, "tea")
        connection.execute(members.insert().values(watch_id=watch.id, record_id=RECORD, is_found=True))
        assert search_members.of_search(connection, watch.id)

    assert {row["id"] for row in rows(run, "slips", "--group", "tea")} == {RECORD}


def test_a_status_that_lasts_says_when_it_was_last_confirmed(run: Run, stored: Database) -> None:
    with stored.read() as connection:
        known = recorded(connection, "ctgov", RECORD)
    assert known is not None
    assert known.confirmed_on is not None

    said = run("timeline", RECORD, "--today", "2027-01-31").stdout
    same_day = run("timeline", RECORD, "--today", known.confirmed_on.isoformat()).stdout

    assert said.count(f"as last confirmed on {known.confirmed_on}") == 2  # above, and under the period
    assert "as last confirmed" not in same_day


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("slips",), "give the ids of records, or --group NAME, or --all"),
        (("slips", RECORD, "--all"), "give the ids of records, or --group NAME, or --all"),
        (("timeline", "--group", "none"), "nothing is watched in a group 'none'"),
        (("outcomes", "NCT99000009"), "nothing is stored of NCT99000009"),
        (("history", "NCT99000009"), "nothing is stored of NCT99000009"),
        (("compliance", RECORD, "--today", "soon"), "'soon' is no date"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_clear_line(run: Run, words: tuple[str, ...], complaint: str) -> None:
    assert complaint in run(*words, exits=2).stderr


def test_both_databases_answer_alike(database: Database) -> None:
    with database.write() as connection:
        courses.store(connection)
        append(connection, seen(said("RECRUITING", "2026-03-01", record=OTHER), "2026-03-02"))
        known = recorded(connection, "ctgov", RECORD)

        assert archive.stored_ids(connection, "ctgov") == [RECORD, OTHER]
        assert known is not None
        assert [dated.version for dated in known.versions] == list(range(1, 9))
        assert len(history(connection, "ctgov", RECORD, Wanted(severities=frozenset({"critical"})))) == 4


def test_a_merged_records_own_versions_are_not_compared_with_the_others(stored: Database) -> None:
    put(stored, ("2026-08-03", said("RECRUITING", "2026-08-01", record=OTHER, **courses.closing("2031-01"))))
    with stored.write() as connection:
        archive.merge(connection, "ctgov", OTHER, RECORD)
        found = recorded(connection, "ctgov", OTHER)

        assert found is not None
        assert (found.id, len(found.versions)) == (RECORD, 8)
        assert archive.stored_ids(connection, "ctgov") == [RECORD]


# --- formats ---------------------------------------------------------------------------------------------------------

NUMBER = re.compile(r"-?\d+(\.\d+)?")


@pytest.mark.parametrize("question", [*QUESTIONS, "history"])
def test_no_cell_of_a_csv_can_act_as_a_formula(run: Run, question: str) -> None:
    told = rows(run, question, "--all")
    cells = [cell for row in told for cell in row.values()]

    assert {row["title"] for row in told} == {f"'{FORMULA}"}
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell and not NUMBER.fullmatch(cell)] == []


@given(st.text(alphabet=st.sampled_from(list("=+-@\t\r\n＝＋－＠ ab1\",;'")), max_size=8))
def test_any_text_is_harmless_and_readable_again(text: str) -> None:
    command = click.Command("x", callback=lambda: print_csv(("text",), [{"text": text}]) and None)
    out = CliRunner().invoke(command).stdout_bytes.decode()
    found = list(csv.reader(io.StringIO(out, newline="")))
    read = found[1][0] if found[1:] and found[1] else ""

    assert len(found) <= 2
    assert read in (text, f"'{text}")
    assert not read.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


def test_parquet_without_its_extra_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def importing(name: str, *others: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return known(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", importing)

    assert "pip install 'trialdelta[parquet]'" in run("slips", "--all", "--format", "parquet", exits=2).stderr


def test_parquet_holds_the_rows_in_types_that_do_not_depend_on_them(run: Run) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed here")
    for question in (*QUESTIONS, "history"):
        told = parquet.read_table(io.BytesIO(run(question, "--all", "--format", "parquet").stdout_bytes))

        assert told.num_rows == len(rows(run, question, "--all"))
        assert {str(told.schema.field(name).type) for name in told.column_names} <= {"string", "int64", "bool"}


# --- what it said on a day -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "answer", "version", "dated_by"),
    [
        ("2021-12-31", "not registered yet", None, None),
        ("2022-02-10", "stood", 1, "registry date"),
        ("2022-04-19", "stood", 1, "registry date"),
        ("2024-01-31", "stood", 4, "registry date"),
        ("2024-02-01", "in a gap", 4, "registry date"),
        ("2025-01-02", "stood", 5, "registry date"),
        ("2026-03-02", "stood", 6, "release"),
        ("2999-01-01", "ahead", 8, "release"),
    ],
)
def test_each_day_has_an_answer_and_says_by_which_date(
    run: Run, day: str, answer: str, version: int | None, dated_by: str | None
) -> None:
    told = asked(run, "show", RECORD, "--as-of", day)

    assert (told["as_of"]["answer"], told["version"], told["as_of"]["dated_by"]) == (answer, version, dated_by)
    assert told["as_of"]["sentence"] in " ".join(run("show", RECORD, "--as-of", day).stdout.split())


def test_a_day_after_withholding_names_the_last_version_that_was_shown(run: Run, stored: Database) -> None:
    put(stored, ("2026-09-01", said("WITHHELD", "2026-08-31")))
    told = asked(run, "show", RECORD, "--as-of", "2026-10-01")["as_of"]

    assert (told["answer"], told["last_shown"]) == ("withheld", 8)
    shown = "version 8 of 9 (archive no. 8) is the last that it showed"
    assert f"the registry showed nothing of it; {shown}" in told["sentence"]


def test_a_day_on_which_the_registry_did_not_answer_any_more_says_so(stored: Database) -> None:
    with stored.write() as connection:
        for release in ("2026-09-01T09:00:05", "2026-09-02T09:00:05"):
            archive.note_absent(connection, "ctgov", RECORD, release)

        before, after = (said_on(connection, "ctgov", RECORD, day, TODAY) for day in ("2026-08-31", "2026-09-02"))

    assert before is not None
    assert after is not None
    assert (before.answer, after.answer) == ("not confirmed", "missing")


def test_a_day_before_what_is_stored_of_a_registered_study_says_how_to_get_it(run: Run, stored: Database) -> None:
    put(stored, ("2026-03-02", said("RECRUITING", "2026-03-01", record=OTHER)))

    told = asked(run, "show", OTHER, "--as-of", "2025-01-01")

    assert told["as_of"]["answer"] == "before what is stored"
    assert f"trialdelta backfill {OTHER}" in told["as_of"]["sentence"]
    assert told["record"] is None


def test_a_gap_after_the_newest_version_counts_too(stored: Database) -> None:
    with stored.write() as connection:
        archive.note_gap(connection, gap(9, "2026-10-01"))

        days = ("2026-09-30", "2026-10-01")
        found = [said_on(connection, "ctgov", RECORD, day, TODAY) for day in days]

    assert [each and each.answer for each in found] == ["not confirmed", "in a gap"]


def test_a_gap_in_the_registrys_count_ends_the_certainty_of_what_follows(stored: Database) -> None:
    with stored.read() as connection:
        known = recorded(connection, "ctgov", RECORD)

    assert known is not None
    assert [dated.gap for dated in known.versions] == [0, 0, 0, 0, 1, 0, 0, 0]


def test_raw_bytes_come_with_a_word_on_stderr_where_they_are_not_sure(run: Run) -> None:
    sure, unsure = (run("show", RECORD, "--as-of", day, "--format", "raw") for day in ("2024-01-31", "2024-02-01"))

    assert json.loads(sure.stdout) == json.loads(unsure.stdout)
    assert sure.stderr == ""
    assert "could not be had" in unsure.stderr
    assert "Not registered yet" in run("show", RECORD, "--as-of", "2020-01-01", "--format", "raw", exits=2).stderr


@pytest.mark.parametrize("number", ["x", "2026-03-02", "99"])
def test_a_version_that_is_none_is_one_clear_line(run: Run, number: str) -> None:
    assert number in run("show", RECORD, "--version", number, exits=2).stderr


def test_any_two_days_can_be_compared(run: Run) -> None:
    told = run("diff", RECORD, "2022-02-10", "2026-03-02", "--format", "json")

    assert "status.unknown" in {change["kind"] for change in json.loads(told.stdout)}
    older = "version 1 of 8 (registry date 2022-02-10, no. 1 at the registry, archive no. 1)"
    assert f"From {older} to version 6 of 8 (release 2026-03-02, archive no. 6):" in told.stderr
    assert "could not be had" in run("diff", RECORD, "2024-02-01").stderr
    assert "Not registered yet" in run("diff", RECORD, "2020-01-01", exits=2).stderr


# --- real records ----------------------------------------------------------------------------------------------------


@pytest.mark.real_records
def test_the_rule_of_the_unknown_status_is_the_registrys(real_releases: list[tuple[str, dict[str, Any]]]) -> None:
    ongoing = {"RECRUITING", "NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING", "ENROLLING_BY_INVITATION"}
    seen = 0
    for release, studies in real_releases:
        for trial in (parse(raw) for raw in list(studies.values())[::3]):
            if trial.overall_status in ongoing:
                seen += 1
                assert verification_lapsed(trial, date.fromisoformat(release[:10])).answer != "no", trial.id

    assert seen > 500
