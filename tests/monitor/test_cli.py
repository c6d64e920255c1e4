"""The command line: what people and their scripts rely on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from monitor.cli import trialdelta
from monitor.cli.program import COMMANDS
from monitor.demo.sinks import MailSink
from monitor.demo.standin import Fault, StandIn
from notifiers import addresses
from snapshots import archive
from snapshots.database import Database
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, at, trial
from tests.registries import nct

ROOT = Path(__file__).parents[2]
ONE, TWO = nct(1), nct(2)

Run = Callable[..., Result]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def environ(tmp_path: Path, standin: StandIn) -> dict[str, str]:
    return {
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'trialdelta.sqlite3'}",
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
        "NO_COLOR": "1",
    }


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line in an empty folder; the exit code must be the one expected."""
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, exits: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner(env=environ).invoke(trialdelta, list(words), input=stdin)
        assert result.exit_code == exits, result.output
        return result

    return invoke


@pytest.fixture
def changed(run: Run, standin: StandIn) -> Run:
    """A record with a baseline and one change."""
    standin.publish(DAYS[0], {ONE: trial(ONE, title="A Trial of Tea")})
    run("watch", "add", ONE)
    run("check")
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, "2026-03-02", title="A Trial of Tea")})
    run("check")
    return run


def written(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def said(result: Result) -> Any:
    """What stands on stdout, which is JSON and nothing else."""
    return json.loads(result.stdout)


# --- the program as a whole ----------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, ...]]:
    def below(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from below(found, (*path, name))

    return (path for path in below(trialdelta, ()) if path)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...], run: Run) -> None:
    told = run(*path, "--help").output

    assert "\n  Example:\n    trialdelta " in told  # on lines of its own, as it is to be typed
    assert f"trialdelta {path[0]}" in told


