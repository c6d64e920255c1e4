"""Where memory is taken from, when it is given back, and what of it is searched for what nobody needs any more."""

import ctypes
import gc
from contextlib import suppress

ARENAS = 2
_M_ARENA_MAX = -8


def few_arenas() -> bool:
    """Have all threads take their memory from `ARENAS` arenas; whether this C library was told so (glibc alone is).

    By itself glibc gives threads arenas of their own, eight for each processor. Each keeps the most that any of its
    threads ever held: rendered pages, records, SQLite's pages. On two processors, `make soak` saw a daemon rise so from
    100 to more than 200 MB in twelve minutes, while the objects of Python stayed level. Since one thread at a time runs
    Python, more arenas win nothing. To be called before threads are started.
    """
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))
    return False


def give_back() -> bool:
    """Give the system what was freed and lies between what is still held; whether this C library can.

    By itself glibc gives back only what is free at the end of its memory. A connection to SQLite that is opened for a
    moment, or a large page, leaves holes: of the 125 MB of a daemon at work this gave back three to five, each time
    after forty seconds. It takes some milliseconds.
    """
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).malloc_trim(0))
    return False


YOUNG, MIDDLE, OLD = 5_000, 10, 10
"""So many new objects are searched for circular garbage at once; so many such searches until the middle-aged, and so
many of those until all objects that were not there at the start."""


def settle() -> None:
    """Take what is loaded by now for kept: the collector of circular garbage does not go through it any more; and have
    it search less often than Python does by itself, which is made for small programs.

    A daemon's modules and what they set up are some hundred thousand objects that never go; the preview of a digest
    makes fifty thousand, for a moment. Python's own 700, 10 and 10 searched everything several times for one such page,
    30 to 90 ms each time, for next to nothing: what is of no use any more is nearly always freed without a search. To
    be called once, when all is set up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
