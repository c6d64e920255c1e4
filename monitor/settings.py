"""What the operator set: every `TRIALDELTA_…` variable, where its value came from, and what is wrong with it.

Values come from the environment, else from a file `.env` in the current directory, else from the default. Each can
also be given as `TRIALDELTA_<NAME>_FILE`, the path of a file that holds it, so that secrets need not stand in the
environment. Watches and subscriptions are no settings: they live in the database.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import asdict

from monitor import __version__

PREFIX = "TRIALDELTA_"
MASK = "***"


class SettingsError(Exception):
    """A setting that cannot be used. The message names the variable, its value (masked) and what is expected."""


class Settings(Struct, frozen=True, kw_only=True):
    """All settings, typed. Durations are in seconds; None means "not set"."""

    database_url: str
    ctgov_url: str
    user_agent: str
    request_interval: float
    sweep_schedule: float
    backfill: bool
    smtp_url: str | None
    mail_from: str | None
    base_url: str | None
    host: str
    port: int
    operator: str | None
    ping_url: str | None
    access_token: str | None
    page: bool
    trusted_proxies: tuple[str, ...]
    confirm_addresses: bool | None
    allow_private_networks: bool
    log_format: str
    log_level: str


class Setting(Struct, frozen=True, kw_only=True):
    """One variable: how its text is read, what is expected of it, and what it is for."""

    name: str
    meaning: str
    expected: str
    read: Callable[[str], Any]
    default: str | None = None
    default_words: str | None = None
    mask: Callable[[str], str] = str

    @property
    def variable(self) -> str:
        return PREFIX + self.name


class Resolved(Struct, frozen=True, kw_only=True):
    """One setting with its value and its source ("default", "environment", ".env" or the file that was read)."""

    setting: Setting
    value: Any
    text: str | None
    source: str

    @property
    def shown(self) -> str | None:
        """The value as it may be printed: secrets masked, also inside addresses."""
        return None if self.text is None else self.setting.mask(self.text)


def load(environ: Mapping[str, str], env_file: Path = Path(".env")) -> Settings:
    """The settings in force. Raises SettingsError for the first one that cannot be used."""
    return Settings(**{each.setting.name.lower(): each.value for each in resolve(environ, env_file)})


def resolve(environ: Mapping[str, str], env_file: Path = Path(".env")) -> list[Resolved]:
    """Every setting with its value and source, in the order of the documentation. Raises SettingsError."""
    written = dict(read_env_file(env_file))
    _refuse_unknown(written, env_file)
    return [_resolve(setting, environ, written) for setting in SETTINGS]


def in_force(settings: Settings) -> list[Resolved]:
    """These settings, with their texts to be shown masked; the source is "set" or "default"."""
    nowhere = Path("/nonexistent/.env")
    usual = {each.setting.name: each.text for each in resolve({}, nowhere)}
    found = resolve(environment(settings), nowhere)
    return [
        Resolved(setting=one.setting, value=one.value, text=one.text, source=_set_or_default(one, usual))
        for one in found
    ]


def _set_or_default(one: Resolved, usual: Mapping[str, str | None]) -> str:
    default = usual[one.setting.name]
    same = default is not None and one.text is not None and one.setting.read(default) == one.value
    return "default" if same or one.text is None else "set"


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables of the environment that look like settings and are none, each with the likeliest meant name.

    They are no error: Kubernetes puts `TRIALDELTA_PORT_8383_TCP` and the like there for a service of our name.
    """
    return [_unknown(name) for name in sorted(environ) if name.startswith(PREFIX) and name not in _VARIABLES]


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give these settings to another process of this program."""
    values = {name: value for name, value in asdict(settings).items() if value is not None}
    return {PREFIX + name.upper(): _as_text(name, value) for name, value in values.items()}


def read_env_file(path: Path) -> Iterator[tuple[str, str]]:
    """The `NAME=value` lines of an env file; a missing file has none.

    Blank lines and lines that begin with `#` are skipped, and so is what follows a blank and `#` outside of quotes;
    `export ` before a name is allowed; a value may stand in single or double quotes; nothing is expanded. Raises
    SettingsError naming the line that is something else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors of Windows begin a file with a byte order mark
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _env_line(path, number, line)


def example() -> str:
    """The text of `.env.example`: every setting, commented out, with its default and its meaning."""
    head = (
        "# Settings of trialdelta. Copy this file to .env and change what you need; the environment wins over .env.\n"
        "# Each setting can also be given as TRIALDELTA_<NAME>_FILE=<path of a file that holds the value>.\n"
    )
    return head + "".join(f"\n{_example(setting)}" for setting in SETTINGS)


def mask_url(text: str) -> str:
    """The address with its password masked, and what its query calls password, secret or token.

    Works on what is no address too: an error about a mistyped one must not print its password.
    """
    before, at, after = text.rpartition("@")
    user = re.match(r"([\w+.-]+://+)?[^:]*", before)
    if at and user and user.end() < len(before):
        before = f"{user[0]}:{MASK}"
    return _SECRET_IN_QUERY.sub(rf"\1{MASK}", before + at + after)


