"""Who holds a lease: a name for this process that others on the same machine can look up after its death.

Only what is certain counts: the same machine since the same start, the same view of processes (a container has its
own), and no process of that number and birth. Everywhere else (other machines, systems without /proc) nobody is known
to be dead, and a lease ends by running out.
"""

import os
import socket
from functools import cache
from pathlib import Path

SEPARATOR = "|"


def this_process(role: str = "") -> str:
    """A name for this process, and the `role` (a thread's name, say) that it holds something in."""
    return SEPARATOR.join((_machine(), str(os.getpid()), _birth(os.getpid()), role))


def in_words(holder: str) -> str:
    """What to call a holder in a sentence: "process 4711 on host"."""
    machine, pid, *_ = [*holder.split(SEPARATOR), ""]
    return f"process {pid} on {machine.partition(' ')[0]}" if pid else holder


def is_dead(holder: str) -> bool:
    """Whether `holder`, a name that `this_process` gave, is certainly gone."""
    return _lives(holder) is False


def is_alive(holder: str) -> bool:
    """Whether `holder` certainly is a process of this machine, at work or stopped."""
    return _lives(holder) is True


def _lives(holder: str) -> bool | None:
    """None: that cannot be known here."""
    machine, _, rest = holder.partition(SEPARATOR)
    pid, _, rest = rest.partition(SEPARATOR)
    birth, _, _ = rest.partition(SEPARATOR)
    if not birth or not pid.isdigit() or machine != _machine():
        return None
    return _birth(int(pid)) == birth


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        processes = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {boot} {processes}"


def _birth(pid: int) -> str:
    """When a process began, in ticks since the machine's start; "" where there is none, or it cannot be known."""
    try:
        # the program's name, in brackets, may itself hold blanks and brackets
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    dead = fields[0] in "ZX"
    return "" if dead else fields[19]
