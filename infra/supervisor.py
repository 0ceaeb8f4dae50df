"""Keeps the processes of one installation running: one stream of output, a restart after each death, one clean end."""

import contextlib
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from infra.child_process import Supervised
from infra.errors import ServersError

FIRST_DELAY_SECONDS = 0.2  # kill -9 of any process: serving again within 5 s
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 30.0
STOP_WITHIN_SECONDS = 4.0  # for the programs, which need one or two; the servers come after them

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
_OWN_NAME = "broadloom"


def restart_delay(deaths_in_a_row: int) -> float:
    """Seconds to wait before the next start: doubles with each death that came too soon."""
    return float(min(FIRST_DELAY_SECONDS * 2 ** (deaths_in_a_row - 1), LONGEST_DELAY_SECONDS))


class Output:
    """Prefixed lines of all processes in one stream; coloured on a terminal."""

    def __init__(self, names: Sequence[str], stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._width = max(len(name) for name in (*names, _OWN_NAME))
        self._colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(names)}
        self._is_terminal = self._stream.isatty()

    def line(self, name: str, text: str) -> None:
        """One line of a process."""
        prefix = f"{name.ljust(self._width)} |"
        if self._is_terminal:
            prefix = f"\x1b[{self._colours.get(name, 1)}m{prefix}\x1b[0m"
        self.write(f"{prefix} {text}\n")

    def own(self, text: str) -> None:
        """A line of the supervisor itself."""
        self.line(_OWN_NAME, text)

    def write(self, text: str) -> None:
        """Text as it is. A reader that went away (`… | head`) does not stop the product."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


@dataclass(slots=True)
class _Watch:
    """What the supervisor remembers of one process."""

    process: Supervised
    started_at: float = 0.0
    deaths: int = 0
    restart_at: float | None = None
    registered_fd: int | None = None


class Supervisor:
    """Runs in the main thread: the kernel ties the children's lives to the thread that started them."""

    def __init__(self, processes: Sequence[Supervised], output: Output, poll_seconds: float = 1.0) -> None:
        self._watches = [_Watch(process) for process in processes]
        self._output = output
        self._poll_seconds = poll_seconds
        self._selector = selectors.DefaultSelector()
        self._stop_requests = 0
        self._posted: list[str] = []

    def run(self, *, start: Sequence[str], after_start: Callable[[], str] | None = None) -> None:
        """Start the processes named in ``start``, watch all of them until SIGINT or SIGTERM, then stop them.

        ``after_start`` runs in a thread of its own; what it returns is printed.
        """
        with self._signals():
            for watch in self._watches:
                if watch.process.name in start:
                    self._start(watch)
                watch.started_at = time.monotonic()
            if after_start is not None:
                threading.Thread(target=self._post, args=[after_start], daemon=True).start()
            try:
                while not self._stop_requests:
                    self._wait(self._seconds_to_next_start())
                    self._revive()
                self._output.own("Stopping; press Ctrl-C again to end at once.")
                self._stop()
            except KeyboardInterrupt:
                self._output.own("Ending at once.")
            finally:
                self._kill_all()

    def request_stop(self) -> None:
        """Have :meth:`run` end; also what a signal does."""
        self._stop_requests += 1
        if self._stop_requests > 1:
            raise KeyboardInterrupt

    def _start(self, watch: _Watch) -> bool:
        watch.restart_at = None
        watch.started_at = time.monotonic()
        try:
            watch.process.start()
        except (ServersError, OSError) as error:
            self._schedule_restart(watch, f"could not be started: {error}")
            return False
        watch.registered_fd = watch.process.output_fd()
        if watch.registered_fd is not None:
            self._selector.register(watch.registered_fd, selectors.EVENT_READ, watch)
        return True

    def _revive(self) -> None:
        now = time.monotonic()
        for watch in self._watches:
            if self._stop_requests:
                return
            if watch.restart_at is not None:
                if now >= watch.restart_at and self._start(watch):
                    self._output.own(f"{watch.process.name} was started again.")
                continue
            reason = watch.process.exit_reason()
            if reason is not None:
                watch.process.kill()  # what it left behind
                self._drain(watch)
                self._forget_output(watch)
                self._schedule_restart(watch, reason)

    def _schedule_restart(self, watch: _Watch, reason: str) -> None:
        now = time.monotonic()
        watch.deaths = 1 if now - watch.started_at >= HEALTHY_AFTER_SECONDS else watch.deaths + 1
        delay = restart_delay(watch.deaths)
        watch.restart_at = now + delay
        self._output.own(f"{watch.process.name} {reason}; starting it again in {delay:.1f} s.")

    def _seconds_to_next_start(self) -> float:
        now = time.monotonic()
        waits = [watch.restart_at - now for watch in self._watches if watch.restart_at is not None]
        return max(0.0, min([self._poll_seconds, *waits]))

    def _wait(self, seconds: float) -> None:
        """Pass on output until something happens: a line, a signal (also of a dead child), or the time is over."""
        for key, _events in self._selector.select(seconds):
            if isinstance(key.data, _Watch):
                self._drain(key.data)
            else:
                key.data.recv(4096)  # the bytes of signals; they only had to wake us
        while self._posted:
            self._output.write(self._posted.pop(0))

    def _drain(self, watch: _Watch) -> None:
        for line in watch.process.read_lines():
            self._output.line(watch.process.name, line)
        if watch.process.output_fd() is None:
            self._forget_output(watch)

    def _forget_output(self, watch: _Watch) -> None:
        if watch.registered_fd is not None:
            self._selector.unregister(watch.registered_fd)
            watch.registered_fd = None

    def _stop(self) -> None:
        for watch in self._watches:
            watch.restart_at = None
            watch.process.ask_to_stop()
        deadline = time.monotonic() + STOP_WITHIN_SECONDS
        while time.monotonic() < deadline and any(w.process.output_fd() is not None for w in self._watches):
            self._wait(0.1)
        for watch in self._watches:
            if watch.process.output_fd() is not None:
                self._output.own(f"{watch.process.name} did not stop in time and is ended.")

    def _kill_all(self) -> None:
        for watch in self._watches:
            watch.process.kill()
            self._drain(watch)
            watch.process.close_output()  # somebody else may still hold the other end: the pipe has not ended by itself
        self._selector.close()

    def _post(self, work: Callable[[], str]) -> None:
        self._posted.append(work())
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        ear, self._bell = socket.socketpair()
        ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(ear, selectors.EVENT_READ, ear)
        old_wakeup = signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        old = {
            signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: self.request_stop()),
            signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: self.request_stop()),
            signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: self.request_stop()),
            signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None),
        }
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_wakeup)
            ear.close()
            self._bell.close()
