"""One process below the supervisor: how it is started, asked to stop, and read."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.embedded.process import die_with_parent


class Supervised(Protocol):
    """What the supervisor needs of a process or a server."""

    name: str

    def start(self) -> None:
        """Start, or start again after a death. Raises ServersError or OSError when that fails."""

    def exit_reason(self) -> str | None:
        """None while it runs (or was never started), else how it ended."""

    def output_fd(self) -> int | None:
        """Where its lines can be read; None when it writes them elsewhere."""

    def read_lines(self) -> Iterator[str]:
        """Lines that arrived since the last call; does not wait."""

    def close_output(self) -> None:
        """Stop reading what it prints, whoever else still holds the other end."""

    def ask_to_stop(self) -> None:
        """Ask for a clean end; does not wait."""

    def kill(self) -> None:
        """End it now, with all that it started."""


@dataclass(slots=True)
class ChildProcess:
    """A program of the product; leads its own session, so that Ctrl-C reaches the supervisor only."""

    name: str
    argv: Sequence[str]
    _process: "subprocess.Popen[bytes] | None" = None
    _rest: bytes = b""

    @property
    def pid(self) -> int | None:
        """Number of the running process."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it; what an earlier life of it left running is ended first."""
        self.kill()
        self.close_output()
        self._process = subprocess.Popen(
            list(self.argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    def exit_reason(self) -> str | None:
        """How it ended; None while it runs."""
        status = self._process.poll() if self._process else None
        if status is None:
            return None
        return f"ended with exit code {status}" if status >= 0 else f"was ended by signal {-status}"

    def output_fd(self) -> int | None:
        """The pipe of its standard output and error."""
        stdout = self._process.stdout if self._process else None
        return None if stdout is None or stdout.closed else stdout.fileno()

    def read_lines(self) -> Iterator[str]:
        """Complete lines; a rest without newline is kept for later, or given when the pipe has ended."""
        fd = self.output_fd()
        while fd is not None:
            try:
                data = os.read(fd, 65536)
            except BlockingIOError:
                break
            if not data:
                self.close_output()
                if self._rest:
                    yield self._rest.decode(errors="replace")
                    self._rest = b""
                break
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                yield line.rstrip(b"\r").decode(errors="replace")

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself; it knows what to do with its own children."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to the whole session: also workers that a killed master left behind, which would keep its port."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close_output(self) -> None:
        """Stop reading what it prints."""
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


class Server(Protocol):
    """An embedded server (infra.embedded)."""

    def is_alive(self) -> bool: ...


@dataclass(slots=True)
class SupervisedServer:
    """An embedded server: watched and started again here, stopped by its owner after everything else."""

    name: str
    server: Server
    start_again: Callable[[], None]

    def start(self) -> None:
        """Start it again on the same port with the same data."""
        self.start_again()

    def exit_reason(self) -> str | None:
        """None while it runs."""
        return None if self.server.is_alive() else "died"

    def output_fd(self) -> int | None:
        """Servers write their own log files."""
        return None

    def read_lines(self) -> Iterator[str]:
        """Nothing to read."""
        return iter(())

    def close_output(self) -> None:
        """Nothing to close."""

    def ask_to_stop(self) -> None:
        """Not here: the programs need the servers until their own end."""

    def kill(self) -> None:
        """Not here, for the same reason."""
