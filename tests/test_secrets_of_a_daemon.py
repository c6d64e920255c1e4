"""Every secret of an installation is planted; then its daemon runs, fails and is asked, and says none of them."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from monitor.cli import trialdelta
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.web.doors import doors
from tests.databases import PostgresqlServer
from tests.monitor.stage import DAYS, RECRUITING, trial
from tests.monitor.web.browsing import free_port
from tests.registries import nct

ROOT = Path(__file__).parents[1]
ONE = nct(1)
MARK = "s3cretMARK"
TOKEN = f"{MARK}-access-token-of-the-page"
WHSEC = "czNjcmV0TUFSS3dlYmhvb2tzZWNyZXRmb3J0ZXN0cw"
HOOK = f"http://me:{MARK}-hook@127.0.0.1:9/hook"
FILE = f"""
[[watch]]
id = "{ONE}"
group = "kidney"

[[address]]
uri = "{HOOK}"
secret = "whsec_{WHSEC}=="

[[subscription]]
name = "all"
to = ["mailto:alice@example.org", "{HOOK}"]
watches = "all"

[[subscription]]
name = "weekly"
to = ["mailto:alice@example.org"]
watches = "all"
deliver = {{ digest = "weekly" }}
"""


@pytest.fixture
def environ(tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An installation on PostgreSQL, a secret in every place that takes one; its mail server does not let it in."""
    monkeypatch.chdir(tmp_path)
    with postgresql.url(tables=True) as url, StandIn() as standin, MailSink() as mail:
        (tmp_path / "token").write_text(TOKEN)
        place = mail.url.removeprefix("smtp://").partition("?")[0]
        given = {
            "DATABASE_URL": url.replace("trialdelta@", f"trialdelta:{MARK}-database@"),
            "CTGOV_URL": standin.url,
            "REQUEST_INTERVAL": "0",
            "SMTP_URL": f"smtp://me:{MARK}-smtp@{place}?starttls=never",
            "MAIL_FROM": "alerts@example.org",
            "BASE_URL": "https://trials.example.org",
            "PING_URL": f"http://127.0.0.1:9/{MARK}-ping",
            "ACCESS_TOKEN_FILE": str(tmp_path / "token"),
            "OPERATOR": "operator@example.org",
            "ALLOW_PRIVATE_NETWORKS": "true",
            "PORT": str(free_port()),
            "LOG_LEVEL": "debug",
        }
        standin.publish(DAYS[0], {ONE: trial(ONE)})
        made = {f"TRIALDELTA_{name}": value for name, value in given.items()}
        (tmp_path / "watchlist.toml").write_text(FILE)
        for words in (["apply", "watchlist.toml"], ["check"]):
            code, said = run(made, *words)
            assert code == 0, said
        standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, DAYS[1])})
        yield made


def run(environ: dict[str, str], *words: str) -> tuple[int, str]:
    done = CliRunner(env=environ).invoke(trialdelta, list(words))
    return done.exit_code, f"{words[0]}: {done.stdout}{done.stderr}{done.exception}"


@contextmanager
def daemon(environ: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "monitor", "run", "--name", "planted"]
    given = {**os.environ, **environ, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=given, stderr=log, stdout=log)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(15)
    finally:
        process.kill()
        process.wait(10)


def until_it_says(log: Path, *words: str, seconds: float = 90) -> str:
    end = time.monotonic() + seconds
    while not all(word in (said := log.read_text()) for word in words) and time.monotonic() < end:
        time.sleep(0.1)
    return said


def leaks(said: str) -> str:
    """What stands around the first secret in a text; "" where there is none."""
    for secret in (MARK, WHSEC):
        at = said.find(secret)
        if at >= 0:
            return said[max(at - 120, 0) : at + 60]
    return ""


def paths(client: httpx2.Client) -> list[str]:
    """Every path that somebody who is signed in can look at, with the numbers and ids that there are."""
    deliveries = [each["id"] for each in client.get("/api/v1/deliveries").json()["items"]]
    known = {"number": ["1", "2"], "address": ["1", "2"], "name": ["all", "weekly", ONE], "delivery": deliveries}
    types = {"type": ["trial.changed"], "file": [f"{ONE}.csv"], "code": ["x"]}
    found: list[str] = []
    for door in doors():
        if door.access != "link" and "GET" in door.handlers:
            ids = deliveries if "deliver" in door.path else ["1", "2"] if "addresses" in door.path else [ONE]
            found += _filled(door.path, {**known, **types, "id": [*ids, "1"]})
    return found


def _filled(path: str, values: dict[str, list[str]]) -> list[str]:
    found = [path]
    for name, each in values.items():
        found = [
            one.replace(f"{{{name}}}", value) for one in found for value in (each if f"{{{name}}}" in one else [""])
        ]
    return list(dict.fromkeys(found))


