"""The promises of the house that no single room can keep alone."""

import ast
from pathlib import Path

import pytest

from snapshots.kinds import KINDS, SEVERITIES

ROOT = Path(__file__).parent.parent
PACKAGES = ("snapshots", "notifiers", "monitor")


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def test_the_lower_packages_never_commit_by_themselves() -> None:
    committing = [str(path) for path in sources("snapshots", "notifiers") if "commit" in calls(path)]

    assert committing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_first_what_it_is_for(package: str) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(package)
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_no_room_is_named_for_nothing() -> None:
    vague = {"utils", "core", "models", "services", "helpers", "common", "misc"}

    assert [path for path in sources(*PACKAGES) if path.stem in vague or vague & set(path.parent.parts)] == []


def test_every_kind_has_words_and_a_severity() -> None:
    for kind in KINDS.values():
        assert kind.label
        assert kind.meaning
        assert kind.family
        assert kind.severity in SEVERITIES


def test_every_kind_is_told_by_some_rule_or_by_the_sweep() -> None:
    """Kinds that are built from parts ("start_date" + ".delayed") count by both parts."""
    written = "\n".join(path.read_text(encoding="utf-8") for path in sources(*PACKAGES) if path.name != "kinds.py")

    untold = [
        name
        for name in KINDS
        if name not in written and not (name.split(".")[0] in written and f".{name.split('.')[1]}" in written)
    ]

    assert untold == []


def test_the_lock_files_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-browser.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text
