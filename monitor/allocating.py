"""Where memory is taken from, and what of it is looked through again and again for what nobody needs any more."""

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


def settle() -> None:
    """Take what is loaded by now for kept: the collector of circular garbage does not go through it any more.

    A daemon's modules and what they set up are some hundred thousand objects that never go. Looking through all of them
    took 70 ms each time, which was the time of one page in twenty (`make bench ONLY=pages`). To be called once, when
    all is set up.
    """
    gc.collect()
    gc.freeze()
