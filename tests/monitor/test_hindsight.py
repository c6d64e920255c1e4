"""`subscription why`, `backtest` and what is shown before one is kept, as people and their scripts use them."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import trialdelta
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from tests.monitor.stage import DAYS, RECRUITING, trial
from tests.registries import nct

ONE = nct(1)
Run = Callable[..., Result]
TO = ("--to", "mailto:alice@example.org")


def runner(database: Path, **environ: str) -> Run:
    settings = {"TRIALDELTA_DATABASE_URL": f"sqlite:///{database}", "TRIALDELTA_REQUEST_INTERVAL": "0", "NO_COLOR": "1"}

    def invoke(*words: str, exits: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner(env=settings | environ).invoke(trialdelta, list(words), input=stdin)
        assert result.exit_code == exits, result.output
        return result

    return invoke


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a record that changed once."""
    database = tmp_path_factory.mktemp("seeded") / "trialdelta.sqlite3"
    with StandIn() as standin:
        run = runner(database, TRIALDELTA_CTGOV_URL=standin.url)
        standin.publish(DAYS[0], {ONE: trial(ONE, title="A Trial of Tea")})
        run("watch", "add", ONE)
        run("check")
        standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, "2026-03-02", title="A Trial of Tea")})
        run("check")
    return database


@pytest.fixture
def run(tmp_path: Path, seeded: Path) -> Iterator[Run]:
    """Runs a command line on a copy of it; the exit code must be the one expected."""
    for file in seeded.parent.iterdir():
        shutil.copy(file, tmp_path)
    with MailSink() as mails:
        yield runner(tmp_path / seeded.name, TRIALDELTA_SMTP_URL=mails.url, TRIALDELTA_MAIL_FROM="trials@example.org")


def test_a_subscription_not_kept_yet_is_tried_on_the_past(run: Run) -> None:
    told = run("subscription", "add", "ours", *TO, "--kind", "site.*", "--since", "2026-01-01", "--dry-run").stdout

    assert "recruits already" in told
    assert "1 alert in the time since 2026-01-01" in told
    assert json.loads(run("subscription", "list", "--format", "json").stdout) == []


def test_the_past_of_a_kept_one_comes_as_text_json_and_csv(run: Run) -> None:
    run("subscription", "add", "ours", *TO, "--kind", "site.*")
    words = ("subscription", "backtest", "ours", "--since", "2026-01-01")

    found = json.loads(run(*words, "--format", "json").stdout)
    rows = run(*words, "--format", "csv").stdout.splitlines()

    assert run(*words).stdout.startswith("1 alert in the time since 2026-01-01")
    assert [change["kind"] for alert in found["alerts"] for change in alert["changes"]] == ["site.recruiting"]
    assert rows[0].startswith("date,record,title,kind")
    assert len(rows) == 2


def test_why_explains_in_words_and_in_json(run: Run) -> None:
    run("subscription", "add", "ours", *TO, "--kind", "study.*")

    told = run("subscription", "why", "ours", ONE).stdout
    answers = json.loads(run("subscription", "why", "ours", ONE, "--format", "json").stdout)

    assert "is not wanted: since, kinds" in " ".join(told.split())
    assert answers[0]["wanted"] is False
    assert {check["condition"]: check["holds"] for check in answers[0]["checks"]} == {
        "since": False,
        "watches": True,
        "kinds": False,
    }
    assert json.loads(run("subscription", "why", "ours", str(answers[0]["change"]["id"]), "--format", "json").stdout)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("why", "ours", "999"), "there is no change 999"),
        (("why", "none", "1"), "there is no subscription 'none'"),
        (("why", "ours", nct(9)), f"no change of {nct(9)} is stored"),
        (("backtest", "ours", "--since", "soon"), "'soon' is no date"),
        (("add", "x", *TO, "--near", "Springfield,50"), "--near 'Springfield, Illinois, United States,50'\n"),
        (("add", "x", *TO, "--near", "Xyzzyton,50"), "--near: Xyzzyton: no place of that name is known"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(words: tuple[str, ...], complaint: str, run: Run) -> None:
    run("subscription", "add", "ours", *TO)

    assert complaint in run("subscription", *words, exits=2).stderr


def test_a_place_is_named_by_options_and_files_and_stays_what_it_was(run: Run, tmp_path: Path) -> None:
    run("subscription", "add", "ours", *TO, "--near", "Springfield, IL,50")
    file = tmp_path / "exported.toml"
    file.write_text(run("export").stdout, encoding="utf-8")

    assert 'name = "Springfield, Illinois, United States"' in file.read_text(encoding="utf-8")
    assert "within 50 km of Springfield, Illinois" in run("subscription", "list").stdout
    assert "nothing to do" in run("apply", str(file)).output.lower() or "already" in run("apply", str(file)).output
    file.write_text(
        '[[subscription]]\nname = "ours"\nto = ["mailto:alice@example.org"]\n'
        'when = { near = { place = "Springfield, Illinois", km = 50 } }\n',
        encoding="utf-8",
    )
    before = run("subscription", "show", "ours", "--format", "json").stdout
    run("apply", str(file))
    assert run("subscription", "show", "ours", "--format", "json").stdout == before


def test_how_things_stand_can_be_sent_as_a_first_message(run: Run) -> None:
    told = run("subscription", "add", "ours", *TO, "--send-standing")

    assert "mailto:alice@example.org: delivered" in told.stderr


def test_nothing_is_asked_where_nobody_sits_at_a_terminal(run: Run) -> None:
    told = run("subscription", "add", "ours", *TO, stdin="n\nn\n").output

    assert "Keep ours?" not in told
    assert "ours is kept" in told
