"""The ways to install that are in the repository, compose file and systemd unit, as far as no engine is needed."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.settings import load, unknown_variables

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy" / "trialdelta.service"

TOP = {"services", "secrets", "volumes", "networks", "configs", "name"}
SERVICE = {
    "build": (str, dict),
    "cap_drop": list,
    "command": (str, list),
    "depends_on": (list, dict),
    "env_file": (str, list),
    "environment": (list, dict),
    "healthcheck": dict,
    "image": str,
    "init": bool,
    "ports": list,
    "profiles": list,
    "read_only": bool,
    "restart": str,
    "secrets": list,
    "security_opt": list,
    "stop_grace_period": str,
    "tmpfs": (str, list),
    "volumes": list,
}
"""Of the compose specification's keys of a service those that are used here, and what it lets stand there."""
HEALTH = {"test": (str, list), "interval": str, "timeout": str, "start_period": str, "retries": int}
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def services(compose: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(compose["services"].items())


def test_the_compose_file_has_the_specifications_keys_and_kinds_of_values(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} <= TOP
    for name, service in services(compose):
        assert "image" in service or "build" in service
        for key, value in service.items():
            assert key in SERVICE, f"{name}: {key}"
            assert isinstance(value, SERVICE[key]), f"{name}: {key}"
        assert service.get("restart", "no") in {"no", "always", "on-failure", "unless-stopped"}


def test_health_checks_are_well_formed(compose: dict[str, Any]) -> None:
    for name, service in services(compose):
        check = service["healthcheck"]
        for key, value in check.items():
            assert isinstance(value, HEALTH[key]), f"{name}: {key}"
            assert key in ("test", "retries") or DURATION.fullmatch(value), f"{name}: {key}"
        assert check["test"][0] in {"CMD", "CMD-SHELL", "NONE"}
        assert "curl" not in str(check["test"]), "the slim images have none"


def test_what_services_refer_to_is_there(compose: dict[str, Any]) -> None:
    for name, service in services(compose):
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] in CONDITIONS
            assert set(compose["services"][other]["profiles"]) <= set(service["profiles"]), f"{name} without {other}"
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
        named = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        assert set(named) <= compose["volumes"].keys()


def test_ports_are_published_to_the_hosts_loopback_alone_and_no_two_are_the_same(compose: dict[str, Any]) -> None:
    ports = [port for _, service in services(compose) for port in service.get("ports", ())]

    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_the_scale_profile_is_a_server_two_daemons_and_a_mail_catcher(compose: dict[str, Any]) -> None:
    scaled = {name for name, service in services(compose) if service.get("profiles") == ["scale"]}
    names = [compose["services"][name]["command"][2] for name in ("daemon-1", "daemon-2")]

    assert scaled == {"daemon-1", "daemon-2", "postgres", "mailcatcher"}
    assert names == ["daemon-1", "daemon-2"]


@pytest.mark.parametrize("name", ["trialdelta", "daemon-1", "daemon-2"])
def test_the_settings_of_a_service_can_be_loaded_and_let_the_page_listen(
    compose: dict[str, Any], name: str, tmp_path: Path
) -> None:
    service = compose["services"][name]
    for secret in service["secrets"]:
        content = "postgresql://trialdelta:x@postgres/trialdelta" if secret == "database_url" else "x" * 48
        (tmp_path / secret).write_text(content)
    given = {key: value.replace("/run/secrets", str(tmp_path)) for key, value in service["environment"].items()}
    # what the image itself sets
    environ = {"TRIALDELTA_DATABASE_URL": "sqlite:////data/trialdelta.sqlite3", **given}

    settings = load(environ, tmp_path / "no.env")

    assert unknown_variables(environ) == []
    assert settings.host == "0.0.0.0"
    assert settings.access_token == "x" * 48
    assert settings.database_url.startswith("sqlite:" if name == "trialdelta" else "postgresql:")


def test_what_is_secret_is_in_files_that_git_and_the_image_leave_out(compose: dict[str, Any]) -> None:
    assert all(secret["file"].startswith("./secrets/") for secret in compose["secrets"].values())
    assert all("secrets/" in (ROOT / name).read_text().splitlines() for name in (".gitignore", ".dockerignore"))
    for _, service in services(compose):
        assert not any("PASSWORD" in key and not key.endswith("_FILE") for key in service.get("environment", ()))


def test_the_health_check_passes_where_a_daemon_serves_and_fails_where_none_does(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = compose["services"]["trialdelta"]["healthcheck"]["test"][3].replace("8383", str(port))
    ask = lambda: subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode  # noqa: E731
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path}/health.sqlite3",
        "TRIALDELTA_HOST": "0.0.0.0",
        "TRIALDELTA_PORT": str(port),
        "TRIALDELTA_ACCESS_TOKEN": "x" * 48,
    }
    before = ask()
    command = [sys.executable, "-m", "monitor", "run", "--only", "web", "--name", "page"]
    with (tmp_path / "log").open("w") as log:
        daemon = subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=log)
    try:
        ends = time.monotonic() + 20
        while (after := ask()) and time.monotonic() < ends:
            time.sleep(0.1)
        daemon.send_signal(signal.SIGTERM)
        code_at_the_end = daemon.wait(15)
    finally:
        daemon.kill()
        daemon.wait(10)

    assert before != 0
    assert after == 0
    assert code_at_the_end == 0
    assert '"roles": "web"' in (tmp_path / "log").read_text()


# --- systemd ----------------------------------------------------------------------------------------------------------


def directives() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_gives_the_program_little_more_than_its_own_folder() -> None:
    found = directives()

    assert found["DynamicUser"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["StateDirectory"] == ["trialdelta"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["NoNewPrivileges"] == ["yes"]


def test_the_units_settings_can_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "access_token").write_text("x" * 48)
    environ = dict(value.replace("%d", str(tmp_path)).split("=", 1) for value in directives()["Environment"])

    assert unknown_variables(environ) == []
    assert load(environ, tmp_path / "no.env").database_url.startswith("sqlite:////var/lib/trialdelta/")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze: the unit is NOT verified here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/trialdelta/bin/trialdelta", sys.executable))

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", unit], capture_output=True, text=True, check=False
    )
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout[-300:]