def mask_path(text: str) -> str:
    """The address of a ping, whose path is its secret."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{MASK}"


_SECRET_IN_QUERY = re.compile(r"([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&]*", re.IGNORECASE)
_ENV_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_BEFORE_COMMENT = re.compile(r"(?:^|\s+)#")
_QUOTED = re.compile(r"""(['"])(.*?)\1\s*(?:#.*)?""")
_DURATION = re.compile(r"^(?:every )?\s*(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _resolve(setting: Setting, environ: Mapping[str, str], written: Mapping[str, str]) -> Resolved:
    for values, source in ((environ, "environment"), (written, ".env")):
        found = _given(setting, values, source)
        if found:
            text, place = found
            return Resolved(setting=setting, value=_read(setting, text, place), text=text, source=place)
    default = _default(setting)
    value = None if default is None else setting.read(default)
    return Resolved(setting=setting, value=value, text=default, source="default")


def _given(setting: Setting, values: Mapping[str, str], source: str) -> tuple[str, str] | None:
    """The text given for a setting and its source. An empty value counts as not given, as compose files write it."""
    direct, path = values.get(setting.variable), values.get(setting.variable + "_FILE")
    if direct and path:
        raise SettingsError(f"{setting.variable} and {setting.variable}_FILE are both set; keep one of them")
    if path:
        return _secret_file(setting, Path(path)), f"file {path}"
    return (direct, source) if direct else None


def _secret_file(setting: Setting, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise SettingsError(f"{setting.variable}_FILE={path} cannot be read: {reason}") from error
    if not text:
        raise SettingsError(f"{setting.variable}_FILE={path} is empty; expected {setting.expected}")
    return text


def _read(setting: Setting, text: str, source: str) -> Any:
    try:
        return setting.read(text)
    except ValueError:
        # the cause holds the text as it was given, and --debug would print it
        words = f"{setting.variable}={setting.mask(text)!r} ({source}): expected {setting.expected}"
        raise SettingsError(words) from None


def _default(setting: Setting) -> str | None:
    return _sqlite_default() if setting.name == "DATABASE_URL" else setting.default


def _sqlite_default() -> str:
    from platformdirs import user_data_path

    return "sqlite:///" + str(user_data_path("trialdelta") / "trialdelta.sqlite3")


def _refuse_unknown(written: Mapping[str, str], path: Path) -> None:
    for name in written:
        if name.startswith(PREFIX) and name not in _VARIABLES:
            raise SettingsError(f"{path}: {_unknown(name)}")


def _unknown(name: str) -> str:
    near = get_close_matches(name, _VARIABLES, n=1)
    return f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")


def _env_line(path: Path, number: int, line: str) -> tuple[str, str]:
    match = _ENV_LINE.match(line)
    if not match:
        raise SettingsError(f"{path}, line {number}: expected NAME=value, a comment or nothing")
    name, value = match.groups()
    if value[:1] not in {"'", '"'}:
        return name, _BEFORE_COMMENT.split(value, maxsplit=1)[0]
    quoted = _QUOTED.fullmatch(value)
    if not quoted:
        raise SettingsError(f"{path}, line {number}: the quote that {name} begins with is not closed")
    return name, quoted[2]


def _example(setting: Setting) -> str:
    value = setting.default or ""
    default = f" Default: {setting.default_words}." if setting.default_words else ""
    return f"# {setting.meaning}{default}\n# Expected: {setting.expected}.\n# {setting.variable}={value}\n"


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g} s" if name == "sweep_schedule" else str(value)


def _read_text(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError(text)
    return text


def _read_one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return read


def _read_bool(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _read_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise ValueError(text)
    return seconds


def _read_schedule(text: str) -> float:
    match = _DURATION.match(text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2][0]] if match else 0.0
    if not 1 <= seconds <= 7 * 86400:
        raise ValueError(text)
    return seconds


def _read_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ValueError(text)
    return int(text)


def _read_url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = urlsplit(_read_text(text))
        if (
            any(letter.isspace() for letter in text)
            or parts.scheme not in schemes
            or not parts.hostname
            or (parts.port or 1) < 1
        ):
            raise ValueError(text)
        return text.rstrip("/")

    return read


def _read_public_url(text: str) -> str:
    if "@" in urlsplit(text).netloc:
        raise ValueError(text)
    return _http_url(text)


def _read_database_url(text: str) -> str:
    if not re.match(r"(sqlite:///|postgresql(\+psycopg)?://)[^\s]", _read_text(text)):
        raise ValueError(text)
    return text


def _read_mailbox(text: str) -> str:
    from email.utils import parseaddr

    local, at, domain = parseaddr(_read_text(text))[1].rpartition("@")
    if not (local and at and domain) or " " in local + domain:
        raise ValueError(text)
    return text


def _read_operator(text: str) -> str:
    return _http_url(text) if text.startswith("https:") else _read_mailbox(text.removeprefix("mailto:"))


def _read_networks(text: str) -> tuple[str, ...]:
    from ipaddress import ip_network

    return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())


def _mask_all(text: str) -> str:
    return MASK if text else text


_http_url = _read_url("https", "http")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="DATABASE_URL",
        meaning="Where everything is kept.",
        expected="sqlite:///path/of/a/file or postgresql://user:password@host/database",
        read=_read_database_url,
        default_words="a SQLite file in your data directory",
        mask=mask_url,
    ),
    Setting(
        name="CTGOV_URL",
        meaning="Where ClinicalTrials.gov is asked.",
        expected="an address that begins with https:// or http://",
        read=_http_url,
        default="https://clinicaltrials.gov",
        mask=mask_url,
    ),
    Setting(
        name="USER_AGENT",
        meaning="How this program introduces itself to the registry.",
        expected="one line of text",
        read=_read_text,
        default=f"trialdelta/{__version__} (watches trial records; one request at a time)",
    ),
    Setting(
        name="REQUEST_INTERVAL",
        meaning="Seconds between two requests to the registry; its robots.txt asks for 1.",
        expected="a number of seconds from 0 to 3600",
        read=_read_seconds,
        default="1",
    ),
    Setting(
        name="SWEEP_SCHEDULE",
        meaning="How often the registry is asked whether it has a new release; only then records are fetched.",
        expected='a duration from 1 s to 7 days, such as "30 min" or "2 h"',
        read=_read_schedule,
        default="30 min",
    ),
    Setting(
        name="BACKFILL",
        meaning="Whether the past versions of what is watched are fetched from the registry's history, between sweeps.",
        expected="true or false",
        read=_read_bool,
        default="true",
    ),
    Setting(
        name="SMTP_URL",
        meaning="The mail server that alerts leave by. Without it no mail can be sent.",
        expected="smtp://user:password@host:587?starttls=required or smtps://user:password@host",
        read=_read_url("smtp", "smtps"),
        mask=mask_url,
    ),
    Setting(
        name="MAIL_FROM",
        meaning="The sender of mails.",
        expected="a mail address, such as alerts@example.org or Trial alerts <alerts@example.org>",
        read=_read_mailbox,
    ),
    Setting(
        name="BASE_URL",
        meaning="What others reach this program's page by. Without it messages carry no links to it.",
        expected="an address that begins with https:// or http://, without a password: every message carries it",
        read=_read_public_url,
        mask=mask_url,
    ),
    Setting(
        name="HOST",
        meaning="The network address of page and API; beyond loopback it needs TRIALDELTA_ACCESS_TOKEN.",
        expected="a host name or an IP address",
        read=_read_text,
        default="127.0.0.1",
    ),
    Setting(
        name="PORT",
        meaning="The port that the page and the API listen on.",
        expected="a port number from 1 to 65535",
        read=_read_port,
        default="8383",
    ),
    Setting(
        name="OPERATOR",
        meaning="Who hears of trouble that nobody would see: once when it begins, and once when it is over.",
        expected="a mail address, such as you@example.org, or mailto:… or https://…",
        read=_read_operator,
    ),
    Setting(
        name="PING_URL",
        meaning="A dead-man's switch: this address is asked after each good sweep.",
        expected="an address that begins with https:// or http://",
        read=_http_url,
        mask=mask_path,
    ),
    Setting(
        name="ACCESS_TOKEN",
        meaning="What opens the page and the API.",
        expected="one line of text, 16 characters or more",
        read=_read_text,
        default_words="made at the first start, into a file that only you can read; the log names it",
        mask=_mask_all,
    ),
    Setting(
        name="PAGE",
        meaning="Whether `trialdelta run` serves the page and the API; of several daemons one is enough.",
        expected="true or false",
        read=_read_bool,
        default="true",
    ),
    Setting(
        name="TRUSTED_PROXIES",
        meaning="The reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
        expected="network addresses with commas between, such as 127.0.0.1, 10.0.0.0/8",
        read=_read_networks,
        default="",
        default_words="none",
    ),
    Setting(
        name="CONFIRM_ADDRESSES",
        meaning="Whether a new mail address is asked, and confirms, before it is told anything.",
        expected="true or false",
        read=_read_bool,
        default_words="true where others reach the page (by host or base URL), else false",
    ),
    Setting(
        name="ALLOW_PRIVATE_NETWORKS",
        meaning="Whether webhooks may go to private and loopback addresses, and by plain http.",
        expected="true or false",
        read=_read_bool,
        default="false",
    ),
    Setting(
        name="LOG_FORMAT",
        meaning="How the daemon's log is written; auto: console on a terminal, else JSON. Commands use plain words.",
        expected="auto, console or json",
        read=_read_one_of("auto", "console", "json"),
        default="auto",
    ),
    Setting(
        name="LOG_LEVEL",
        meaning="What the log tells.",
        expected="debug, info, warning or error",
        read=_read_one_of("debug", "info", "warning", "error"),
        default="info",
    ),
)

_VARIABLES = frozenset(setting.variable + suffix for setting in SETTINGS for suffix in ("", "_FILE"))
