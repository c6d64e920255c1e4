"""Ends a conversation over sockets when its total time is up, however slowly the other side drips."""

import contextlib
import socket
import threading
import time
from types import TracebackType


class TimeLimit:
    """A context in which watched sockets are shut down once `seconds` have passed since entering.

    A socket's own timeout starts anew with every byte; a lease does not. Watching keeps a duplicate of the socket, so
    that one wrapped in TLS later is ended too. What was blocked on it then fails as on any broken connection.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._ends = 0.0
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "TimeLimit":
        self._ends = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    @property
    def remaining(self) -> float:
        """Seconds left, at least a hundredth (0 would mean "do not block" to a socket)."""
        return max(self._ends - time.monotonic(), 0.01)

    def watch(self, connected: socket.socket) -> None:
        """Shut `connected` down when the time is up."""
        with self._lock:
            self._sockets.append(connected.dup())
        if self.expired:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        with self._lock:
            for watched in self._sockets:
                with contextlib.suppress(OSError):  # the other side may have ended it already
                    watched.shutdown(socket.SHUT_RDWR)
