"""`make agreement`: what the program tells of real changes beside what careful people labelled, kind by kind."""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from snapshots.kinds import KINDS  # noqa: E402 - the checkout has to be importable first
from snapshots.rules import changes_between  # noqa: E402
from tests import labels  # noqa: E402

COLUMNS = ("labels", "told", "agree", "missing", "extra", "severity", "cause", "values")
"""The last three: told of the right subject by the right kind, with another severity, cause, or other values."""


def main() -> int:
    """Prints the table and every disagreement; 0 where there is none, 1 where there is one, 0 without records."""
    if not labels.LABELS:
        print(f"Not compared: {labels.ABSENT}.")
        return 0
    compared = {
        path.stem: labels.compare(labels.labelled(path)["changes"], changes_between(*labels.pair(path)))
        for path in labels.LABELS
    }
    _print_table(_counts(compared.values()))
    wrong = [f"  {name}: {line}" for name, found in compared.items() for line in found.told()]
    noise, silent = _silent_steps()
    print(f"\n{sum(map(bool, compared.values()))} of {len(compared)} labelled steps are told exactly as labelled.")
    print(f"{silent:,} recorded steps say nothing; {len(noise)} changes were told of them.")
    _print_doubts()
    if wrong or noise:
        print("\nDisagreements:", *wrong, *noise, sep="\n")
    return 1 if wrong or noise else 0


def _counts(compared: Iterable[labels.Agreement]) -> dict[str, Counter[str]]:
    """By kind: how many of each column."""
    counts: dict[str, Counter[str]] = {}
    for found in compared:
        rows = [
            *((label["kind"], ("labels", "told", "agree")) for label, _ in found.agree),
            *((label["kind"], ("labels", "told", what)) for label, what, _ in found.near),
            *((label["kind"], ("labels", "missing")) for label in found.missing),
            *((change.kind, ("told", "extra")) for change in found.extra),
        ]
        for kind, columns in rows:
            counts.setdefault(kind, Counter()).update(columns)
    return counts


def _print_table(counts: dict[str, Counter[str]]) -> None:
    width = max(map(len, counts))
    print(f"{'kind':{width}}  " + "  ".join(f"{column:>8}" for column in COLUMNS))
    total: Counter[str] = Counter()
    for kind in sorted(counts, key=list(KINDS).index):
        print(f"{kind:{width}}  " + "  ".join(f"{counts[kind][column]:8,}" for column in COLUMNS))
        total += counts[kind]
    print(f"{'all':{width}}  " + "  ".join(f"{total[column]:8,}" for column in COLUMNS))
    print(f"{len(KINDS) - len(counts)} of {len(KINDS)} kinds occur in no label: invented edits show those.")


def _silent_steps() -> tuple[list[str], int]:
    """What is told of the steps that have no label, and how many steps those are."""
    speaking = {path.stem for path in labels.LABELS}
    noise, silent = [], 0
    for name, old, new in labels.steps():
        if name not in speaking:
            silent += 1
            noise += [f"  {name}: {change.summary}" for change in changes_between(old, new)]
    return noise, silent


def _print_doubts() -> None:
    """The labels that a careful reader may dispute: listed, never special-cased."""
    doubts = [(path.stem, doubt) for path in labels.LABELS for doubt in labels.labelled(path).get("doubts", [])]
    if doubts:
        print(f"\n{len(doubts)} labels have another defensible reading (the program follows the label):")
    for name, doubt in doubts:
        print(f"  {name}: {doubt['why']}")


if __name__ == "__main__":
    sys.exit(main())
