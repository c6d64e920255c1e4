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


HOLES = """
import re
from monitor import allocating

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

many = [bytes(2000) for _ in range(30_000)]
last = bytes(2000)
held = resident()
del many
freed = resident()
print(int(allocating.give_back()), held - freed, held - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is resident is read from Linux's /proc")
def test_what_was_freed_between_what_is_held_is_given_back() -> None:
    command = [sys.executable, "-c", HOLES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    known, by_itself, given_back = map(int, done.stdout.split())
    if not known:
        pytest.skip("this C library is not glibc: it keeps or gives back as it likes")

    assert by_itself < 20 < given_back  # MB, of 60


LARGE_ANSWER = """
import gc, sys
from monitor import allocating

if sys.argv[1] == "settled":
    allocating.settle()
searched = []
gc.callbacks.append(lambda phase, what: searched.append(what["generation"]) if phase == "start" else None)
for _ in range(20):
    answer = [{"change": number} for number in range(50_000)]
    del answer
garbage = []
for _ in range(30_000):
    circle = [garbage]
    circle.append(circle)
    del circle
held = gc.get_count()[0] + len(gc.get_objects())
print(searched.count(2), len(searched), held)
"""


def searches(how: str) -> tuple[int, int, int]:
    """How often everything was searched, how often anything was, and how many objects are there in the end."""
    command = [sys.executable, "-c", LARGE_ANSWER, how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    full, every, held = map(int, done.stdout.split())
    return full, every, held


def test_a_large_answer_has_not_everything_searched_and_garbage_does_not_pile_up() -> None:
    (full, every, held), of_python = searches("settled"), searches("as Python does")

    assert full < of_python[0]
    assert every < of_python[1] / 5
    assert held < 25_000  # of 60,000 that were made
