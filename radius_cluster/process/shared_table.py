"""A small table in memory that a host's processes share: a file of the spool folder, mapped by all of them.

Written without locks: its users bear that what two processes write at once may be lost.
"""

import mmap
import os
from pathlib import Path


def open_table(folder: Path | None, name: str, octets: int) -> mmap.mmap:
    """The table; without a folder, or where nothing can be written, of this process alone. Zeros when it is new."""
    if folder is None:
        return mmap.mmap(-1, octets)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            # Written out, not only made long: a full disk must be noticed here, and not when a slot is used.
            if os.fstat(file).st_size < octets:
                os.pwrite(file, bytes(octets), 0)
            return mmap.mmap(file, octets)
        finally:
            os.close(file)
    except (OSError, ValueError):
        return mmap.mmap(-1, octets)
