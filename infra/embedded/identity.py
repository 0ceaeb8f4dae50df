"""As whom the embedded servers run, and by which path they reach a folder.

PostgreSQL refuses to run as root. When we are root, both servers run as ``nobody`` (initdb demands a user that has a
passwd entry; ``nobody`` is the one that every Linux has). The data folder may lie below a folder that ``nobody`` may
not enter, most often ``/root`` (mode 0700). Changing the rights of somebody's home is not ours to do, so in that case
the folder is opened by root and handed over as a file descriptor: the server knows it as ``/proc/self/fd/N``, which the
kernel resolves without walking the path. Only that one folder becomes reachable, nothing else does.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user that the server processes are switched to."""

    uid: int
    gid: int
    name: str


def server_user(data_folder: Path) -> ServerUser | None:
    """The user for the servers whose data lie in ``data_folder``; None = remain who we are (we are not root).

    Data that an ordinary user made keep that user when root starts the servers later.
    """
    if os.geteuid() != 0:
        return None
    try:
        owner = data_folder.stat().st_uid
    except FileNotFoundError:
        owner = 0
    entry = pwd.getpwuid(owner) if owner != 0 and _has_entry(owner) else pwd.getpwnam("nobody")
    return ServerUser(entry.pw_uid, entry.pw_gid, entry.pw_name)


def give_to(user: ServerUser | None, path: Path) -> None:
    """Hand a file or folder (not what is in it) to the server's user."""
    if user is not None:
        os.chown(path, user.uid, user.gid)


def may_reach(user: ServerUser | None, path: Path) -> bool:
    """May the user enter every folder on the way to ``path`` and read it? Judged by mode bits."""
    if user is None:
        return True
    real = path.resolve()
    enters = all(_allows(user, folder, stat.S_IXUSR) for folder in real.parents)
    return enters and _allows(user, real, stat.S_IRUSR | stat.S_IXUSR)


@dataclass(slots=True)
class HandedFolder:
    """A folder as the server sees it; ``fds`` must be passed on to the server process, then :meth:`close`."""

    path: str
    fds: tuple[int, ...] = ()

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)
        self.fds = ()


def hand_over(user: ServerUser | None, folder: Path) -> HandedFolder:
    """Make ``folder`` reachable for the server's user; see the module's text."""
    if may_reach(user, folder):
        return HandedFolder(str(folder))
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    return HandedFolder(f"/proc/self/fd/{fd}", (fd,))


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _allows(user: ServerUser, path: Path, owner_bits: int) -> bool:
    info = path.stat()
    shift = 0 if info.st_uid == user.uid else 6  # the owner's bits, else those of everybody else
    return info.st_mode & (owner_bits >> shift) == owner_bits >> shift
