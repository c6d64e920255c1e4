"""The last released program, taken out of the repository's history into a folder, to be run beside this one."""

import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from monitor import __version__

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor", "notifiers", "snapshots")
_RELEASED = re.compile(r"^## (\d+\.\d+\.\d+) \(", re.MULTILINE)


class NoFormerProgram(Exception):  # noqa: N818  # it says what is so
    """The program of the last release cannot be had here; the message says why."""


def last_release(root: Path = ROOT, own: str = __version__) -> str:
    """The newest version that the changelog names and this program is not. Raises NoFormerProgram."""
    found = _RELEASED.findall((root / "CHANGELOG.md").read_text())
    for version in found:
        if version != own:
            return str(version)
    raise NoFormerProgram("CHANGELOG.md names no earlier release")


def commit_of(version: str, root: Path = ROOT) -> str:
    """The commit that was released as `version`: by its tag, or, where tags were not fetched, by the one that wrote the
    version into pyproject.toml. Raises NoFormerProgram, as in a source archive or a clone without its history.
    """
    if shutil.which("git") is None:
        raise NoFormerProgram("there is no git here")
    if not (root / ".git").exists():
        raise NoFormerProgram("this is no clone of the repository (a source archive?), so there is no history")
    tagged = _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}^{{commit}}")
    if tagged:
        return tagged
    line = f'version = "{version}"'
    touched = _git(root, "log", "--format=%H", f"-S{line}", "--", "pyproject.toml").split()
    wrote = [commit for commit in touched if line in _git(root, "show", f"{commit}:pyproject.toml")]
    if not wrote:
        shallow = _git(root, "rev-parse", "--is-shallow-repository") == "true"
        why = "this clone is shallow" if shallow else "no commit wrote that version"
        raise NoFormerProgram(f"version {version} is not in the history that is here: {why}")
    return wrote[-1]


def take_out(folder: Path, root: Path = ROOT) -> str:
    """Put the last release's packages into `folder`; its version. Raises NoFormerProgram."""
    version = last_release(root)
    packed = subprocess.run(
        ["git", "-C", str(root), "archive", "--format=tar", commit_of(version, root), *PACKAGES],
        capture_output=True,
        check=False,
    )
    if packed.returncode:
        raise NoFormerProgram(f"git cannot take version {version} out: {packed.stderr.decode().strip()[:200]}")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return version


def command(*arguments: str) -> list[str]:
    """The program's command for this interpreter; which program it is, PYTHONPATH says."""
    return [sys.executable, "-m", "monitor", *arguments]


def _git(root: Path, *arguments: str) -> str:
    """What git says; "" where it has nothing to say, or says no."""
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
