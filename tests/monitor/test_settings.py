"""What the operator set is what holds, or one line says what is wrong with it."""

from pathlib import Path

import pytest

from monitor import __version__
from monitor.settings import (
    SETTINGS,
    Settings,
    SettingsError,
    environment,
    example,
    load,
    mask_url,
    resolve,
    unknown_variables,
)

ROOT = Path(__file__).parents[2]
NOWHERE = Path("no-such.env")


def shown(given: dict[str, str], name: str, env_file: Path = NOWHERE) -> tuple[str | None, str]:
    each = next(each for each in resolve(given, env_file) if each.setting.name == name)
    return each.shown, each.source


def test_without_any_setting_everything_has_a_usable_default() -> None:
    found = load({}, NOWHERE)

    assert found.database_url.startswith("sqlite:///")
    assert found.ctgov_url == "https://clinicaltrials.gov"
    assert (found.request_interval, found.sweep_schedule) == (1.0, 1800.0)
    assert (found.host, found.port, found.allow_private_networks) == ("127.0.0.1", 8383, False)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("TRIALDELTA_PORT=9001\nTRIALDELTA_HOST=0.0.0.0\n")

    found = load({"TRIALDELTA_PORT": "9002"}, file)

    assert (found.port, found.host) == (9002, "0.0.0.0")
    assert shown({"TRIALDELTA_PORT": "9002"}, "HOST", file) == ("0.0.0.0", ".env")


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "smtp"
    secret.write_text("smtp://me:hidden@mail.example.org\n")

    given = {"TRIALDELTA_SMTP_URL_FILE": str(secret)}

    assert load(given, NOWHERE).smtp_url == "smtp://me:hidden@mail.example.org"
    assert shown(given, "SMTP_URL") == ("smtp://me:***@mail.example.org", f"file {secret}")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_can_be_given_as_a_file(setting: object, tmp_path: Path) -> None:
    name = setting.variable + "_FILE"  # type: ignore[attr-defined]

    with pytest.raises(SettingsError, match=f"^{name}=.*no-such-file cannot be read: No such file"):
        load({name: str(tmp_path / "no-such-file")}, NOWHERE)


