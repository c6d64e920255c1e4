"""The demonstration plays the real program, and leaves behind what it promises."""

import email
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from threading import Event

import httpx2
import pytest
from click.testing import CliRunner

from monitor.cli import trialdelta
from monitor.demo.play import COORDINATOR, TEAM, Play
from monitor.demo.sinks import Letter
from monitor.demo.story import DAYS, SLIPPING, releases
from monitor.web.doors import doors
from snapshots import archive

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("demo")
"""It is played once, and not by each worker."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, float]:
    folder = tmp_path_factory.mktemp("demo") / "new"
    began = time.monotonic()
    result = CliRunner(env={"COLUMNS": "90"}).invoke(trialdelta, ["demo", "--to", str(folder)])
    assert result.exit_code == 0, result.output
    return result.output, folder, time.monotonic() - began


def test_it_takes_well_under_a_minute(played: tuple[str, Path, float]) -> None:
    assert played[2] < 30


@pytest.mark.parametrize(
    "words",
    [
        "Site recruiting: Jade Gate Hospital, Beijing, China is now recruiting",
        "Primary completion date delayed by 181 days",
        "The study is now terminated (was: recruiting)",
        "Results posted",
        "Record resubmitted, nothing else changed",
        "nothing changed",
        "503 Service Unavailable. Nothing is stored",
        "webhook-signature: v1,",
        "the week's digest to team@example.org",
        "trialdelta history NCT99000101",
    ],
)
def test_it_shows_what_the_program_can_do(played: tuple[str, Path, float], words: str) -> None:
    assert words in " ".join(played[0].split())


def test_it_fits_a_terminal_of_90_columns(played: tuple[str, Path, float]) -> None:
    exempt = ("│", "/", "export ")
    assert [
        line for line in played[0].splitlines() if len(line) > 90 and not any(each in line for each in exempt)
    ] == []


def test_every_mail_is_there_in_three_forms(played: tuple[str, Path, float]) -> None:
    mails = played[1] / "mails"

    for letter in mails.glob("*.eml"):
        message = email.message_from_bytes(letter.read_bytes())
        assert message["List-Id"]
        assert letter.with_suffix(".txt").read_text(encoding="utf-8").strip()
        assert "<html" in letter.with_suffix(".html").read_text(encoding="utf-8")
    assert len(list(mails.glob("*.eml"))) >= 6


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")

    result = CliRunner().invoke(trialdelta, ["demo", "--to", str(tmp_path)])

    assert result.exit_code == 2
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_coordinator_hears_of_beijing_alone_and_the_team_of_all_that_is_critical(tmp_path: Path) -> None:
    with Play(tmp_path) as play:
        scenes = list(play.scenes())

    letters: list[Letter] = [letter for scene in scenes for letter in (*scene.digests, *scene.letters)]
    subjects = {
        who: [letter.subject.split(":")[0] for letter in letters if letter.to == (who,)] for who in (COORDINATOR, TEAM)
    }
    assert subjects[COORDINATOR] == ["Site recruiting"]
    assert subjects[TEAM] == [
        "Site recruiting",
        "Digest team-weekly",
        "Enrollment opened",
        "Study terminated",
        "Digest team-weekly",
        "Results posted",
    ]


def test_the_story_is_invented_through_and_through() -> None:
    text = str([release.records for release in releases()])

    assert all(record.startswith("NCT99") for release in releases() for record in release.records)
    assert "555-01" in text
    assert "@" not in text.replace("@example.org", "")
    assert len(DAYS) == 12


def test_what_the_buttons_of_its_page_ask_for_is_done_behind_it(tmp_path: Path) -> None:
    with Play(tmp_path) as play:
        for _ in play.scenes():
            pass
        daemon = play.daemon()
        server = play.page(daemon.stop)
        server.start()
        known = {"Authorization": f"Bearer {server.own.token}"}
        api = f"{server.url}/api/v1"
        tested = httpx2.post(f"{api}/subscriptions/beijing-sites/test", headers=known)
        with play.database.write() as connection:
            for asked in (SLIPPING, "NCT99000107"):
                archive.wish_filling(connection, "ctgov", asked, play.daemon().me.started_at)
        before = httpx2.get(f"{api}/records/{SLIPPING}/slips", headers=known).json()
        waiting = httpx2.get(f"{server.url}/health", headers=known).text
        daemon.tick_presence()
        daemon.tick_deliveries()
        daemon.tick_backfill()
        daemon.tick_backfill()
        begun = httpx2.get(f"{server.url}/trials/NCT99000107/timeline", headers=known).text
        after = httpx2.get(f"{api}/records/{SLIPPING}/slips", headers=known).json()
        well = httpx2.get(f"{server.url}/health", headers=known).text
        newest = play.letters()[-1]
        assert server.stop(5)

    assert tested.status_code in (200, 201, 202)
    assert (newest.to, "test" in newest.subject.lower()) == ((COORDINATOR,), True)
    assert (before["past_is_whole"], after["past_is_whole"]) == (False, True)
    assert after["slips"][1]["delays"] == before["slips"][1]["delays"] + 1
    assert "Reached 22 May 2023 and told 29 May 2023" in begun
    assert "Everything is well" not in waiting
    assert "Everything is well" in well


@pytest.fixture
def registry() -> Iterator["subprocess.Popen[str]"]:
    """The stand-in registry alone, in a process of its own."""
    command = [sys.executable, "-m", "monitor", "demo", "--serve-registry", "--port", "0"]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as process:
        yield process
        process.kill()


def test_one_s_own_alert_can_be_tried_against_its_registry_alone(
    registry: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert registry.stdin is not None
    assert registry.stdout is not None
    head = [registry.stdout.readline() for _ in range(7)]
    given = [word for line in head for word in shlex.split(line) if word.startswith("TRIALDELTA_")]
    environ = dict(word.split("=", 1) for word in given) | {
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/a.sqlite3"
    }

    def run(*words: str) -> None:
        done = CliRunner(env=environ).invoke(trialdelta, words)
        assert done.exit_code == 0, done.output

    run("watch", "add", "NCT99000101")
    run("check")
    run("subscription", "add", "mine", "--to", "me@example.org", "--kind", "site.*", "--near", "Beijing,50km")
    registry.stdin.write("\n\n")
    registry.stdin.flush()
    days = [registry.stdout.readline() for _ in range(2)]
    run("check", "--deliver")
    arrived = [registry.stdout.readline() for _ in range(2)]

    assert head[-1].startswith("Release 2026-03-02, 1 of 12. Seven trials are watched")
    assert "3 of 12. A hospital in Beijing begins to recruit" in days[1]
    assert "mail to me@example.org: Site recruiting: NCT99000101" in arrived[1]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--releases", "no-such"), "no-such cannot be read: No such file or directory"),
        (("--releases", "pyproject.toml"), "each line is a JSON object with nct, dataVersion and study"),
    ],
)
def test_releases_that_cannot_be_served_are_told_in_a_line(words: tuple[str, ...], complaint: str) -> None:
    told = CliRunner().invoke(trialdelta, ["demo", "--serve-registry", *words])

    assert told.exit_code == 2
    assert complaint in told.stderr


def test_its_page_shows_what_was_played_to_who_has_the_link(tmp_path: Path) -> None:
    with Play(tmp_path) as play:
        for _ in play.scenes():
            pass
        server = play.page(Event())
        server.start()
        door = httpx2.get(server.sign_in_url()).text
        closed = httpx2.get(server.url + "/", follow_redirects=True).text
        known = {"Authorization": f"Bearer {server.own.token}"}
        opened = httpx2.get(server.url + "/", headers=known).text
        pages = [door.path for door in doors() if door.get is not None and "{" not in door.path]
        answers = {path: httpx2.get(server.url + path, headers=known, timeout=30).status_code for path in pages}
        assert server.stop(5)

    assert "Sign in" in door
    assert "NCT99000101" in opened
    assert "NCT99000101" not in closed
    assert {path: status for path, status in answers.items() if status not in (200, 303)} == {}
