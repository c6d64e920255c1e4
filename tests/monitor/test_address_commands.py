"""`trialdelta address` and the secrets of web addresses, from the command to what a receiver verifies."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from werkzeug import Request

from monitor.cli.program import trialdelta
from notifiers import addresses, ledger
from snapshots.database import Database

TOKEN = "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345678/55501"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIALDELTA_DATABASE_URL", f"sqlite:///{tmp_path}/own.sqlite3")
    monkeypatch.setenv("TRIALDELTA_ALLOW_PRIVATE_NETWORKS", "true")
    yield tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(trialdelta, list(arguments))
    assert result.exit_code == code, result.output
    return result


def secret_in(result: Result) -> str:
    found = re.search(r"whsec_\S+", result.stdout)
    assert found
    return found[0]


def verified(request: Request, secret: str) -> object:
    return Webhook(secret).verify(request.data, dict(request.headers))


def test_a_test_goes_the_way_of_a_real_alert_signed_by_the_secret_that_was_shown(
    place: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("thanks")
    secret = secret_in(run("subscription", "add", "ours", "--to", httpserver.url_for("/hook")))

    run("subscription", "test", "ours")

    (request, _) = httpserver.log[-1]
    assert verified(request, secret)["type"] == "test"  # type: ignore[index]
    database = Database(f"sqlite:///{place}/own.sqlite3")
    with database.read() as connection:
        (entry,) = ledger.listing(connection)
    database.dispose()
    assert (entry.delivery_id, entry.type) == (request.headers["webhook-id"], "test")
    assert [(one.outcome, one.answer) for one in entry.tries] == [("delivered", "HTTP 200: thanks")]


def test_while_a_secret_rotates_both_sign_and_afterwards_the_new_one_alone(place: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    uri = httpserver.url_for("/hook")
    old = secret_in(run("subscription", "add", "ours", "--to", uri))

    new = secret_in(run("address", "rotate", uri, "--hours", "1"))
    run("subscription", "test", "ours")
    (both, _) = httpserver.log[-1]
    newest = secret_in(run("address", "rotate", uri, "--hours", "0", "--force"))
    run("subscription", "test", "ours")
    (alone, _) = httpserver.log[-1]

    assert len(both.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        verified(both, secret)
    verified(alone, newest)
    for secret in (old, new):
        with pytest.raises(WebhookVerificationError):
            verified(alone, secret)


def test_a_rotation_under_way_is_not_cut_short_by_accident(place: Path) -> None:
    uri = "https://hooks.example.org/trials"
    run("subscription", "add", "ours", "--to", uri)
    run("address", "rotate", uri)

    refused = run("address", "rotate", uri, code=2)

    assert "changes secrets already: two sign now; --force drops the older one" in refused.stderr


def test_only_web_addresses_have_secrets(place: Path) -> None:
    run("subscription", "add", "ours", "--to", "mailto:ann@example.org")

    assert "has no secret" in run("address", "rotate", "mailto:ann@example.org", code=2).stderr


def test_an_address_is_switched_off_and_on_and_says_who_answers_for_it(place: Path) -> None:
    run("subscription", "add", "ours", "--to", "mailto:ann@example.org")

    run("address", "off", "mailto:ann@example.org", "--reason", "on leave")
    run("address", "owner", "mailto:ann@example.org", "Ann's office")

    (listed,) = msgspec.json.decode(run("address", "list", "--format", "json").stdout)
    assert (listed["state"], listed["state_reason"], listed["owner"]) == ("off", "on leave", "Ann's office")
    shown = run("address", "show", "mailto:ann@example.org").stdout
    assert "on leave" in shown
    assert "told by:      ours" in shown
    run("address", "on", "mailto:ann@example.org")
    assert (
        msgspec.json.decode(run("address", "show", "mailto:ann@example.org", "--format", "json").stdout)["state"]
        == "on"
    )


def test_without_any_address_it_says_how_to_begin(place: Path) -> None:
    assert "trialdelta subscription add" in run("address", "list").stderr
    assert "there is no address" in run("address", "show", "mailto:eve@example.org", code=2).stderr


def test_no_command_shows_a_service_address_or_any_secret_again(place: Path) -> None:
    pytest.importorskip("apprise", reason="the extra trialdelta[apprise] is not installed")
    secret = secret_in(run("subscription", "add", "ours", "--to", "https://hooks.example.org/x", "--to", TOKEN))
    masked = addresses.shown(TOKEN)

    said = [
        run(*command).output
        for command in (
            ("address", "list"), ("address", "list", "--format", "json"), ("address", "show", masked),
            ("subscription", "list"), ("subscription", "show", "ours"), ("export",), ("address", "off", masked),
        )
    ]  # fmt: skip

    assert masked in said[0]
    assert "abcdefghijklmnop" not in "".join(said)
    assert secret not in "".join(said)


def test_an_export_without_secrets_is_known_again_where_it_comes_from_and_refused_elsewhere(place: Path) -> None:
    pytest.importorskip("apprise", reason="the extra trialdelta[apprise] is not installed")
    hook = "https://me:pass-word@hooks.example.org/x"
    run("subscription", "add", "ours", "--to", hook, "--to", TOKEN)
    (place / "export.toml").write_text(run("export").stdout)
    (place / "whole.toml").write_text(run("export", "--with-secrets").stdout)

    again = run("apply", "export.toml", "--prune")
    run("subscription", "remove", "ours")
    for each in place.glob("*.sqlite3*"):
        each.unlink()
    elsewhere = run("apply", "export.toml", code=2)
    whole = run("apply", "whole.toml")

    assert "pass-word" not in (place / "export.toml").read_text()
    assert "Nothing to do" in again.stderr
    assert "whole" not in elsewhere.stderr
    assert "+ subscription ours" in whole.stdout


def test_templates_of_a_subscription_are_checked_when_it_is_saved_and_can_be_looked_at(place: Path) -> None:
    run("templates", "copy", "own")
    (place / "own" / "trial.changed" / "subject.txt").write_text("{{ nothing }}")

    refused = run("subscription", "add", "ours", "--to", "mailto:a@example.org", "--templates", "own", code=2)
    (place / "list.toml").write_text(
        f'[[subscription]]\nname = "x"\nto = ["mailto:a@example.org"]\ntemplates = "{place}/own"\n'
    )
    applied = run("apply", "list.toml", code=2)

    for said in (refused.stderr, applied.stderr):
        assert "own/trial.changed/subject.txt, line 1: UndefinedError: 'nothing' is undefined" in said
        assert said.count("\n") == 1
    (place / "own" / "trial.changed" / "subject.txt").write_text("Ours: {{ trial.id }}")
    assert "can be used for" in run("templates", "check", "own").stdout
    run("subscription", "add", "ours", "--to", "mailto:a@example.org", "--templates", "own")
    assert "Subject: Ours: NCT" in run("templates", "preview", "ours").stderr
    run("templates", "preview", "ours", "--type", "digest", "--to", "digest.html")
    assert (place / "digest.html").read_text().startswith("<!DOCTYPE html>")


def test_a_secret_that_was_replaced_signs_until_its_time_and_no_longer(sqlite_database: Database) -> None:
    now = datetime(2026, 3, 4, 8, tzinfo=UTC)
    given = "whsec_" + base64.b64encode(b"o" * 32).decode()
    with sqlite_database.write() as connection:
        addresses.ensure(connection, "https://hooks.example.org/x", now, given)
        made = addresses.rotate(connection, "https://hooks.example.org/x", now, timedelta(hours=3))

    def secrets(hours: float) -> tuple[str, ...]:
        with sqlite_database.read() as connection:
            found = addresses.find(connection, "https://hooks.example.org/x", now + timedelta(hours=hours))
        assert found
        return found.secrets

    assert secrets(2.9) == (made, given)
    assert secrets(3) == (made,)