def test_the_log_the_page_the_api_and_the_files_of_a_running_daemon_hold_no_secret(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with daemon(environ, tmp_path):
        said = until_it_says(tmp_path / "log", "at sign-in", "127.0.0.1:9", "the ping was not heard", '"page"')
        url = f"http://127.0.0.1:{environ['TRIALDELTA_PORT']}"
        with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
            answers = {path: client.get(path) for path in paths(client)}
            problems = [
                client.get("/nothing"),
                client.post(
                    "/api/v1/subscriptions", json={"name": "x", "to": [f"ftp://me:{MARK}@x"], "watches": "all"}
                ),
                client.get("/", headers={"Authorization": f"Bearer {MARK}-wrong"}),
                client.post("/signin", data={"token": f"{MARK}-wrong", "next": "/"}),
            ]
    log = (tmp_path / "log").read_text()

    assert "at sign-in" in said, said
    assert "the ping was not heard" in said, said
    shown = [path for path, answer in answers.items() if answer.status_code == 200]
    assert {"/settings", "/health", "/addresses/1", "/addresses/2", "/subscriptions/1/edit", "/watchlist.csv"} <= {
        *shown
    }
    assert f"/api/v1/records/{ONE}/audit" in shown
    assert not [path for path, answer in answers.items() if answer.status_code >= 500]
    told = {**{path: text_of(answer) for path, answer in answers.items()}, "log": log}
    assert {path: found for path, text in told.items() if (found := leaks(text))} == {}
    # what somebody typed wrongly just now may be repeated to them, but without what is secret in it
    assert [found for answer in problems if (found := leaks(answer.text + str(answer.headers)))] == []


def text_of(answer: httpx2.Response) -> str:
    """Headers and body; of a zip what is in it."""
    body = answer.text
    if answer.content[:2] == b"PK":
        from io import BytesIO

        with zipfile.ZipFile(BytesIO(answer.content)) as opened:
            body = "".join(opened.read(name).decode(errors="replace") for name in opened.namelist())
    return f"{answer.headers}{body}"


def test_no_command_prints_a_secret_nor_writes_one_into_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    commands: list[tuple[str, ...]] = [
        ("check", "--deliver"),
        ("subscription", "test", "all"),
        ("subscription", "show", "all"),
        ("subscription", "list", "--format", "json"),
        ("address", "list", "--format", "json"),
        ("deliveries", "list"),
        ("export",),
        ("watch", "list", "--format", "csv"),
        ("history", ONE, "--format", "csv"),
        ("settings",),
        ("doctor",),
        ("doctor", "--format", "json"),
        ("digest", "preview", "weekly"),
        ("audit", "export", ONE, "--out", "audit.zip"),
        ("audit", "export", ONE, "--out", "open.zip", "--with-addresses"),
        ("token", "list"),
        ("subscription", "add", "all", "--to", HOOK.replace("9/hook", "9/other"), "--replace", "--yes"),
        ("apply", "watchlist.toml", "--dry-run"),
        ("apply", "watchlist.toml"),
    ]
    said = {words: run(environ, *words)[1] for words in commands}

    for name in ("audit.zip", "open.zip"):
        with zipfile.ZipFile(tmp_path / name) as opened:
            said[name,] = "".join(opened.read(each).decode(errors="replace") for each in opened.namelist())
    assert {words: found for words, text in said.items() if (found := leaks(text))} == {}


WRONG = (
    {"DATABASE_URL": f"postgresql://me:{MARK}@127.0.0.1:9/nowhere"},
    {"DATABASE_URL": f"postgresql://me:{MARK}@[broken/nowhere"},
    {"DATABASE_URL": f"postgresql://me:{MARK}@127.0.0.1:9/nowhere?connect_timeout=x&password={MARK}"},
    {"SMTP_URL": f"smtp://me:{MARK}@mail.example.org:99999999"},
    {"SMTP_URL": f"mail.example.org:{MARK}@25"},
    {"BASE_URL": f"https://me:{MARK}@trials.example.org"},
    {"PING_URL": f"htps://ping.example.org/{MARK}"},
    {"ACCESS_TOKEN": f"{MARK}\nsecond line"},
)


@pytest.mark.parametrize("words", [("--debug", "check"), ("run",)], ids=lambda words: words[-1])
def test_no_error_tells_the_secret_of_the_setting_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = {}
    for wrong in WRONG:
        given = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3", "CTGOV_URL": "http://127.0.0.1:9", **wrong}
        said[str(wrong)] = run({f"TRIALDELTA_{name}": value for name, value in given.items()}, *words)

    assert {wrong: told for wrong, told in said.items() if told[0] != 2} == {}
    assert [found for _, told in said.values() if (found := leaks(told))] == []


def test_a_registry_that_cannot_be_reached_is_named_without_the_password_to_it(tmp_path: Path) -> None:
    url = f"http://me:{MARK}@127.0.0.1:9"
    environ = {"TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3", "TRIALDELTA_CTGOV_URL": url}

    _, said = run(environ, "doctor")

    assert "http://127.0.0.1:9" in said
    assert leaks(said) == ""
