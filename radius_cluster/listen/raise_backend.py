"""The packet path's PostgreSQL backends get the processor as its processes do (``program.go_first``).

A batch is decided half here and half in its backend; the one waits for the other, so one of them first is no use.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_USUAL_PORT = 5432


def raise_backend(url: str, connection: Any) -> bool:
    """Give the connection's backend our own priority, if that is above the usual; True when it was done.

    Nothing happens where the server is not on this host or is not reached by its Unix socket, where we may not (only
    root may), and where the number that the server gives for its backend is not that of a child of this server: in
    another container it is a number of its own.
    """
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    if nice >= 0:
        return False
    with suppress(OSError, ValueError, IndexError):
        backend = connection.get_server_pid()
        if _parent(backend) == _server(url):
            os.setpriority(os.PRIO_PROCESS, backend, nice)
            raise_session(backend, nice)
            return True
    return False


def raise_session(pid: int, nice: int) -> None:
    """Give the session that a process leads, as every program of ours and every backend does, this priority, too.

    Outside of control groups Linux shares the processor out among sessions first ("autogroup"), and a process's own
    priority only counts against others of its session: alone in it, it would have none. Elsewhere this does nothing.
    """
    with suppress(OSError):
        if os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))


def _server(url: str) -> int:
    """The server's process by the lock of its socket. Raises OSError when there is none, ValueError."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    folder = query.get("host", [""])[0]
    if not folder.startswith("/"):
        raise ValueError("the server is not reached by a Unix socket")
    port = parts.port or int(query.get("port", [str(_USUAL_PORT)])[0])
    return int((Path(folder) / f".s.PGSQL.{port}.lock").read_text().split("\n", 1)[0])


def _parent(pid: int) -> int:
    """The process that started this one. Raises OSError."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