def test_a_value_and_a_file_of_it_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRIALDELTA_PORT and TRIALDELTA_PORT_FILE are both set"):
        load({"TRIALDELTA_PORT": "1", "TRIALDELTA_PORT_FILE": str(tmp_path)}, NOWHERE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "tcp://10.0.0.1:80"),
        ("REQUEST_INTERVAL", "-1"),
        ("REQUEST_INTERVAL", "nan"),
        ("SWEEP_SCHEDULE", "soon"),
        ("SWEEP_SCHEDULE", "0 min"),
        ("SMTP_URL", "mail.example.org"),
        ("MAIL_FROM", "nobody"),
        ("BASE_URL", "ftp://example.org"),
        ("DATABASE_URL", "mysql://x"),
        ("ALLOW_PRIVATE_NETWORKS", "maybe"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named_with_what_is_expected(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({f"TRIALDELTA_{name}": value}, NOWHERE)

    assert str(raised.value).startswith(f"TRIALDELTA_{name}={value!r} (environment): expected ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("text", "seconds"), [("30 min", 1800), ("every 2 h", 7200), ("45s", 45), ("1 day", 86400)])
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert load({"TRIALDELTA_SWEEP_SCHEDULE": text}, NOWHERE).sweep_schedule == seconds


def test_an_empty_value_counts_as_not_given() -> None:
    assert load({"TRIALDELTA_SMTP_URL": ""}, NOWHERE).smtp_url is None


def test_the_env_file_takes_comments_quotes_and_export(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# ours\n\nexport TRIALDELTA_HOST = '::1'\nTRIALDELTA_USER_AGENT=\"a # b\"\nOTHER=1\n")

    found = load({}, file)

    assert (found.host, found.user_agent) == ("::1", "a # b")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "line 2: expected NAME=value"),
        ("TRIALDELTA_HOST='x", "line 2: the quote that TRIALDELTA_HOST begins with is not closed"),
        ("TRIALDELTA_SMPT_URL=x", "did you mean TRIALDELTA_SMTP_URL"),
    ],
)
def test_a_wrong_line_of_the_env_file_is_named(line: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# first\n{line}\n")

    with pytest.raises(SettingsError, match=complaint):
        load({}, file)


def test_what_kubernetes_puts_into_the_environment_is_a_note_and_no_error() -> None:
    given = {"TRIALDELTA_PORT_8383_TCP": "tcp://10.0.0.1:8383", "TRIALDELTA_PORT_8383_TCP_ADDR": "10.0.0.1"}

    assert load(given, NOWHERE).port == 8383
    assert len(unknown_variables(given)) == 2


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (
            "smtp://me:p@ss:word@mail.example.org:587?starttls=required",
            "smtp://me:***@mail.example.org:587?starttls=required",
        ),
        ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("smtp//me:secret@host", "smtp//me:***@host"),
        ("mail.example.org:secret@25", "mail.example.org:***@25"),
        ("smtp:me:secret@host", "smtp:***@host"),
        ("sqlite:////var/lib/trialdelta.sqlite3", "sqlite:////var/lib/trialdelta.sqlite3"),
    ],
)
def test_passwords_are_masked_inside_addresses_even_mistyped_ones(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_secrets_are_masked_in_what_is_shown() -> None:
    assert shown({"TRIALDELTA_ACCESS_TOKEN": "hush"}, "ACCESS_TOKEN")[0] == "***"
    assert (
        shown({"TRIALDELTA_PING_URL": "https://ping.example.org/secret"}, "PING_URL")[0]
        == "https://ping.example.org/***"
    )


def test_the_example_file_is_what_the_settings_are() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example()


def test_the_example_file_is_itself_a_file_of_settings() -> None:
    assert load({}, ROOT / ".env.example") == load({}, NOWHERE)


def test_every_setting_has_its_attribute() -> None:
    assert [setting.name.lower() for setting in SETTINGS] == list(Settings.__struct_fields__)


def test_settings_can_be_handed_to_another_process() -> None:
    found = load({"TRIALDELTA_PORT": "1234", "TRIALDELTA_SWEEP_SCHEDULE": "90 s"}, NOWHERE)

    assert load(environment(found), NOWHERE) == found


def test_the_version_is_that_of_the_project_file() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_an_env_file_as_other_systems_and_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(
        b"\xef\xbb\xbfTRIALDELTA_PORT=9001 # the page\r\n"
        b"export TRIALDELTA_MAIL_FROM='news@example.org'  # who writes\r\n"
        b'TRIALDELTA_USER_AGENT="a # b"\r\n'
        b"TRIALDELTA_ACCESS_TOKEN=a#b\t# the company's\r\n"
        b"TRIALDELTA_HOST= # later\r\n"
    )

    found = {each.setting.name: each.text for each in resolve({}, file)}

    assert (found["PORT"], found["MAIL_FROM"], found["USER_AGENT"]) == ("9001", "news@example.org", "a # b")
    assert found["ACCESS_TOKEN"] == "a#b"
    assert found["HOST"] == "127.0.0.1"


def test_words_after_a_closed_quote_are_an_error_that_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('TRIALDELTA_MAIL_FROM="a@example.org" b\n')

    with pytest.raises(SettingsError, match=r"line 1.*TRIALDELTA_MAIL_FROM"):
        resolve({}, file)


@pytest.mark.parametrize("name", ["CTGOV_URL"])
def test_a_sign_in_for_any_address_is_masked(name: str) -> None:
    given = {f"TRIALDELTA_{name}": "https://me:hunter2@mirror.example.org/api"}

    assert shown(given, name) == ("https://me:***@mirror.example.org/api", "environment")
    with pytest.raises(SettingsError) as refused:
        load({f"TRIALDELTA_{name}": "ftp://me:hunter2@mirror.example.org"}, NOWHERE)
    assert "hunter2" not in str(refused.value)


def test_what_every_message_carries_has_no_password() -> None:
    with pytest.raises(SettingsError, match="without a password") as refused:
        load({"TRIALDELTA_BASE_URL": "https://me:hunter2@trials.example.org"}, NOWHERE)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["smtps://mail.example.org # x", "smtp://mail example.org"])
def test_an_address_with_a_blank_in_it_is_none(address: str) -> None:
    with pytest.raises(SettingsError, match="TRIALDELTA_SMTP_URL"):
        load({"TRIALDELTA_SMTP_URL": address}, NOWHERE)