def test_the_overview_names_every_command(run: Run) -> None:
    told = run("--help").output

    assert all(f"\n  {name} " in told for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("check", "--nonsense"), "No such option"),
        (("watch", "add"), "give ids, or --search"),
        (("watch", "add", "NCT1"), "not a ClinicalTrials.gov id: 'NCT1'"),
        (("watch", "add", "--search", "query.cond=x", "--name", "nct01234567"), "'nct01234567' reads as a record's id"),
        (("watch", "add", "--search", "query.cond=x", "--name", ".."), "'..' is no name"),
        (("subscription", "add", "a\nb", "--to", "mailto:a@example.org", "--yes"), "'a b' holds a line break"),
        (("watch", "add", "--search", "query.nope=x", "--name", "n"), "'query.nope' is no search parameter"),
        (("watch", "remove", ONE), f"{ONE}: not watched"),
        (("watch", "snooze", ONE, "--until", "soon"), "--until: 'soon' is no date"),
        (("watch", "import", "none.csv"), "none.csv cannot be read: No such file or directory"),
        (("history", ONE), f"nothing is stored of {ONE}: run `trialdelta watch add {ONE}`"),
        (("history", ONE, "--kind", "site.recruitin"), "did you mean 'site.recruiting'"),
        (("history", ONE, "--since", "yesterday"), "'yesterday' is no date"),
        (("show", ONE, "--as-of", "2026-03-01", "--version", "1"), "exclude each other"),
        (("check", ONE), f"{ONE} is not watched; to watch it: trialdelta watch add {ONE}"),
        (("diff", "a.json", "b.json"), "a.json cannot be read"),
        (("diff",), "give a record's id, or two files, or --batch"),
        (("subscription", "show", "none"), "there is no subscription 'none'"),
        (("subscription", "add", "x", "--to", "me"), "to: 'me' is no address that can be told"),
        (("subscription", "add", "x", "--to", "mailto:a@example.org", "--near", "1,2"), "--near is written"),
        (("subscription", "add", "x", "--to", "http://example.org"), "http://example.org"),
        (("apply", "none.toml"), "none.toml cannot be read"),
        (("digest", "preview", "none"), "there is no subscription 'none'"),
        (("deliveries", "show", "none"), "there is no delivery 'none'"),
        (("deliveries", "list", "--since", "soon"), "'soon' is no date"),
        (("db", "restore", "none"), "none is no file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_clear_line_and_exit_2(words: tuple[str, ...], complaint: str, run: Run) -> None:
    result = run(*words, exits=2)

    assert complaint in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_a_wrong_setting_is_one_clear_line(run: Run, environ: dict[str, str]) -> None:
    environ["TRIALDELTA_PORT"] = "many"

    result = run("watch", "list", exits=2)

    assert result.stderr == "Error: TRIALDELTA_PORT='many' (environment): expected a port number from 1 to 65535\n"


def test_an_unexpected_failure_shows_no_traceback_unless_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug\nin two lines")

    monkeypatch.setattr("notifiers.watches.listing", broken)

    plain, debug = run("watch", "list", exits=2), run("--debug", "watch", "list", exits=2)

    assert plain.stderr == ("Error: unexpected ZeroDivisionError: a bug in two lines (details: trialdelta --debug …)\n")
    assert "Traceback" in debug.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_without_standard_streams_it_still_works(closed: str, environ: dict[str, str]) -> None:
    command = f"{sys.executable} -m monitor watch list {closed}"

    ended = subprocess.run(command, shell=True, cwd=ROOT, env={**os.environ, **environ}, timeout=60, check=False)

    assert ended.returncode == 0


def test_as_a_process_it_is_quick_about_its_version_and_colourless_in_a_pipe(environ: dict[str, str]) -> None:
    del environ["NO_COLOR"]
    begun = [sys.executable, "-X", "importtime", "-m", "monitor", "--version"]

    version = subprocess.run(begun, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=True)
    kinds = subprocess.run(
        [sys.executable, "-m", "monitor", "kinds"],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )

    assert version.stdout.startswith("trialdelta, version ")
    assert not {"sqlalchemy", "httpx2", "deepdiff", "jinja2"} & {
        line.split("|")[-1].strip() for line in version.stderr.splitlines()
    }
    assert "\x1b" not in kinds.stdout
    assert "site.recruiting" in kinds.stdout


# --- watching and looking ----------------------------------------------------------------------------------------


def test_nothing_watched_says_how_to_begin(run: Run) -> None:
    assert "trialdelta watch add" in run("watch", "list").stderr
    assert said(run("watch", "list", "--format", "json")) == []


def test_ids_are_read_as_people_paste_them(run: Run) -> None:
    run("watch", "add", f" {ONE.lower()} ", f"https://clinicaltrials.gov/study/{TWO}")

    assert [row["id"] for row in said(run("watch", "list", "--format", "json"))] == [ONE, TWO]


def test_a_file_of_ids_is_imported_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    good = written(tmp_path, "good.csv", f"NCT Number,Title\n{ONE},Tea\n\n# ours\n{TWO};Coffee\n")
    bad = written(tmp_path, "bad.txt", f"{nct(3)}\nNCT12\n")

    run("watch", "import", good, "--group", "ours")
    complaint = run("watch", "import", bad, exits=2).stderr

    assert "bad.txt, line 2: not a ClinicalTrials.gov id: 'NCT12'" in complaint
    assert [row["id"] for row in said(run("watch", "list", "--group", "ours", "--format", "json"))] == [ONE, TWO]


def test_a_file_says_group_and_note_of_each_id(run: Run, tmp_path: Path) -> None:
    listed = written(tmp_path, "list.csv", f'group,NCT Number,note\nheart,{ONE},"ours, mostly"\n,{TWO},\n')

    run("watch", "import", listed, "--group", "rest")

    rows = said(run("watch", "list", "--format", "json"))
    assert [(row["group"], row["note"]) for row in rows] == [("heart", "ours, mostly"), ("rest", None)]


def test_an_id_that_is_watched_already_stays_as_it_is_and_says_so(run: Run) -> None:
    run("watch", "add", ONE, "--group", "kidney", "--note", "ours")

    same = run("watch", "add", ONE, "--group", "kidney")
    other = run("watch", "add", ONE, TWO, "--group", "heart")

    assert same.stderr == ""
    assert f"{ONE} stays in group 'kidney', not 'heart'" in other.stderr
    assert [row["group"] for row in said(run("watch", "list", "--format", "json"))] == ["kidney", "heart"]


def test_a_name_is_one_watchs_and_a_search_is_not_quietly_another(run: Run) -> None:
    run("watch", "add", ONE, "--name", "dkd")
    run("watch", "add", "--name", "hearts", "--search", "query.cond=heart")

    record = run("watch", "add", TWO, "--name", "dkd", exits=2).stderr
    search = run("watch", "add", "--name", "dkd", "--search", "query.cond=kidney", exits=2).stderr
    changed = run("watch", "add", "--name", "hearts", "--search", "query.cond=lung", exits=2).stderr
    again = run("watch", "add", "--name", "hearts", "--search", "query.cond=heart").stdout

    assert record == search == f"Error: 'dkd' is the name of {ONE} already\n"
    assert changed.startswith("Error: search 'hearts' asks for query.cond=heart already")
    assert "is watched already" in again


def test_the_whole_registry_is_watched_in_one_word(run: Run) -> None:
    added = run("watch", "add", "--all").stdout
    both = run("watch", "add", "--all", ONE, exits=2).stderr
    other = run("watch", "add", "--name", "everything", "--search", "query.cond=lung", exits=2).stderr
    again = run("watch", "add", "--all").stdout
    listed = said(run("watch", "list", "--format", "json"))

    assert added == "search 'everything' is watched from now on\n"
    assert "or --all" in both
    assert "asks for every record already" in other
    assert "is watched already" in again
    assert [(each["name"], each["search"], each["state"]) for each in listed] == [("everything", {}, "waiting")]


def test_watches_can_be_paused_snoozed_resumed_and_removed(run: Run) -> None:
    run("watch", "add", ONE)

    def state() -> list[str]:
        return [row["state"] for row in said(run("watch", "list", "--format", "json"))]

    states = []
    for words in (("pause", ONE), ("resume", ONE), ("snooze", ONE, "--until", "2999-01-01"), ("remove", ONE)):
        run("watch", *words)
        states.append(state())

    assert states == [["paused"], ["waiting"], ["snoozed"], []]


def test_check_prints_what_changed_and_can_say_so_by_its_exit_code(run: Run, standin: StandIn) -> None:
    standin.publish(DAYS[0], {ONE: trial(ONE)})
    run("watch", "add", ONE)
    first = run("check", "--exit-code")
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING)})

    result = run("check", "--exit-code", exits=1)

    assert first.stdout == ""
    assert "● Site recruiting: Example Hospital, Exampleton, Belgium is now recruiting" in result.stdout
    assert "1 of 1 records answered, 1 changed" in result.stderr


