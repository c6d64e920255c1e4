"""The page comes and goes with the daemon, and its tokens and addresses are looked after by commands."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from monitor.cli import trialdelta
from monitor.database_upgrade import upgrade
from monitor.serving import decide, is_confirmation_wanted
from monitor.settings import Settings, load
from notifiers import confirmations, subscriptions
from notifiers.outbox import Delivered
from notifiers.subscriptions import Subscription
from snapshots.database import Database
from tests.monitor.web.browsing import OWN_TOKEN, csrf, free_port, serving
from tests.notifiers.cast import BEIJING, NOW, change, send_next, subscribe, tell, watch

ROOT = Path(__file__).parents[3]
Run = Callable[..., Result]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path / 'trialdelta.sqlite3'}",
        "TRIALDELTA_CTGOV_URL": "http://127.0.0.1:9",
        "TRIALDELTA_PORT": str(free_port()),
        "NO_COLOR": "1",
    }


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    def invoke(*words: str, exits: int = 0) -> Result:
        result = CliRunner(env=environ).invoke(trialdelta, list(words))
        assert result.exit_code == exits, result.output
        return result

    return invoke


@contextmanager
def daemon(environ: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The daemon as a process of its own, killed at the end where it still runs."""
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run"],
            cwd=folder,
            env={**os.environ, **environ, "PYTHONPATH": str(ROOT)},
            stderr=log,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def ready(url: str, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200
        except httpx2.HTTPError:
            time.sleep(0.1)
    return False


def test_the_daemon_serves_the_page_names_its_token_and_ends_with_it(environ: dict[str, str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{environ['TRIALDELTA_PORT']}"
    with daemon(environ, tmp_path) as process:
        assert ready(url)
        token = (tmp_path / "access-token").read_text().strip()
        answer = httpx2.get(f"{url}/", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        second = subprocess.run(  # noqa: PLW1510 - its exit is looked at below
            [sys.executable, "-m", "monitor", "run"],
            cwd=tmp_path,
            env={**os.environ, **environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        process.send_signal(signal.SIGTERM)
        code = process.wait(12)
    log = (tmp_path / "log").read_text()

    assert answer.status_code == 200
    assert str(tmp_path / "access-token") in log
    assert token not in log
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert "is taken" in second.stderr
    assert code == 0
    assert "Traceback" not in log


def test_a_token_is_shown_once_listed_without_itself_and_removed(run: Run) -> None:
    made = run("token", "add", "dashboard", "--read")
    writer = run("token", "add", "importer", "--write")
    listed = run("token", "list")
    again = run("token", "add", "dashboard", exits=2)
    run("token", "remove", "dashboard")

    assert made.stdout.startswith("tdt_")
    assert made.stdout.strip() not in listed.stdout + writer.stdout
    assert "dashboard read" in " ".join(listed.stdout.split())
    assert "importer" in listed.stdout
    assert "there is a token 'dashboard' already" in again.output
    assert "dashboard" not in run("token", "list").stdout
    assert "there is no token 'dashboard'" in run("token", "remove", "dashboard", exits=2).output


def test_an_alert_is_unseen_until_somebody_acknowledges_it_by_command(run: Run, environ: dict[str, str]) -> None:
    database = Database(environ["TRIALDELTA_DATABASE_URL"])
    upgrade(database.url)
    with database.write() as connection:
        watch(connection, "NCT99000001")
        subscribe(connection)
        (delivery,) = tell(connection, change(site=BEIJING))
    send_next(database, Delivered("250 taken"))
    database.dispose()

    before = run("deliveries", "unseen", "--to", "mailto:alice@example.org").stdout
    first = run("deliveries", "acknowledge", delivery, "--by", "Alice").stdout
    second = run("deliveries", "acknowledge", f"<{delivery}@example.org>", "--by", "Bob").stdout

    assert delivery in before
    assert first == f"{delivery}: noted as seen by Alice\n"
    assert second == f"{delivery}: was seen before, by Alice\n"
    assert "is marked as seen" in run("deliveries", "unseen").stderr
    assert run("deliveries", "unseen", "--format", "json").stdout == "[]\n"
    assert "there is no delivery 'dlv_00'" in run("deliveries", "acknowledge", "dlv_00", exits=2).output


def test_an_operator_confirms_an_address_or_asks_it_again(run: Run, environ: dict[str, str]) -> None:
    database = Database(environ["TRIALDELTA_DATABASE_URL"])
    upgrade(database.url)
    with database.write() as connection:
        confirmations.require(connection, True, NOW)
        subscriptions.save(connection, Subscription(name="all", to=("mailto:a@example.org",)), NOW)
    database.dispose()

    asked = run("address", "ask", "mailto:a@example.org").stdout
    confirmed = run("address", "confirm", "mailto:a@example.org").stdout

    assert "is asked by dlv_" in asked
    assert confirmed == "mailto:a@example.org: confirmed\n"
    assert run("address", "ask", "mailto:a@example.org").stdout == "mailto:a@example.org: needs no confirmation\n"
    assert "there is no address" in run("address", "confirm", "mailto:b@example.org", exits=2).output


def settings_with(**given: str) -> Settings:
    return load({f"TRIALDELTA_{name.upper()}": value for name, value in given.items()}, Path("no-such.env"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({"base_url": "http://127.0.0.1:8383"}, False),
        ({"base_url": "https://trials.example.org"}, True),
        ({"host": "0.0.0.0"}, True),
        ({"base_url": "https://trials.example.org", "confirm_addresses": "false"}, False),
        ({"confirm_addresses": "true"}, True),
    ],
    ids=str,
)
def test_new_addresses_are_asked_where_others_reach_the_page(given: dict[str, str], wanted: bool) -> None:
    assert is_confirmation_wanted(settings_with(**given)) is wanted


def test_what_the_daemon_decides_holds_for_commands_and_replicas(database: Database) -> None:
    decide(settings_with(confirm_addresses="true"), database, NOW)
    decide(settings_with(confirm_addresses="true"), database, NOW)

    with database.write() as connection:
        subscriptions.save(connection, Subscription(name="all", to=("mailto:a@example.org",)), NOW)
        assert [each.uri for each in confirmations.waiting(connection)] == ["mailto:a@example.org"]


def test_the_first_page_is_small_and_asks_nobody_else(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        watch(connection, "NCT99000001")
        for number in range(60):
            tell(connection, change(site=BEIJING, summary=f"{number}: " + "a sentence " * 12), at=NOW)
    with serving(sqlite_database) as site:
        browser = site.signed_in()
        page = browser.get("/")
        parts = [browser.get(path) for path in loaded(page.text)]

    assert sum(len(each.content) for each in (page, *parts)) < 60_000
    assert all(part.headers["cache-control"] == "public, max-age=31536000, immutable" for part in parts)
    assert csrf(page)
    assert OWN_TOKEN not in page.text


def loaded(html: str) -> list[str]:
    """What a browser loads for a page; every one of it from this site."""
    import re

    found = re.findall(r'(?:src|link rel="(?:stylesheet|icon)" href)="([^"]+)"', html)
    assert found
    assert all(each.startswith("/") and not each.startswith("//") for each in found)
    return sorted(set(found))


def test_what_a_registry_says_is_text_and_never_markup(sqlite_database: Database) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}\u202e'
    with sqlite_database.write() as connection:
        watch(connection, "NCT99000001")
        tell(connection, change(summary=attack, label=attack), at=NOW)
    with serving(sqlite_database) as site:
        page = site.signed_in().get("/").text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "{{ 7*7 }}" in page
    assert "\u202e" not in page
