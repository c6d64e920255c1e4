"""Where memory is taken from: from few arenas, so that a daemon of many threads does not hold ever more of it."""

import ctypes
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