def test_check_in_json_is_a_change_as_everywhere(run: Run, standin: StandIn) -> None:
    standin.publish(DAYS[0], {ONE: trial(ONE)})
    run("watch", "add", ONE)
    run("check")
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING)})

    report = said(run("check", "--format", "json"))

    assert (report["outcome"], report["changed"]) == ("finished", 1)
    assert {"kind", "severity", "label", "summary", "subject", "before", "after", "path", "cause"} <= set(
        report["changes"][0]
    )
    assert report["changes"][0]["record"]["id"] == ONE
    told = said(run("history", ONE, "--kind", "site.*", "--format", "json"))
    assert report["changes"] == [{name: row[name] for name in report["changes"][0]} for row in told]


def test_a_registry_that_is_down_is_a_failure_in_words(run: Run, standin: StandIn) -> None:
    run("watch", "add", ONE)
    standin.fail(Fault.FORBIDDEN)

    result = run("check", exits=2)

    assert "The sweep failed: " in result.stderr
    assert "403" in result.stderr
    assert said(run("check", "--format", "json", exits=2))["outcome"] == "failed"


def test_a_record_asked_for_by_name_that_nobody_knows_is_a_failure(run: Run) -> None:
    run("watch", "add", ONE)

    said = run("check", ONE, exits=2).stderr
    assert f"the registry lists no record {ONE} (asked " in said
    assert f"`trialdelta watch remove {ONE}` stops watching it" in said
    assert "not checked since" not in said


# --- reading ----------------------------------------------------------------------------------------


def test_history_is_oldest_first(changed: Run) -> None:
    told = changed("history", ONE).stdout
    rows = said(changed("history", ONE, "--format", "json"))

    assert told.index("Now watched") < told.index("Site recruiting")
    assert [row["kind"] for row in rows] == ["record.first_seen", "site.recruiting"]
    assert changed("history", ONE, "--since", DAYS[1], "--format", "csv").stdout.count("\n") == 2


