"""Checks a built wheel: the three packages with templates and migrations, and a command that runs from it alone."""

import subprocess
import sys
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
            archive.extractall(folder)
            run = subprocess.run(
                [sys.executable, "-m", "monitor", "demo", "--to", f"{folder}/demo"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            if run.returncode != 0:
                found.append(f"the demo does not run from it: {run.stderr.strip()[-300:]}")
    return found


if __name__ == "__main__":
    bad = problems(Path(sys.argv[1]))
    print("\n".join(bad) or f"{Path(sys.argv[1]).name}: packages, templates, migrations and command are in order")
    sys.exit(bool(bad))
