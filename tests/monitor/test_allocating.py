"""A daemon of many threads takes its memory from few arenas, and does not search again what it loaded for good."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THREADS = """
import re, sys, threading
from monitor import allocating

known = allocating.few_arenas() if sys.argv[1] == "few" else True
together = threading.Barrier(16)

def work():
    together.wait(30)
    held = [bytes(2000) for _ in range(500)]
    together.wait(30)
    return held

threads = [threading.Thread(target=work) for _ in range(16)]
for each in threads: each.start()
for each in threads: each.join(30)
# an arena beside the first is a reserve of 64 MB, of which a part may be written
maps = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) ---p .* 0 *$", open("/proc/self/maps").read(), re.MULTILINE)
reserves = sum((1 << 25) < int(end, 16) - int(start, 16) <= (1 << 26) for start, end in maps)
print(int(known), reserves)
"""


def arenas(how: str) -> tuple[bool, int]:
    """Whether the C library knows of it, and how many arenas sixteen threads were given beside the first."""
    command = [sys.executable, "-c", THREADS, how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    known, count = map(int, done.stdout.split())
    return bool(known), count


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="arenas are glibc's")
def test_sixteen_threads_share_two_arenas() -> None:
    known, few = arenas("few")
    if not known:
        pytest.skip("this C library is not glibc: it has no arenas")

    assert few <= 1
    assert arenas("as they come")[1] > few


SETTLED = """
import gc, weakref
from monitor import allocating

class Circle: pass

kept = [Circle() for _ in range(1000)]
allocating.settle()
made = Circle()
made.itself = made
seen = weakref.ref(made)
del made
searched = len(gc.get_objects())
gc.collect()
print(gc.get_freeze_count() > 1000, searched < 1000, seen() is None)
"""


def test_what_was_loaded_is_searched_no_more_and_later_garbage_still_goes() -> None:
    command = [sys.executable, "-c", SETTLED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.split() == ["True", "True", "True"]