def test_show_tells_the_record_in_words_as_it_is_and_as_it_was(changed: Run) -> None:
    now, then = changed("show", ONE).stdout, changed("show", ONE, "--as-of", DAYS[0]).stdout

    assert "A Trial of Tea" in now
    assert "Example Hospital, Exampleton, Belgium: recruiting" in now
    assert "Example Hospital, Exampleton, Belgium: not yet recruiting" in then
    assert "no medical advice" in now


def test_show_gives_back_what_the_registry_sent(changed: Run) -> None:
    raw = changed("show", ONE, "--version", "1", "--format", "raw").stdout_bytes

    assert json.loads(raw)["protocolSection"]["contactsLocationsModule"]["locations"][0]["status"] == NOT_YET
    assert said(changed("show", ONE, "--version", "1", "--format", "json"))["record"] == json.loads(raw)


def test_show_says_what_the_record_says_now_never_what_one_said_that_was_merged_into_it(
    changed: Run, standin: StandIn, environ: dict[str, str]
) -> None:
    changed("watch", "add", TWO)
    for day, status in ((DAYS[2], NOT_YET), (DAYS[3], RECRUITING)):
        standin.publish(day, {TWO: trial(TWO, status, day, title="A Trial of Milk")})
        changed("check")
    database = Database(environ["TRIALDELTA_DATABASE_URL"])
    with database.write() as connection:
        archive.merge(connection, "ctgov", TWO, ONE)
    database.dispose()

    assert "A Trial of Tea" in changed("show", ONE).stdout
    assert "A Trial of Tea" in changed("show", TWO).stdout
    assert [change["kind"] for change in said(changed("diff", ONE, "--format", "json"))] == ["site.recruiting"]


@pytest.mark.parametrize("which", [(), ("1",), ("1", "2"), (DAYS[0], DAYS[1])], ids=str)
def test_diff_compares_any_two_stored_versions(changed: Run, which: tuple[str, ...]) -> None:
    found = said(changed("diff", ONE, *which, "--format", "json"))

    assert [change["kind"] for change in found] == ["site.recruiting"]


def test_diff_of_two_files_needs_no_database(run: Run, tmp_path: Path, environ: dict[str, str]) -> None:
    old, new = written(tmp_path, "old.json", trial(ONE)), written(tmp_path, "new.json", trial(ONE, RECRUITING))
    environ["TRIALDELTA_DATABASE_URL"] = "sqlite:////no/such/folder/at/all.sqlite3"

    assert said(run("diff", old, new, "--format", "json", "--exit-code", exits=1))[0]["kind"] == "site.recruiting"
    assert "nothing changed" in run("diff", old, old, "--exit-code").stdout


def test_a_batch_answers_line_by_line_and_a_bad_line_is_an_answer_too(run: Run) -> None:
    pair = {"id": "a", "old": trial(ONE), "new": trial(ONE, RECRUITING)}
    lines = [
        json.dumps(pair),
        '{"id": "b", "old": 7, "new": {}}',
        "nonsense",
        '{"id": "d"}',
        json.dumps(pair | {"id": "e"}),
    ]

    result = run("diff", "--batch", "-", stdin="\n".join(lines), exits=2)

    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(answer["id"], "changes" in answer) for answer in answers] == [
        ("a", True), ("b", False), (None, False), ("d", False), ("e", True),
    ]  # fmt: skip
    assert all(answer["error"] for answer in answers if "changes" not in answer)


def test_what_a_registry_sends_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    old = written(tmp_path, "old.json", trial(ONE))
    new = written(tmp_path, "new.json", trial(ONE, title="\x1b[2J\x1b]0;owned\x07 A Trial"))

    assert "\x1b" not in run("diff", old, new).output


def test_csv_is_no_formula(run: Run, tmp_path: Path) -> None:
    old = written(tmp_path, "old.json", trial(ONE, title="Tea"))
    new = written(tmp_path, "new.json", trial(ONE, title='=HYPERLINK("http://example.org")'))

    assert ",'=HYPERLINK" in run("diff", old, new, "--format", "csv").stdout.replace('"', "")


# --- telling ----------------------------------------------------------------------------------------


def test_a_new_subscription_shows_how_things_stand_today(changed: Run) -> None:
    told = changed("subscription", "add", "ours", "--to", "mailto:alice@example.org", "--kind", "site.*").stdout

    assert "Today: 1 site recruits already: Example Hospital, Exampleton, Belgium" in told


