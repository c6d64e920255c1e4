"""How long the command takes to start, beside a bare click command in the same run."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.measuring import Figure, median

ROUNDS = 15
BARE = """
import click

@click.group()
@click.version_option("1")
def main(): pass

main(["--version"])
"""
OURS = "from monitor.cli import main; import sys; sys.argv = ['trialdelta', '--version']; main()"


def figures() -> tuple[list[Figure], list[str]]:
    """The figure of `trialdelta --version`; the two take turns."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(_cpu(BARE))
        ours.append(_cpu(OURS))
    what = "trialdelta --version"
    return [Figure(what, median(ours) * 1000, "ms", median(bare) * 1000, "a bare click command", "≤ 2 ×")], [
        f"start: CPU of a process of its own, the median of {ROUNDS}"
    ]


def _cpu(program: str) -> float:
    """CPU seconds of a Python process that runs this."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=environ, cwd=root)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
