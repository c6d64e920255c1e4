"""Secrets stand where they were put and nowhere else."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import trialdelta
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from tests.monitor.stage import DAYS, RECRUITING, trial
from tests.registries import nct

ONE = nct(1)
MARK = "s3cretMARK"
FILE = f"""
[[watch]]
id = "{ONE}"

[[address]]
uri = "https://127.0.0.1:9/hook"
secret = "whsec_czNjcmV0TUFSS3dlYmhvb2tzZWNyZXRmb3J0ZXN0cw=="

[[subscription]]
name = "all"
to = ["mailto:alice@example.org", "https://127.0.0.1:9/hook"]
watches = "all"
"""
IN_FILE = "czNjcmV0TUFSS3dlYmhvb2tzZWNyZXRmb3J0ZXN0cw"
COMMANDS = (
    ("settings",),
    ("settings", "--format", "json"),
    ("doctor",),
    ("export",),
    ("deliveries", "list", "--format", "json"),
    ("address", "list"),
    ("history", ONE),
    ("check", "--deliver"),
    ("db", "copy", f"postgresql://me:{MARK}-copy@127.0.0.1:9/nowhere"),
)


def test_no_secret_of_the_settings_or_of_an_address_is_printed_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with StandIn() as standin, MailSink() as mail:
        standin.publish(DAYS[0], {ONE: trial(ONE)})
        place = mail.url.removeprefix("smtp://").partition("?")[0]
        environ = {
            "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/secrets.sqlite3",
            "TRIALDELTA_CTGOV_URL": standin.url,
            "TRIALDELTA_REQUEST_INTERVAL": "0",
            "TRIALDELTA_SMTP_URL": f"smtp://me:{MARK}-smtp@{place}?starttls=never",
            "TRIALDELTA_MAIL_FROM": "alerts@example.org",
            "TRIALDELTA_PING_URL": f"http://127.0.0.1:9/{MARK}-ping",
            "TRIALDELTA_ACCESS_TOKEN": f"{MARK}-access-token",
            "TRIALDELTA_ALLOW_PRIVATE_NETWORKS": "true",
            "TRIALDELTA_LOG_LEVEL": "debug",
        }
        (tmp_path / "watchlist.toml").write_text(FILE)
        applied = _said(("apply", "watchlist.toml"), environ)
        first = _said(("check",), environ)
        standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, DAYS[1])})
        said = [applied, first, *(_said(each, environ) for each in COMMANDS)]
        bad = {**environ, "TRIALDELTA_DATABASE_URL": f"mysql://me:{MARK}-other@127.0.0.1/db"}
        said += [_said(("check",), bad)]
        wrong = {**environ, "TRIALDELTA_SMTP_URL": f"smpt://me:{MARK}-typo@127.0.0.1"}
        said += [_said(("settings",), wrong)]

    assert all(said)
    for words in said:
        assert MARK not in words
        assert IN_FILE not in words
    assert not any(MARK.encode() in letter.raw for letter in mail.letters)


def _said(arguments: tuple[str, ...], environ: dict[str, str]) -> str:
    run = CliRunner(env=environ).invoke(trialdelta, list(arguments))
    return f"{arguments[0]}: {run.stdout} {run.stderr} {run.exception}"