@pytest.mark.parametrize(
    ("about", "note"),
    [(("--group", "kidny"), "nothing is watched in group 'kidny'"), (("--id", TWO), f"{TWO} is not watched")],
)
def test_a_subscription_that_nothing_can_be_told_of_says_so(about: tuple[str, str], note: str, changed: Run) -> None:
    assert note in changed("subscription", "add", "ours", "--to", "mailto:alice@example.org", *about).stderr


def test_a_subscription_to_an_address_that_is_off_says_so(run: Run, environ: dict[str, str]) -> None:
    run("subscription", "add", "ours", "--to", "mailto:alice@example.org")
    database = Database(environ["TRIALDELTA_DATABASE_URL"])
    with database.write() as connection:
        addresses.switch(connection, "mailto:alice@example.org", "off", "550 no such user", at(DAYS[0]))
    database.dispose()

    note = run("subscription", "add", "more", "--to", "mailto:alice@example.org").stderr

    assert "mailto:alice@example.org is switched off: 550 no such user" in note
    assert "trialdelta subscription test more" in note


def test_a_subscription_to_a_search_that_is_not_there_is_refused(changed: Run) -> None:
    words = ("subscription", "add", "ours", "--to", "mailto:alice@example.org", "--search", "nosuch")

    assert "there is no search named 'nosuch'" in changed(*words, exits=2).stderr
    assert said(changed("subscription", "list", "--format", "json")) == []


def test_the_secret_of_a_web_address_is_shown_once(run: Run) -> None:
    words = ("subscription", "add", "hook", "--to", "https://hooks.example.org/x")

    assert "whsec_" in run(*words).stdout
    assert "whsec_" not in run(*words, "--replace").stdout
    assert "whsec_" not in run("export").stdout


def test_a_watchlist_file_is_applied_once_and_exported_again(run: Run, tmp_path: Path) -> None:
    text = f'[[watch]]\nid = "{ONE}"\n[[subscription]]\nname = "ours"\nto = ["mailto:alice@example.org"]\n'
    file = written(tmp_path, "list.toml", text)

    dry, first, second = run("apply", file, "--dry-run"), run("apply", file), run("apply", file)

    assert "nothing was done" in dry.stderr
    assert f"+ watch {ONE}: new" in first.stdout
    assert "Today for ours: " in first.stdout
    assert "Nothing to do" in second.stderr
    assert run("apply", written(tmp_path, "again.toml", run("export").stdout)).stdout == ""


def test_changing_a_subscription_keeps_what_the_command_line_has_no_words_for(run: Run, tmp_path: Path) -> None:
    run("templates", "copy", str(tmp_path / "templates"))
    text = f"""
    [[subscription]]
    name = "ours"
    to = ["mailto:alice@example.org"]
    paused = true
    snooze_until = 2030-01-01
    templates = "{tmp_path}/templates"
    severity = {{ "site.renamed" = "critical" }}
    """
    run("apply", written(tmp_path, "list.toml", text))

    run("subscription", "add", "ours", "--to", "mailto:bob@example.org", "--kind", "site.*", "--replace")

    (kept,) = said(run("subscription", "list", "--format", "json"))
    assert (kept["to"], kept["when"]) == (["mailto:bob@example.org"], {"kinds": ["site.*"]})
    assert (kept["paused"], kept["templates"]) == (True, f"{tmp_path}/templates")
    assert (kept["severity"], kept["snooze_until"]) == ({"site.renamed": "critical"}, "2030-01-01T00:00:00Z")


def test_a_watchlist_file_written_on_windows_is_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.toml"
    file.write_bytes(f'\ufeff[[watch]]\r\nid = " {ONE.lower()} "\r\n'.encode())

    assert f"+ watch {ONE}: new" in run("apply", str(file)).stdout


def test_an_unknown_key_of_the_watchlist_is_named(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "list.toml", f'[[watch]]\nid = "{ONE}"\ngruop = "x"\n')

    assert "gruop" in run("apply", file, exits=2).stderr


