"""Templates of others are filled in a process of their own, which cannot take more time or memory than it is given."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from msgspec import Struct

from notifiers.layout import LayoutError, Rendered, lay_out

Json = Any

CPU_SECONDS = 2
WALL_SECONDS = 20.0
"""A process that waits for nothing but its turn: the wall clock is for machines that are busy."""
MEMORY_BYTES = 1 << 30


class Job(Struct, frozen=True):
    """One message to lay out: its type and the plain values that its templates may use."""

    kind: str
    values: Mapping[str, Json]


def lay_out_apart(jobs: Sequence[Job], folder: str) -> list[Rendered]:
    """The messages in words, with the templates of `folder` in place of ours. Raises LayoutError, also where they take
    too long or too much memory.
    """
    asked = {"folder": folder, "jobs": [{"kind": job.kind, "values": job.values} for job in jobs]}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "notifiers.apart"],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
            env={"PYTHONPATH": str(Path(__file__).parent.parent)},  # nothing of ours is told: no secrets, no settings
            start_new_session=True,  # Ctrl-C is for us
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LayoutError(f"takes longer than {WALL_SECONDS:g} s", folder) from error
    return _answered(ended.returncode, ended.stdout, folder)


def _answered(code: int, output: bytes, folder: str) -> list[Rendered]:
    if code:
        raise LayoutError(f"takes too long (more than {CPU_SECONDS} s) or too much memory", folder)
    answer = json.loads(output)
    if "error" in answer:
        raise LayoutError(**answer["error"])
    return [Rendered(*parts) for parts in answer["rendered"]]


def plain(value: Any) -> Json:
    """A value with everything that can be asked of it by name, as JSON: a struct's fields and properties."""
    if isinstance(value, Struct):
        own = [name for name, found in vars(type(value)).items() if isinstance(found, property)]
        return {name: plain(getattr(value, name)) for name in (*value.__struct_fields__, *own)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


# --- in the process of its own ----------------------------------------------------------------------------------------


def main() -> None:
    """Read what is asked on stdin, answer on stdout."""
    _limit()
    asked = json.load(sys.stdin, object_hook=lambda found: SimpleNamespace(**found))
    try:
        rendered = [lay_out(job.kind, vars(job.values), asked.folder) for job in asked.jobs]
        answer: Json = {"rendered": [[one.subject, one.text, one.html] for one in rendered]}
    except LayoutError as error:
        answer = {"error": {"why": error.why, "place": error.place, "line": error.line}}
    sys.stdout.write(json.dumps(answer))


def _limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # systems without limits have the wall clock
        import resource

        signal.signal(signal.SIGXCPU, _too_long)  # tells which line; where Python is not at work, the end comes at once
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _too_long(number: int, frame: object) -> None:  # noqa: ARG001 - the shape of a handler
    raise TimeoutError(f"takes too long (more than {CPU_SECONDS} s)")


if __name__ == "__main__":
    main()
