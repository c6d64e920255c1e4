"""Checks a built wheel: the three packages with templates and migrations, and a command that runs from it alone, also
as a user without rights and from a place that nobody can write to.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

NEEDED = (
    "monitor/cli/__init__.py",
    "monitor/migrations/env.py",
    "monitor/migrations/script.py.mako",
    "notifiers/templates/trial.changed/body.html",
    "notifiers/templates/trial.changed/body.txt",
    "notifiers/templates/trial.changed/subject.txt",
    "snapshots/kinds.py",
)
COMMANDS = (("demo", "--to", "demo"), ("watch", "add", "NCT99000001"), ("db", "backup", "kept.sqlite3"), ("settings",))
"""What must run: it makes tables, reads templates and migrations, and writes where the user's data belong."""
MODULE = ("-m", "monitor")
NOBODY = 65534


def problems(wheel: Path) -> list[str]:
    """What is wrong with the wheel, in words; empty when it is good."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        top = {name.split("/")[0] for name in names if ".dist-info" not in name}
        found = [f"{name} is missing" for name in NEEDED if name not in names]
        if not any(name.startswith("monitor/migrations/versions/") and name.endswith(".py") for name in names):
            found.append("no migration is in it")
        if top != {"monitor", "notifiers", "snapshots"}:
            found.append(f"top level is {sorted(top)}")
        with tempfile.TemporaryDirectory() as folder:
            installed, work = Path(folder) / "installed", Path(folder) / "work"
            archive.extractall(installed)
            found += _without_rights(installed, work)
    return found


def _without_rights(installed: Path, work: Path) -> list[str]:
    """What goes wrong from a folder that cannot be written to, as a user who may write to `work` alone."""
    work.mkdir()
    installed.parent.chmod(0o755)
    python, user = sys.executable, {}
    if os.geteuid() == 0:
        os.chown(work, NOBODY, NOBODY)
        user = {"user": NOBODY, "group": NOBODY}
        python = next((each for each in _interpreters() if _may_run(each, work, user)), "")
        if not python:
            print("NOT run as a user without rights: no interpreter of this version is for all to use")
            python, user = sys.executable, {}
    paths = [installed, *installed.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        return [
            words for arguments in COMMANDS if (words := _trouble([python, *MODULE, *arguments], installed, work, user))
        ]
    finally:
        for path in paths:
            path.chmod(0o755)


def _interpreters() -> list[str]:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [sys.executable, *filter(None, [shutil.which(name, path="/usr/local/bin:/usr/bin")])]


def _may_run(python: str, work: Path, user: dict[str, int]) -> bool:
    try:
        return not _run([python, "-c", "import sqlalchemy, msgspec"], work, "", user).returncode
    except OSError:
        return False


def _trouble(command: list[str], installed: Path, work: Path, user: dict[str, int]) -> str:
    run = _run(command, work, str(installed), user)
    if run.returncode != 0:
        return f"`{' '.join(command[3:])}` does not run from it: {run.stderr.strip()[-300:]}"
    return ""


def _run(command: list[str], work: Path, installed: str, user: dict[str, int]) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, (installed, sysconfig.get_path("purelib"))))
    environ = {"PATH": os.environ["PATH"], "HOME": str(work), "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        command, cwd=work, env=environ, capture_output=True, text=True, timeout=120, check=False, **user
    )


if __name__ == "__main__":
    bad = problems(Path(sys.argv[1]))
    print("\n".join(bad) or f"{Path(sys.argv[1]).name}: packages, templates, migrations and command are in order")
    sys.exit(bool(bad))