def test_what_is_due_is_sent_and_the_ledger_tells(run: Run, standin: StandIn, environ: dict[str, str]) -> None:
    with MailSink() as mail:
        environ |= {"TRIALDELTA_SMTP_URL": mail.url, "TRIALDELTA_MAIL_FROM": "alerts@example.org"}
        standin.publish(DAYS[0], {ONE: trial(ONE)})
        run("watch", "add", ONE)
        run("subscription", "add", "ours", "--to", "mailto:alice@example.org")
        run("check")
        standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING)})
        run("check", "--deliver")
        rows = said(run("deliveries", "list", "--format", "json"))
        shown = said(run("deliveries", "show", rows[0]["id"], "--format", "json"))
        run("deliveries", "retry", rows[0]["id"])
        run("deliveries", "replay", "--since", "2020-01-01", "--yes")
        run("check", "--deliver")
        run("subscription", "test", "ours")
        run("digest", "send", "ours")

    assert [row["state"] for row in rows] == ["delivered"]
    assert [change["kind"] for change in shown["changes"]] == ["site.recruiting"]
    assert [letter.to for letter in mail.letters] == [("alice@example.org",)] * 5
    assert len({str(letter.mail["Message-ID"]) for letter in mail.letters[:3]}) == 1


def test_a_digest_can_be_looked_at_before_its_time(changed: Run) -> None:
    changed("subscription", "add", "weekly", "--to", "mailto:alice@example.org", "--digest", "weekly", "--on", "monday")

    assert "1 trial checked" in changed("digest", "preview", "weekly").stdout
    assert said(changed("digest", "preview", "weekly", "--format", "json"))[0]["type"] == "digest"


def test_a_digest_without_news_offers_what_it_would_have_told(changed: Run) -> None:
    told = ("subscription", "add", "weekly", "--to", "mailto:alice@example.org", "--digest", "weekly", "--on", "monday")
    changed(*told)

    fresh, example = changed("digest", "preview", "weekly"), changed("digest", "preview", "weekly", "--example")

    assert "It has no news yet; an example: trialdelta digest preview weekly --example" in fresh.stderr
    assert "An example: what it would have told the last time" in example.stderr
    assert "Site recruiting" in example.stdout
    assert "the registry's\nrelease of 3 March 2026" in example.stdout


def test_a_digest_of_what_never_happened_has_no_example(changed: Run) -> None:
    told = ("subscription", "add", "weekly", "--to", "mailto:alice@example.org", "--digest", "weekly", "--on", "monday")
    changed(*told, "--kind", "study.terminated")

    assert "nothing that weekly would have told" in changed("digest", "preview", "weekly", "--example", exits=2).stderr


def test_a_message_that_does_not_arrive_is_a_failure_in_words(run: Run) -> None:
    run("subscription", "add", "ours", "--to", "mailto:alice@example.org")

    result = run("subscription", "test", "ours", exits=2)

    assert "mailto:alice@example.org: failed: mail cannot be sent: TRIALDELTA_SMTP_URL is not set" in result.stderr


# --- the database ----------------------------------------------------------------------------------------


def test_a_backup_is_taken_and_put_back(changed: Run, tmp_path: Path) -> None:
    backup = str(tmp_path / "backup.sqlite3")
    changed("db", "backup", backup)
    changed("watch", "remove", ONE)

    changed("db", "restore", backup, "--yes")

    assert [row["id"] for row in said(changed("watch", "list", "--format", "json"))] == [ONE]
    assert "nothing to do" in changed("db", "upgrade").stdout


def test_tables_of_another_version_are_left_alone_with_a_word_of_advice(changed: Run, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "data" / "trialdelta.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()

    assert "run `trialdelta db upgrade`" in changed("watch", "list", exits=2).stderr


# --- settings, kinds ----------------------------------------------------------------------------------------


def test_settings_tell_value_and_source(run: Run, standin: StandIn) -> None:
    rows = {row["name"]: row for row in said(run("settings", "--format", "json"))}

    assert rows["TRIALDELTA_CTGOV_URL"] == {
        "name": "TRIALDELTA_CTGOV_URL",
        "value": standin.url,
        "source": "environment",
    }
    assert rows["TRIALDELTA_PORT"]["source"] == "default"


def test_kinds_are_the_vocabulary(run: Run) -> None:
    from snapshots.kinds import KINDS

    assert [row["name"] for row in said(run("kinds", "--format", "json"))] == list(KINDS)
