"""What is written down of threats and bad days names tests that there are; and what no other test shows of threats."""

import re
import sqlite3
from pathlib import Path

import pytest

from monitor.demo.standin import StandIn
from notifiers.subscriptions import Subscription
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, trial
from tests.monitor.web.browsing import OWN_TOKEN, serving
from tests.registries import nct

ROOT = Path(__file__).parents[1]
SECURITY, BAD_DAYS = ROOT / "docs" / "security.md", ROOT / "docs" / "bad-days.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
THREATS = ("registry", "webhook", "visits", "links in mails", "stolen backup", "hostile audit file")
DAYS_THAT_ARE_BAD = (
    ("half of the records are missing", "all ids are others", "all texts are rewritten"),
    ("restarted", "fails over", "full", "no connection left"),
    ("clock is set back", "dns", "down for a weekend"),
    ("killed in the middle of a migration",),
)


def is_there(file: str, test: str) -> bool:
    return re.search(rf"^ *def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE) is not None


@pytest.mark.parametrize("document", [SECURITY, BAD_DAYS], ids=lambda path: path.stem)
def test_every_test_that_is_named_is_there(document: Path) -> None:
    named = NAMED.findall(document.read_text(encoding="utf-8"))

    assert len(named) > 15
    assert [f"{file}::{test}" for file, test in named if not is_there(file, test)] == []


def test_each_threat_is_written_down_and_each_of_its_lines_names_a_test_or_says_that_it_is_not_covered() -> None:
    sections = SECURITY.read_text(encoding="utf-8").split("\n## ")[1:]
    titles = [section.splitlines()[0].casefold() for section in sections]

    assert [threat for threat in THREATS if not any(threat in title for title in titles)] == []
    for section in sections:
        lines = re.split(r"\n- ", section)[1:]
        assert [line for line in lines if not NAMED.search(line) and not line.startswith("Not covered")] == []
        assert NAMED.search(section), section.splitlines()[0]


def test_each_bad_day_is_written_down_with_what_is_seen_what_to_do_and_a_test() -> None:
    sections = BAD_DAYS.read_text(encoding="utf-8").split("\n## ")[1:]
    rows = [
        [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line[:2] == "| "][
            1:
        ]
        for section in sections
    ]

    for section, days in zip(rows, DAYS_THAT_ARE_BAD, strict=False):
        happens = [row[0].casefold() for row in section]
        assert [day for day in days if not any(day in each for each in happens)] == []
    for row in [row for section in rows for row in section]:
        assert len(row) == 4, row
        assert all(row)
        assert NAMED.search(row[3]), row[0]


# --- a stolen backup --------------------------------------------------------------------------------------------------


def test_a_stolen_backup_holds_no_password_of_the_settings_and_no_token_that_opens_the_page(
    sqlite_database: Database, standin: StandIn, tmp_path: Path
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(nct(1))
    stage.subscribe(Subscription(name="all", to=("mailto:alice@example.org",)))
    stage.day(DAYS[0], trial(nct(1)))
    stage.day(DAYS[1], trial(nct(1), RECRUITING, DAYS[1]))
    password = "s3cretMARK-smtp"
    with serving(sqlite_database, smtp_url=f"smtp://me:{password}@127.0.0.1:9", mail_from="a@example.org") as site:
        session = dict(site.signed_in().cookies)
        reader = site.token("dashboard")
        assert site.client(reader).get("/health").status_code == 200
    copy = tmp_path / "stolen.sqlite3"
    with sqlite3.connect(f"file:{sqlite_database.file}?mode=ro", uri=True) as raw, sqlite3.connect(copy) as stolen:
        raw.backup(stolen)
    for each in (raw, stolen):
        each.close()
    content = copy.read_bytes()

    assert b"alice@example.org" in content  # it is a whole backup
    for secret in (password, OWN_TOKEN, reader, *session.values()):
        assert secret.encode() not in content
